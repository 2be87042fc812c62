"""Rest-hooks over each store: told in order, each once where they answer, and nothing left out."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from threadwell.app import open_store
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Record
from threadwell.audit.trail import Trail
from threadwell.calls import HttpCaller
from threadwell.calls.call import Call, Called, CallFailed
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT
from threadwell.stores.contract import ChangeSet, Kept, Key, Store, Write
from threadwell.stores.memory import MemoryStore
from threadwell.subscriptions import hooks as hooks_
from threadwell.subscriptions.hook_states import (
    State,
    allow_host,
    note_first_look,
    states,
)
from threadwell.subscriptions.hooks import Hooks

URL = "https://hook.example.org/told"


class Endpoint:
    """Whom hooks call: ``next`` is what comes of the next calls, 200 where nothing is said."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.next: list[int | CallFailed] = []
        #: What calls to a URL that ends so wait for.
        self.slow: asyncio.Event | None = None

    async def call(self, call: Call) -> Called:
        await asyncio.sleep(0)
        if self.slow and call.url.endswith("/slow"):
            await self.slow.wait()
        what = self.next.pop(0) if self.next else 200
        if isinstance(what, CallFailed):
            raise what
        if what == 200:
            self.calls.append(call)
        return Called(what, {}, b"")

    def told(self) -> list[str]:
        return [decode(one.body)["status"] for one in self.calls]


class Listening:
    """An endpoint on a real socket: it answers each POST by 200, and keeps what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                endpoint.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/told"

    def __enter__(self) -> Listening:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Practice:
    """A store, what is written to it, and the hooks that are told."""

    def __init__(self, store: Store, loop: asyncio.Runner) -> None:
        self.store = store
        self.loop = loop
        self.now = 1_710_072_000_000
        self.endpoint = Endpoint()
        self.hooks = self.anew()

    def anew(self) -> Hooks:
        """Hooks as another process would have them."""
        self.hooks = Hooks(self.store, PROJECT, self.endpoint, clock=lambda: self.now, glance=0)
        return self.hooks

    def run(self, work: Any) -> Any:
        return self.loop.run(work)

    def round(self) -> float | None:
        return self.run(self.hooks.round())

    def write(self, resource: Resource, id_: str = "") -> str:
        return self.run(self._write(resource["resourceType"], resource, id_))

    def delete(self, type_: str, id_: str) -> None:
        self.run(self._write(type_, None, id_))

    async def _write(self, type_: str, resource: Resource | None, id_: str) -> str:
        before = await self.store.read(PROJECT, type_, id_) if id_ else None
        version, id_ = new_id(self.now), id_ or new_id(self.now)
        stamped, body = stamp(resource, id_, version, self.now) if resource else (None, b"")
        write = Write(type_, id_, version, self.now, stamped, body, before)
        await self.store.commit(PROJECT, ChangeSet((write,)))
        return id_

    def hook(self, criteria: str = "Communication", id_: str = "", **more: Any) -> str:
        return self.write(subscription(criteria, **more), id_)

    def message(self, status: str = "completed", id_: str = "") -> str:
        return self.write({"resourceType": "Communication", "status": status}, id_)

    def shown(self, id_: str) -> Resource:
        return decode(self.run(self.store.read(PROJECT, "Subscription", id_)).body)

    def state(self, id_: str) -> State:
        return self.run(states(self.store, PROJECT))[id_]


def subscription(criteria: str, **more: Any) -> Resource:
    channel = {"type": "rest-hook", "endpoint": URL, "payload": "application/fhir+json"}
    given = more.pop("channel", {})
    return {
        "resourceType": "Subscription",
        "status": "active",
        "reason": "To hear",
        "criteria": criteria,
        "channel": {**channel, **given},
        **more,
    }


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def practice(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Practice]:
    url = str(tmp_path / "x.db")
    if request.param == "postgres":
        url = str(request.getfixturevalue("empty_postgres_url"))
    with asyncio.Runner() as loop:
        store: Store = MemoryStore() if request.param == "memory" else open_store(url)
        yield Practice(store, loop)
        loop.run(store.close())


def test_what_came_since_it_was_made_is_told_in_order(practice: Practice) -> None:
    practice.message("unknown")
    practice.round()
    practice.message("stopped")
    id_ = practice.hook()
    first = practice.message("completed")
    practice.write({"resourceType": "Patient"})
    practice.round()
    practice.message("in-progress", first)
    practice.message("not-done")
    practice.round()
    practice.round()
    assert practice.endpoint.told() == ["completed", "in-progress", "not-done"]
    call = practice.endpoint.calls[0]
    assert (call.method, call.url) == ("POST", URL)
    assert call.headers["Content-Type"] == "application/fhir+json"
    assert call.headers["X-Medplum-Subscription"] == id_


def test_what_is_told_is_recorded_before_the_call(practice: Practice) -> None:
    trail = Trail(practice.store)
    practice.round()
    id_ = practice.hook("Communication?status=completed")
    bare = practice.hook("Communication?status=completed", channel={"payload": ""})
    practice.endpoint.next = [500]
    practice.message("unknown")
    one = practice.message("completed")
    practice.round()

    async def told() -> list[Record]:
        return [at.record async for at in find(trail, PROJECT, Wanted(act="notify"))]

    (record,) = practice.run(told())
    assert (record.act, record.by.way, record.asked) == (
        "notify hook",
        "hook",
        f"Subscription/{id_}",
    )
    assert [(t.type, t.id) for t in record.touched] == [("Communication", one)]
    # Whom nothing is told of a resource but that there is news.
    assert bare not in record.asked


def test_one_that_was_there_before_any_look_is_told_from_then_on(practice: Practice) -> None:
    practice.hook()
    practice.message("stopped")
    practice.round()
    practice.message("completed")
    practice.round()
    assert practice.endpoint.told() == ["completed"]


def test_what_comes_after_a_server_has_started_is_told_however_late_the_look(
    practice: Practice,
) -> None:
    practice.message("unknown")
    practice.run(note_first_look(practice.store, PROJECT))
    practice.message("stopped")
    practice.hook()
    practice.message("completed")
    practice.run(note_first_look(practice.store, PROJECT))
    practice.round()
    assert practice.endpoint.told() == ["completed"]


def test_only_what_its_criteria_find(practice: Practice) -> None:
    practice.round()
    practice.hook("Communication?status=not-done")
    practice.hook("Communication?subject:Patient.active=true", channel={"payload": ""})
    mia = practice.write({"resourceType": "Patient", "active": True})
    practice.message("completed")
    practice.message("not-done")
    about = {"subject": {"reference": f"Patient/{mia}"}, "status": "unknown"}
    practice.write({"resourceType": "Communication", **about})
    practice.round()
    bodies = [call.body for call in practice.endpoint.calls]
    assert [decode(body)["status"] for body in bodies if body] == ["not-done"]
    assert bodies.count(b"") == 1


def test_a_deletion_is_told(practice: Practice) -> None:
    practice.round()
    practice.hook()
    id_ = practice.message()
    practice.delete("Communication", id_)
    practice.round()
    _, call = practice.endpoint.calls
    assert call.headers["X-Medplum-Deleted-Resource"] == f"Communication/{id_}"
    assert call.body == b"{}"


def test_headers_go_along_and_the_body_is_signed(practice: Practice) -> None:
    practice.round()
    url = "https://www.medplum.com/fhir/StructureDefinition/subscription-secret"
    practice.hook(
        channel={"header": ["Authorization: Bearer abc", "X-Team:  night "]},
        extension=[{"url": url, "valueString": "s3cret"}],
    )
    practice.message()
    practice.round()
    [call] = practice.endpoint.calls
    assert call.headers["Authorization"] == "Bearer abc"
    assert call.headers["X-Team"] == "night"
    signed = hmac.digest(b"s3cret", call.body, hashlib.sha256).hex()
    assert call.headers["X-Signature"] == signed
    assert "abc" not in repr(call)


@pytest.mark.parametrize(
    "failure", [500, 404, 302, CallFailed("hook.example.org does not answer", again=True)]
)
def test_what_is_not_taken_is_tried_again_and_holds_nobody_else_up(
    practice: Practice, failure: int | CallFailed
) -> None:
    practice.round()
    slow = practice.hook("Communication?status=completed")
    practice.message("completed")
    practice.endpoint.next = [failure]
    assert practice.round() == 1
    assert practice.endpoint.told() == []
    practice.hook("Communication?status=not-done")
    practice.message("not-done")
    practice.round()
    assert practice.endpoint.told() == ["not-done"]
    assert practice.state(slow).tries == 1
    practice.now += 1000
    practice.endpoint.next = [failure]
    assert practice.round() == 5
    # Another process goes on where this one was.
    practice.anew()
    practice.now += 5000
    assert practice.round() is None
    assert practice.endpoint.told() == ["not-done", "completed"]
    assert practice.state(slow).tries == 0


def test_one_that_is_never_reached_is_given_up_and_goes_on_when_it_is_active_again(
    practice: Practice,
) -> None:
    practice.round()
    id_ = practice.hook()
    practice.message("completed")
    for _ in range(200):
        practice.endpoint.next = [503]
        pause = practice.round()
        if pause is None:
            break
        practice.now += int(pause * 1000)
    shown = practice.shown(id_)
    assert shown["status"] == "error"
    assert shown["error"].endswith("it answers 503")
    assert practice.now - 1_710_072_000_000 >= hooks_.PATIENCE * 1000
    practice.endpoint.next = []
    practice.message("not-done")
    practice.round()
    assert practice.endpoint.told() == []
    practice.hook(id_=id_)
    practice.round()
    assert practice.endpoint.told() == ["completed", "not-done"]


def test_one_that_is_gone_is_given_up_at_once(practice: Practice) -> None:
    practice.round()
    id_ = practice.hook()
    practice.message()
    practice.endpoint.next = [410]
    assert practice.round() is None
    assert practice.shown(id_)["status"] == "error"


def test_a_round_that_is_broken_off_tells_once_more_and_leaves_nothing_out(
    practice: Practice,
) -> None:
    practice.round()
    practice.hook()
    for status in ("completed", "not-done", "stopped"):
        practice.message(status)

    async def broken_off() -> None:
        task = asyncio.create_task(practice.hooks.round())
        while len(practice.endpoint.calls) < 2:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    practice.run(broken_off())
    practice.anew()
    practice.round()
    told = practice.endpoint.told()
    assert list(dict.fromkeys(told)) == ["completed", "not-done", "stopped"]
    assert told == sorted(told, key=["completed", "not-done", "stopped"].index)


def test_a_process_that_has_lost_the_duty_keeps_nothing(practice: Practice) -> None:
    lost = Kept("lease", "subscriptions", b"mine", before=b"mine")
    practice.round()
    practice.hook()
    practice.message()
    hooks = Hooks(
        practice.store,
        PROJECT,
        practice.endpoint,
        still_held=lambda: (lost,),
        clock=lambda: practice.now,
    )
    with pytest.raises(Exception, match="has changed") as raised:
        practice.run(hooks.round())
    assert raised.value.key == Key("lease", "subscriptions")


def test_no_private_address_is_called_unless_it_is_allowed(practice: Practice) -> None:
    practice.round()
    with Listening() as listening:
        caller = HttpCaller()
        hooks = Hooks(practice.store, PROJECT, caller, clock=lambda: practice.now)
        id_ = practice.hook(channel={"endpoint": listening.url})
        practice.message()
        practice.run(hooks.round())
        assert listening.bodies == []
        host = listening.host.partition(":")[0]
        assert f"(--allow-host {host})" in practice.state(id_).why
        # Another host changes nothing for it; its own has it called at once, with no pause.
        practice.run(allow_host(practice.store, PROJECT, "other.example"))
        practice.run(hooks.round())
        assert practice.state(id_).tries == 1
        practice.run(allow_host(practice.store, PROJECT, listening.host))
        practice.run(hooks.round())
        assert [decode(body)["status"] for body in listening.bodies] == ["completed"]
        caller.close()


def test_one_of_somebody_who_has_a_policy_by_now_is_given_up(practice: Practice) -> None:
    practice.round()
    id_ = practice.hook()

    async def everybody(who: str) -> str:
        return f"{who} is barred"

    async def by_somebody() -> None:
        stored = await practice.store.read(PROJECT, "Subscription", id_)
        assert stored is not None
        version = new_id(practice.now)
        resource, body = stamp(decode(stored.body), id_, version, practice.now)
        write = Write(
            "Subscription", id_, version, practice.now, resource, body, stored, "Practitioner/1"
        )
        await practice.store.commit(PROJECT, ChangeSet((write,)))

    practice.run(by_somebody())
    practice.message()
    hooks = Hooks(
        practice.store, PROJECT, practice.endpoint, barred=everybody, clock=lambda: practice.now
    )
    practice.run(hooks.round())
    assert practice.shown(id_)["error"].endswith("Practitioner/1 is barred")
    assert practice.endpoint.calls == []


def test_a_slow_hook_holds_nobody_up_and_ends_where_it_is_turned_off(practice: Practice) -> None:
    """Its calls go on from one round to the next; each asks whether it is still wanted."""
    practice.round()
    slow = practice.hook("Communication?status=completed", channel={"endpoint": f"{URL}/slow"})
    practice.hook("Communication?status=not-done")
    practice.endpoint.slow = asyncio.Event()
    for status in ("completed", "completed", "not-done"):
        practice.message(status)

    async def scene() -> None:
        going_on = asyncio.create_task(practice.hooks.round())
        async with asyncio.timeout(60):
            while not practice.endpoint.calls:
                await asyncio.sleep(0.01)
        assert practice.endpoint.told() == ["not-done"]
        await practice._write("Subscription", subscription("Communication", status="off"), slow)
        assert practice.endpoint.slow is not None
        practice.endpoint.slow.set()
        await going_on

    practice.run(scene())
    assert practice.endpoint.told() == ["not-done", "completed"]


def test_one_that_cannot_be_called_waits_alone(practice: Practice) -> None:
    practice.round()
    odd = practice.hook("Communication", channel={"header": ["X-A: \u4e2d"]})
    practice.hook("Communication", channel={"endpoint": f"{URL}/other"})
    practice.message()
    caller = HttpCaller()

    class Both:
        async def call(self, call: Call) -> Called:
            if call.url == URL:
                return await caller.call(call)
            return await practice.endpoint.call(call)

    hooks = Hooks(practice.store, PROJECT, Both(), clock=lambda: practice.now)
    practice.run(allow_host(practice.store, PROJECT, "hook.example.org"))
    practice.run(hooks.round())
    assert practice.endpoint.told() == ["completed"]
    assert practice.state(odd).tries == 1
    caller.close()


def test_where_there_is_no_hook_nobody_looks_at_each_commit(practice: Practice) -> None:
    hooks = Hooks(practice.store, PROJECT, practice.endpoint, clock=lambda: practice.now)
    assert practice.run(hooks.round()) is None
    practice.hook()
    practice.message()
    pause = practice.run(hooks.round())
    assert 0 < pause <= hooks_.GLANCE
    assert practice.endpoint.told() == []
    practice.round()
    assert practice.endpoint.told() == ["completed"]
