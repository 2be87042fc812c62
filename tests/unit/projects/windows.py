"""The pages of two projects, and the browser of somebody who may see all of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import httpx

from tests.unit.projects.neighbours import RUNNER, URL, Neighbours

# The path of these is set by the module above.
from tests.unit.access.desk_world import EXTRA, Seen, _masked  # isort: skip
from tests.unit.access.world import NOON, uuid  # isort: skip

from threadwell.app import channels
from threadwell.fhir.stamp import stamp
from threadwell.inbox.app import create_pages
from threadwell.inbox.places import Places
from threadwell.inbox.sign_in import new_link
from threadwell.projects.within import within
from threadwell.stores.contract import ChangeSet, Store, Write


class Windows:
    """With ``whole`` the other project has its practice, and what waits for its people."""

    def __init__(self, store: Store, asker: str, *, whole: bool) -> None:
        self.world = Neighbours(store, asker, whole=whole)
        self.store = own = cast(Store, self.world.store)
        self.pages = Places(
            own,
            URL,
            lambda project, doors: create_pages(
                own, base_url=URL, channels=channels(), project=project, doors=doors
            ),
        )
        if whole:
            RUNNER.run(self._beside())
        link = RUNNER.run(new_link(within(own, asker), URL, project=asker))
        self.cookies = httpx.Cookies()
        assert self.ask("POST", link.removeprefix(URL)).status == 303

    async def _beside(self) -> None:
        other = within(self.store, self.world.other)
        for number, resource in enumerate(EXTRA.values()):
            type_, id_, version = resource["resourceType"], resource["id"], uuid(5000 + number)
            stamped, body = stamp(dict(resource), id_, version, NOON)
            content = b"secret bytes" if type_ == "Binary" else None
            write = Write(type_, id_, version, NOON, stamped, body, content=content)
            await other.commit(self.world.other, ChangeSet((write,)))

    def ask(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> Seen:
        """What the pages answer."""
        return RUNNER.run(self._ask(method, path, form))

    async def _ask(self, method: str, path: str, form: Mapping[str, Any] | None) -> Seen:
        transport = httpx.ASGITransport(self.pages)
        async with httpx.AsyncClient(
            transport=transport, base_url=URL, cookies=self.cookies
        ) as client:
            answer = await client.request(method, path, data=form)
            self.cookies = client.cookies
        told = sorted(f"{name}: {value}" for name, value in answer.headers.items())
        return Seen(answer.status_code, tuple(map(_masked, told)), _masked(answer.text))
