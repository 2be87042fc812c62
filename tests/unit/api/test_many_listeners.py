"""What a change costs where many listen: whom it is not for costs no search."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.unit.api.test_subscriptions import (
    MINE,
    OWN,
    Line,
    limit,
    open_line,
    subscription,
    to,
    written_by_others,
)
from threadwell.access.memberships import Grant, Membership
from threadwell.api.clients import add_client
from threadwell.api.line import DIRECT, Direct
from threadwell.api.oauth.access import SHARED
from threadwell.api.oauth.granting import give, set_policy
from threadwell.api.subscriptions.app import PATH
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT
from threadwell.stores.contract import Page
from threadwell.stores.memory import MemoryStore


class Counting(MemoryStore):
    """A store that counts what is searched for, and how often it is asked for a client."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = 0
        self.clients = 0

    async def search(self, project: str, query: Query) -> Page:
        self.searches += 1
        return await super().search(project, query)

    async def get_private(self, kind: str, name: str) -> bytes | None:
        self.clients += kind == "client"
        return await super().get_private(kind, name)


@pytest.mark.parametrize(
    ("criteria", "of_others", "searches"),
    [
        # The policy hides it.
        ("Communication?status=completed", to("dunn"), 0),
        # It is theirs, and not what they ask for.
        ("Communication?status=in-progress", to("bell"), 0),
        ("Communication?status=in-progress&subject:Patient.name=ada", to("bell"), 0),
        # Only a search tells.
        ("Communication?subject:Patient.name=ada", to("bell"), 5),
    ],
)
def test_whom_a_change_is_not_for_costs_no_search(
    new_api: Any, criteria: str, of_others: dict[str, Any], searches: int
) -> None:
    store = Counting()
    api = new_api(store=store)
    limit(api, OWN, MINE)

    async def scene() -> None:
        async with open_line(api) as line:
            await line.bind(criteria)
            await line.bind("Communication?identifier=urn:t|last")
            before = store.searches
            for _ in range(5):
                await written_by_others(api, of_others)
            last = {"identifier": [{"system": "urn:t", "value": "last"}]}
            id_ = await written_by_others(api, {**to("bell"), **last})
            await line.until(lambda: bool(line.events()))
            assert {at for at, _ in line.told()} == {id_}
            # The last one costs one for whom it is, and maybe one for the other.
            assert searches <= store.searches - before - 1 <= searches + 1

    api.run(scene())


def test_who_does_not_see_an_element_is_told_as_by_a_search(new_api: Any) -> None:
    """What is hidden of a version must not decide: their search knows nothing of it."""
    api = new_api()
    limit(api, OWN, {**MINE, "hiddenFields": ["priority"]})

    async def scene() -> None:
        async with open_line(api) as line:
            await line.bind("Communication?status=completed")
            one = await written_by_others(api, {**to("bell"), "priority": "stat"})
            await line.until(lambda: bool(line.events()))
            assert [at for at, _ in line.told()] == [one]
            assert "priority" not in str(line.events())

    api.run(scene())


class AtOnce(Line):
    """A socket that is written to without a task of its own, as the server's are."""

    beats = 0

    async def run(self) -> None:
        extensions = {DIRECT: Direct(lambda: True, self.take)}
        scope = {"type": "websocket", "path": PATH, "headers": [], "extensions": extensions}
        await self.api.app(scope, self.said.get, self.send)

    def take(self, frame: bytes) -> None:
        self.frames.append(json.loads(frame[frame.index(b"{") :]))
        self.beats += self.frames[-1]["entry"][0]["resource"]["type"] == "heartbeat"


@pytest.mark.parametrize("kind", [Line, AtOnce])
def test_who_has_a_token_is_looked_up_once_for_all_of_its_sockets(
    new_api: Any, monkeypatch: pytest.MonkeyPatch, kind: type[Line]
) -> None:
    """Once a second, that is, however many beats there are."""
    monkeypatch.setattr("threadwell.api.subscriptions.pulse.BEAT", 0.05)
    store = Counting()
    api = new_api(store=store)

    async def beats(lines: list[Line]) -> None:
        """Until each of them has had some more."""
        before = [len(one.statuses("heartbeat")) for one in lines]

        def have_beaten() -> bool:
            now = [len(one.statuses("heartbeat")) for one in lines]
            return all(n > b + 5 for n, b in zip(now, before, strict=True))

        await lines[0].until(have_beaten)

    async def scene() -> None:
        async with AsyncExitStack() as open_:
            lines = [await open_.enter_async_context(open_line(api, kind)) for _ in range(5)]
            for one in lines:
                await one.bind("Communication?status=completed")
            before = store.clients
            await beats(lines)
            assert store.clients == before
            api.clock.now += SHARED
            await beats(lines)
            assert store.clients == before + 1
            at_once = [one.beats for one in lines if isinstance(one, AtOnce)]
            assert all(at_once)

    api.run(scene())


def test_what_several_see_alike_is_looked_for_once(new_api: Any) -> None:
    """Whoever they are; and who sees something else is not told what they are."""
    store = Counting()
    api = new_api(store=store)
    alike = {
        "resourceType": "Communication",
        "criteria": "Communication?recipient=Practitioner/bell",
    }
    kept = {
        "alike": [OWN, {**alike, "hiddenFields": ["note"]}],
        "whole": [OWN, alike],
        "mine": [OWN, MINE],
    }
    for name, entries in kept.items():
        policy = {"resourceType": "AccessPolicy", "id": name, "name": name, "resource": entries}
        api.run(set_policy(store, PROJECT, policy))
    callers = []
    for acts_as in ("a", "b", "c", "d", "bell", "dunn"):
        name = {"d": "whole", "bell": "mine", "dunn": "mine"}.get(acts_as, "alike")
        client = api.run(add_client(store, acts_as, admin=False))
        who = f"ClientApplication/{client.client_id}"
        given = Membership(who, f"Practitioner/{acts_as}", (Grant(name),))
        api.run(give(store, PROJECT, given))
        callers.append(api.credentials(client.client_id, client.client_secret))

    async def scene() -> None:
        async with AsyncExitStack() as open_:
            made = await api.send("POST", "Subscription", subscription())
            id_ = made.json()["id"]
            lines = []
            for caller in callers:
                line = await open_.enter_async_context(open_line(api))
                line.tell("bind-with-token", await line.token(id_, authorization=caller))
                await line.until(lambda line=line: line.bound() == [id_])  # type: ignore[misc]
                lines.append(line)
            before = store.searches
            note = {"note": [{"text": "between us"}]}
            await written_by_others(api, {**to("bell"), **note})
            for line in lines[:-1]:
                await line.until(lambda line=line: len(line.told()) == 1)  # type: ignore[misc]
            # For those who do not see the note, and for those who do, whatever their policies say.
            assert store.searches - before == 2
            noted = ["between us" in str(line.events()) for line in lines]
            assert noted == [False, False, False, True, True, False]
            assert lines[-1].told() == []

    api.run(scene())
