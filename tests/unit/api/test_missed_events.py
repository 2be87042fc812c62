"""What was missed is told later, over each store: asked of the Subscription, or as it is bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from tests.unit.api.test_subscriptions import (
    MINE,
    OWN,
    PATCH,
    Line,
    limit,
    open_line,
    subscription,
    to,
    write,
    written_by_others,
)
from threadwell.access.memberships import Grant, Membership
from threadwell.api.oauth.granting import give, set_policy
from threadwell.api.subscriptions import replaying
from threadwell.audit.finding import Wanted, find
from threadwell.audit.trail import Trail
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT
from threadwell.stores.contract import Change
from threadwell.stores.memory import MemoryStore

CRITERIA = "Communication?status=completed"


async def made(api: Any, criteria: str = CRITERIA) -> str:
    answer = await api.send("POST", "Subscription", subscription(criteria=criteria))
    return str(answer.json()["id"])


async def asked(api: Any, id_: str, query: str = "", status: int = 200) -> dict[str, Any]:
    answer = await api.send("GET", f"Subscription/{id_}/$events{query}")
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def named(bundle: dict[str, Any]) -> list[tuple[str, str]]:
    """Number and name of each event that a status tells."""
    events = bundle["entry"][0]["resource"].get("notificationEvent", [])
    return [(one["eventNumber"], one["focus"]["reference"]) for one in events]


def shown(bundle: dict[str, Any]) -> list[str]:
    return [one["resource"]["id"] for one in bundle["entry"][1:]]


def reached(status: dict[str, Any]) -> str:
    return str(status["eventsSinceSubscriptionStart"])


async def again(api: Any, line: Line, id_: str, since: str) -> None:
    """Bind a Subscription once more, from a number on."""
    payload = {"token": await line.token(id_), "eventsSinceNumber": since}
    line.say({"type": "bind-with-token", "payload": payload})


def test_events_are_those_that_the_socket_has_told(api) -> None:
    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind(CRITERIA)
            begun = reached(line.statuses("handshake")[0])
            one = await write(api)
            await write(api, "in-progress")
            two = await write(api)
            change = [{"op": "add", "path": "/note", "value": [{"text": "seen"}]}]
            await api.send("PATCH", f"Communication/{one}", change, content_type=PATCH)
            await api.send("DELETE", f"Communication/{two}")
            await line.until(lambda: len(line.events()) == 4)
            told = list(zip(line.numbers(), [id_ for id_, _ in line.told()], strict=True))
        assert [id_ for _, id_ in told] == [one, two, one, two]
        found = await asked(api, id_, f"?eventsSinceNumber={begun}")
        status = found["entry"][0]["resource"]
        assert (found["type"], status["type"], status["status"]) == (
            "history",
            "query-event",
            "active",
        )
        assert named(found) == [(number, f"Communication/{id_}") for number, id_ in told]
        assert shown(found) == [id_ for _, id_ in told]
        # Each is as it was then.
        assert ["note" in entry["resource"] for entry in found["entry"][1:]] == [0, 0, 1, 0]
        assert [entry["request"]["method"] for entry in found["entry"][1:]] == [
            *("PUT", "PUT", "PUT", "DELETE")
        ]
        # From one on, and up to one.
        part = await asked(
            api, id_, f"?eventsSinceNumber={told[1][0]}&eventsUntilNumber={told[2][0]}"
        )
        assert shown(part) == [two, one]
        bare = await asked(api, id_, f"?eventsSinceNumber={told[3][0]}&content=id-only")
        assert (named(bare), len(bare["entry"])) == ([(told[3][0], f"Communication/{two}")], 1)
        # What comes next is asked for by the number after the last.
        at = reached(status)
        assert shown(await asked(api, id_, f"?eventsSinceNumber={int(at) + 1}")) == []
        three = await write(api)
        assert shown(await asked(api, id_, f"?eventsSinceNumber={int(at) + 1}")) == [three]

    api.run(scene())


def test_many_events_come_in_parts(api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_LOOKED", 30)

    async def scene() -> None:
        id_ = await made(api)
        ids = []
        for _ in range(7):
            ids.append(await write(api))
            await write(api, "in-progress")
        got: list[str] = []
        query = "?eventsSinceNumber=1"
        parts = 0
        while query:
            found = await asked(api, id_, query)
            got += shown(found)
            parts += 1
            links = found.get("link", [])
            assert [one["relation"] for one in links] in ([], ["next"])
            query = f"?{links[0]['url'].partition('?')[2]}" if links else ""
        assert got == ids
        assert parts > 2

    api.run(scene())


@pytest.mark.parametrize("status", ["off", "error"])
def test_whoever_is_given_up_may_ask(api, status: str) -> None:
    async def scene() -> None:
        id_ = await made(api)
        one = await write(api)
        change = [{"op": "replace", "path": "/status", "value": status}]
        await api.send("PATCH", f"Subscription/{id_}", change, content_type=PATCH)
        two = await write(api)
        found = await asked(api, id_)
        assert shown(found) == [one, two]
        assert found["entry"][0]["resource"]["status"] == status

    api.run(scene())


def test_what_is_no_subscription_has_no_events(new_api) -> None:
    api = new_api()
    assert api.call("GET", f"Subscription/{api.never}/$events").status_code == 404
    assert api.call("GET", "Subscription/x/$events", authorization=None).status_code == 401
    assert api.call("GET", f"Task/{api.never}/$events").status_code == 404


def test_what_is_shown_is_recorded(new_api, store) -> None:
    trail = Trail(store)
    api = new_api(store=store, trail=trail)

    async def scene() -> None:
        id_ = await made(api)
        one = await write(api)
        await asked(api, id_)
        found = [at.record async for at in find(trail, PROJECT, Wanted(act="operation"))]
        touched = {(each.type, each.id) for record in found for each in record.touched}
        assert ("Communication", one) in touched

    api.run(scene())


def test_whoever_has_a_policy_is_told_what_they_see_by_now(api) -> None:
    """What became hidden is not told, nor what was taken back; numbers say nothing of others."""
    limit(api, OWN, {**MINE, "hiddenFields": ["note"]})

    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind(CRITERIA)
            begun = reached(line.statuses("handshake")[0])
            one = await written_by_others(api, {**to("bell"), "note": [{"text": "of others"}]})
            await line.until(lambda: len(line.events()) == 1)
            for _ in range(5):
                await written_by_others(api, to("dunn"))
            two = await written_by_others(api, to("bell"))
            await line.until(lambda: len(line.events()) == 2)
            numbers = line.numbers()
        # Between the two were five that are hidden: the numbers do not tell.
        assert all(abs(int(one) - int(begun)) > 1_000_000 for one in numbers)
        found = await asked(api, id_, f"?eventsSinceNumber={begun}")
        assert named(found) == [
            (number, f"Communication/{at}") for number, at in zip(numbers, (one, two), strict=True)
        ]
        assert "of others" not in json.dumps(found)
        # Of a number that others are told nothing comes.
        await asked(api, id_, "?eventsSinceNumber=3", status=400)
        # The first is no longer theirs.
        policy = {
            "resourceType": "AccessPolicy",
            "id": "p",
            "name": "p",
            "resource": [OWN, {**MINE, "criteria": f"Communication?_id={two}"}],
        }
        await set_policy(api.store, PROJECT, policy)
        who = f"ClientApplication/{api.client.client_id}"
        await give(api.store, PROJECT, Membership(who, "Practitioner/bell", (Grant("p"),)))
        api.clock.now += 60_000
        left = await asked(api, id_, f"?eventsSinceNumber={begun}")
        assert shown(left) == [two]
        # Nor are they told of it where they bind anew.
        async with open_line(api) as line:
            await again(api, line, id_, begun)
            await line.until(lambda: len(line.events()) == 1)
            three = await written_by_others(api, to("bell"))
            await line.bind("Communication?status=not-done")
            assert [at for at, _ in line.told()] == [two]
            assert three not in json.dumps(line.frames)

    api.run(scene())


def test_many_that_catch_up_take_turns_with_what_is_new(
    new_api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST", 2)
    api = new_api()

    async def scene() -> None:
        ids = [await made(api) for _ in range(5)]
        wrote = [await write(api) for _ in range(7)]
        async with open_line(api) as line:
            other = await line.bind("Communication?status=not-done")
            line.takes.clear()
            for id_ in ids:
                await again(api, line, id_, "1")
            last = await write(api, "not-done")
            line.takes.set()
            await line.until(lambda: len(line.events()) == 36)
            whose = [one["entry"][0]["resource"]["subscription"] for one in line.events()]
            about = list(zip((one["reference"][13:] for one in whose), line.told(), strict=True))
            for id_ in ids:
                assert [at for of, (at, _) in about if of == id_] == wrote
            at = about.index((other, (last, "not-done")))
            assert at < 30, "it has waited for all of the others"

    api.run(scene())


class Late(MemoryStore):
    """A store that hears of what is committed once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.hears = asyncio.Event()

    async def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        async with aclosing(super().follow(project, after)) as changes:
            async for change in changes:
                await self.hears.wait()
                yield change


def test_one_that_another_process_has_told_more_is_told_nothing_twice(new_api) -> None:
    """It is ahead of the process to which it comes back, which has yet to hear of that."""
    store = Late()
    api = new_api(store=store)

    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await made(api)
            await line.bind("Communication?status=not-done")
            for _ in range(3):
                await write(api)
            last = reached((await asked(api, id_))["entry"][0]["resource"])
            await again(api, line, id_, str(int(last) + 1))
            await line.until(lambda: len(line.bound()) == 2)
            store.hears.set()
            one = await write(api)
            await line.until(lambda: bool(line.events()))
            assert [at for at, _ in line.told()] == [one]
            assert line.outcomes() == []

    api.run(scene())


def test_a_deletion_is_told_however_much_came_after_it(api) -> None:
    async def scene() -> None:
        id_ = await made(api)
        one = await write(api)
        await api.send("DELETE", f"Communication/{one}")
        body = {"resourceType": "Communication", "id": one, "status": "completed"}
        for number in range(55):
            again_ = {**body, "note": [{"text": str(number)}]}
            await api.send("PUT", f"Communication/{one}", again_)
        found = await asked(api, id_)
        methods = [entry["request"]["method"] for entry in found["entry"][1:]]
        assert methods == ["PUT", "DELETE", *["PUT"] * 55]

    api.run(scene())


@pytest.mark.parametrize("hidden", ["criteria", "channel", "status"])
def test_whoever_is_not_shown_what_it_asks_cannot_have_it(new_api, hidden: str) -> None:
    """They are refused in words, on the way to the socket and on it."""
    api = new_api()

    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await made(api)
            token = await line.token(id_)
            entries = [{**OWN, "hiddenFields": [hidden]}, MINE]
            policy = {"resourceType": "AccessPolicy", "id": "p", "name": "p", "resource": entries}
            await set_policy(api.store, PROJECT, policy)
            who = f"ClientApplication/{api.client.client_id}"
            await give(api.store, PROJECT, Membership(who, "Practitioner/bell", (Grant("p"),)))
            api.clock.now += 60_000
            path = f"Subscription/{id_}/$get-ws-binding-token"
            assert (await api.send("GET", path)).status_code == 422
            line.tell("bind-with-token", token)
            await line.until(lambda: line.outcomes() == ["No such Subscription is active"])
            # Its events are asked by its criteria, which is all that has to be shown.
            await asked(api, id_, status=422 if hidden == "criteria" else 200)

    api.run(scene())


def test_whoever_comes_back_is_told_first_what_they_missed(
    api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, and each once, whatever is written meanwhile."""
    monkeypatch.setattr(replaying, "_LOOKED", 30)

    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind(CRITERIA)
            one = await write(api)
            await line.until(lambda: len(line.events()) == 1)
            (last,) = line.numbers()
        missed = [await write(api) for _ in range(12)]
        async with open_line(api) as line:
            await again(api, line, id_, last)
            during = [await write(api) for _ in range(5)]
            await line.until(lambda: len(line.events()) >= 18)
            after = await write(api)
            await line.until(lambda: len(line.events()) >= 19)
            assert [at for at, _ in line.told()] == [one, *missed, *during, after]
            numbers = [int(one) for one in line.numbers()]
            assert numbers == sorted(numbers)
            # A heartbeat tells where it is; so does the next handshake.
            await again(api, line, id_, str(numbers[-1] + 1))
            await line.until(lambda: len(line.statuses("handshake")) == 2)
            assert len(line.events()) == 19
            for since in ("7000", "x", 5):
                payload = {"token": await line.token(id_), "eventsSinceNumber": since}
                line.say({"type": "bind-with-token", "payload": payload})
            await line.until(lambda: len(line.outcomes()) == 3)

    api.run(scene())


def test_one_that_is_turned_off_while_it_catches_up_is_told_no_more(
    new_api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST", 1)
    monkeypatch.setattr(replaying, "_LOOKED", 1)
    api = new_api()

    async def scene() -> None:
        id_ = await made(api)
        for _ in range(6):
            await write(api)
        async with open_line(api) as line:
            line.takes.clear()
            await again(api, line, id_, "1")
            change = [{"op": "replace", "path": "/status", "value": "off"}]
            await api.send("PATCH", f"Subscription/{id_}", change, content_type=PATCH)
            await write(api, "in-progress")
            line.takes.set()
            await line.bind("Communication?status=not-done")
            told = len(line.events())
            assert told < 6
            await write(api)
            last = await write(api, "not-done")
            await line.until(lambda: last in [at for at, _ in line.told()])
            assert len(line.events()) == told + 1

    api.run(scene())
