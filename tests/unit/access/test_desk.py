"""Nobody can tell by the pages what is hidden from them: two worlds show alike."""

from __future__ import annotations

import asyncio
import os
import re
from typing import Any

import pytest
from starlette.routing import Route

from tests.unit.access.desk_attacks import EXTRA_IDS, OTHERS, asked
from tests.unit.access.desk_world import Desk
from tests.unit.access.test_attacks import stores
from tests.unit.access.world import NAMES, ROLES, RUNNER, URL, WORLD, key
from threadwell.access.memberships import Membership, keep_membership, remove_membership
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore

__all__ = ["stores"]

IS_CAMPAIGN = os.environ.get("THREADWELL_EXAMPLES") == "campaign"
#: One request of so many is made in memory, and on a store with SQL; a campaign makes all.
PARTS = (1, 1) if IS_CAMPAIGN else (40, 300)


#: The roles of people; of the others apps ask, which have no pages.
PEOPLE = [name for name, one in ROLES.items() if not one.scopes]


@pytest.mark.parametrize("role", PEOPLE)
def test_the_worlds_show_alike(stores: tuple[Store, Store], role: str) -> None:
    one = Desk(stores[0], role, whole=True)
    other = Desk(stores[1], role, whole=False)
    part = PARTS[not isinstance(stores[0], MemoryStore)]
    made = list(asked(ROLES[role].hidden))
    # Which of them, that differs from role to role.
    chosen = made[PEOPLE.index(role) % part :: part]
    apart = []
    for ask in chosen:
        here = one.ask(ask.method, ask.path, ask.form)
        there = other.ask(ask.method, ask.path, ask.form)
        if here != there:
            apart.append((ask, here, there))
        assert here.status < 500, (ask, here)
    told = "\n".join(f"{ask}\n  {here}\n  {there}" for ask, here, there in apart[:3])
    assert not apart, f"{len(apart)} of {len(chosen)}\n{told}"


def test_every_route_is_asked() -> None:
    """A page that is new fails here: give it its cases in ``desk_attacks``."""
    desk = Desk(MemoryStore(), "participant", whole=True)
    there = {
        (method, route.path)
        for route in desk.pages.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD" and route.path not in OTHERS
    }
    made = {(ask.method, ask.route) for ask in asked(ROLES["participant"].hidden)}
    assert there == made


def test_the_worlds_are_not_the_same() -> None:
    """Whoever may see everything tells them apart at once: the test above can fail."""
    desks = [Desk(MemoryStore(), "participant", whole=whole) for whole in (True, False)]
    for desk in desks:
        RUNNER.run(remove_membership(desk.store, DEFAULT_PROJECT, desk.who))
    two, said = key("two").id, key("two-said").id
    session = f"/sessions/{key('two-session').id}"
    for path in (
        *("/", session, f"/attachments/{key('two-file').id}", "/reviews", "/quarantine"),
        *(f"/reviews/{EXTRA_IDS['question']}", f"/quarantine/{EXTRA_IDS['held']}"),
        *(f"{session}/messages/{said}", f"{session}/threads/{two}"),
    ):
        assert desks[0].ask("GET", path) != desks[1].ask("GET", path), path


@pytest.mark.parametrize("role", ["participant", "participant-keeps-past", "care-team"])
def test_what_is_theirs_is_shown(role: str) -> None:
    """Pages that hid everything would pass the first test."""
    desk = Desk(MemoryStore(), role, whole=True)
    session = key("one-session").id
    listed = re.findall(r'href="/sessions/([0-9a-f-]+)', desk.ask("GET", "/").body)
    assert set(listed) == {session}
    page = desk.ask("GET", f"/sessions/{session}")
    assert page.status == 200
    assert "Hello" in page.body
    of_one = f"/sessions/{session}/messages/{key('one-old').id}"
    assert desk.ask("GET", of_one).status == 200
    assert desk.ask("GET", f"/attachments/{key('one-file').id}").body == "bytes of one-file"
    assert desk.ask("GET", f"/patients/{key('ada').id}").status == 200
    found = desk.ask("POST", "/find", {"name": "Hello", "in": "messages"})
    assert found.status == 303


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (f"/sessions/{key('one-session').id}", {"act": "close"}),
        (f"/sessions/{key('one-session').id}/threads/{key('one').id}", {"act": "close"}),
        (f"/patients/{key('ada').id}", {"why": "x"}),
        (f"/sessions/{key('one-session').id}/messages/{key('one-said').id}", {"act": "retract"}),
        (
            f"/sessions/{key('one-session').id}/about",
            {"act": "all", "patient": key("ada").id},
        ),
    ],
)
def test_what_is_not_theirs_to_change_stays(path: str, form: dict[str, str]) -> None:
    """As over the API, whose view of the store is the same."""
    desk = Desk(MemoryStore(), "participant", whole=True)
    before = RUNNER.run(desk.store.position(DEFAULT_PROJECT))
    told = desk.ask("POST", path, form)
    assert told.status == 403, told.body
    assert "not yours to do" in told.body
    assert RUNNER.run(desk.store.position(DEFAULT_PROJECT)) == before


def test_who_has_no_policy_left_sees_nothing() -> None:
    desk = Desk(MemoryStore(), "participant", whole=True)
    RUNNER.run(keep_membership(desk.store, DEFAULT_PROJECT, Membership(desk.who, desk.who, ())))
    assert desk.ask("GET", f"/sessions/{key('one-session').id}").status == 404
    assert "/sessions/" not in desk.ask("GET", "/").body


def test_who_is_taken_out_of_a_thread_loses_it_at_once() -> None:
    desk = Desk(MemoryStore(), "participant", whole=True)
    session = f"/sessions/{key('one-session').id}"
    assert desk.ask("GET", session).status == 200
    alone = {**WORLD["one"], "recipient": [{"reference": NAMES["ada"]}]}
    desk.world.write(NAMES["one"], alone)
    assert desk.ask("GET", session).status == 404


def test_the_news_are_of_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(MemoryStore(), "participant", whole=True)
    hidden = (NAMES["two"], NAMES["two-session"], f"Task/{EXTRA_IDS['waits']}")
    heard = RUNNER.run(_heard(desk, [*hidden, NAMES["one-session"]]))
    told = re.findall(r"data: (.+)", heard)
    assert told == [NAMES["one-session"]]


async def _heard(desk: Desk, names: list[str]) -> str:
    """What a browser hears while those resources change, one after the other."""
    parts: list[str] = []
    begun, enough = asyncio.Event(), asyncio.Event()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/news",
        "query_string": b"",
        "headers": [
            (b"cookie", "; ".join(f"{n}={v}" for n, v in desk.client.cookies.items()).encode()),
            (b"host", URL.removeprefix("http://").encode()),
        ],
    }

    async def receive() -> dict[str, Any]:
        await enough.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        parts.append(message.get("body", b"").decode())
        begun.set()
        if f"data: {names[-1]}" in parts[-1]:
            enough.set()

    listening = asyncio.create_task(desk.pages(scope, receive, send))
    await begun.wait()
    for name in names:
        type_, _, id_ = name.partition("/")
        before = await desk.store.read(DEFAULT_PROJECT, type_, id_)
        await desk.world.change(before)
        await asyncio.sleep(0.03)
    async with asyncio.timeout(60):
        await enough.wait()
        await listening
    return "".join(parts)
