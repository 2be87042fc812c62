"""Two projects on one server. One is asked by a client that may do everything there; the other has
a practice full of patients under the same ids, or has nothing at all.
"""

from __future__ import annotations

import json
from typing import Any, cast

from tests.unit.access.world import (
    CLIENT,
    NAMES,
    NOON,
    RUNNER,
    SECRET,
    URL,
    WORLD,
    Counted,
    World,
    _basic,
    uuid,
)
from threadwell.access.memberships import keep_policy
from threadwell.api.app import create_app
from threadwell.api.clients import add_client
from threadwell.app import channel_labels
from threadwell.channels.account import Account
from threadwell.fhir.stamp import stamp
from threadwell.inbox.browsers import Accounts, PageBrowsers
from threadwell.intake.accounts import keep_account
from threadwell.projects.registry import PROJECT
from threadwell.projects.within import within
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Kept, Store, Write
from threadwell.users.inviting import Invitation, invite

#: The project that is not the first.
FURTHER = uuid(7777)
#: What only the other project says: it may be in no answer.
SECRETS = ("Quennell", "the neighbours", "quennell@harbour.example.org")


class Neighbours(World):
    """``asker`` is the project that is asked; with ``whole`` the other one has its practice."""

    def __init__(self, store: Store, asker: str, *, whole: bool) -> None:
        self.store = Counted(store)
        self.run = RUNNER.run
        self.behalf = {}
        self.mine, self.other = asker, FURTHER if asker == DEFAULT_PROJECT else DEFAULT_PROJECT
        own = cast(Store, self.store)

        def others(project: str) -> Any:
            there = within(own, project)
            return Accounts(there, project), PageBrowsers(there, project, URL)

        self.app = create_app(
            own,
            base_url=URL,
            labels=channel_labels,
            clock=lambda: NOON,
            people=Accounts(own, DEFAULT_PROJECT),
            browsers=PageBrowsers(own, DEFAULT_PROJECT, URL),
            others=others,
        )
        self.run(self._found(whole))
        self.authorization = _basic(CLIENT, SECRET)
        form = {"content-type": "application/x-www-form-urlencoded"}
        told = self.ask("POST", "/oauth2/token", b"grant_type=client_credentials", **form)
        self.authorization = f"Bearer {json.loads(told.body)['access_token']}"

    async def _found(self, whole: bool) -> None:
        store = cast(Store, self.store)
        further = json.dumps({"id": FURTHER, "name": "Harbour"}).encode()
        named = (Kept(PROJECT, FURTHER, further),)
        await store.commit(DEFAULT_PROJECT, ChangeSet((), kept=named))
        mine, other = within(store, self.mine), within(store, self.other)
        await add_client(
            mine, "asker", client_id=CLIENT, secret=SECRET, project=self.mine, clock=lambda: NOON
        )
        # It has a patient of its own, under an id that the other has, too.
        ada = {**WORLD["ada"], "name": [{"family": "Ours"}], "telecom": []}
        await self._put(mine, self.mine, "ada", ada, 1)
        if whole:
            await self._settle(other)

    def _mine(self) -> Store:
        """What the asker has; from here on the practice would be theirs."""
        self.other = self.mine
        return within(cast(Store, self.store), self.mine)

    async def _settle(self, other: Store) -> None:
        for number, (name, resource) in enumerate(WORLD.items(), 2):
            if name == "ada" and self.other == self.mine:
                continue
            await self._put(other, self.other, name, {**resource, "language": "en"}, number)
        patient = {"resourceType": "Patient", "name": [{"family": "Quennell"}]}
        await self._put(other, self.other, "", patient, 500)
        asked = Invitation("quennell@harbour.example.org", "Quentin", "Quennell", admin=True)
        await invite(other, self.other, asked, author="", clock=lambda: NOON)
        await add_client(other, "the neighbours", client_id=uuid(7000), project=self.other)
        policy = {"resourceType": "AccessPolicy", "id": uuid(7001), "name": "the neighbours"}
        await keep_policy(other, self.other, {**policy, "resource": [{"resourceType": "*"}]})
        values = {"account_sid": "AC" + "1" * 32, "auth_token": "the neighbours"}
        await keep_account(other, self.other, Account("desk", "twilio", (), values))

    async def _put(
        self, store: Store, project: str, name: str, resource: dict[str, Any], number: int
    ) -> None:
        type_ = str(resource["resourceType"])
        id_ = NAMES[name].partition("/")[2] if name else uuid(7500)
        version, at = uuid(1000 + number), NOON - 10**6 + number
        stamped, body = stamp(resource, id_, version, at)
        content = b"the neighbours" if type_ == "Binary" else None
        write = Write(type_, id_, version, at, stamped, body, None, "", content)
        await store.commit(project, ChangeSet((write,)))
