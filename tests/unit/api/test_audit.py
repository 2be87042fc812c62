"""Every request to the API is recorded: who, what, about whom, and what came of it."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import TYPE_CHECKING, Any

import pytest

from threadwell.access.memberships import Grant, Membership, keep_policy
from threadwell.access.witnessed import Witnessed
from threadwell.api.clients import give, set_policy
from threadwell.audit.audited import Audited
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Line
from threadwell.audit.spool import NoPen
from threadwell.audit.trail import Trail
from threadwell.stores.contract import DEFAULT_PROJECT, Reading, Store, StoreFull

if TYPE_CHECKING:
    from tests.unit.api.conftest import Api

WORDS = "Zanzibar marmalade"


class Recorded:
    """A server, and what is in its trail."""

    def __init__(self, new_api: type[Api], store: Store) -> None:
        self.trail = Trail(store)
        self.api = new_api(store=store, trail=self.trail)
        self.taken = 0
        self.a = self.api.make("Patient", id="a", name=[{"family": "Aal"}])["id"]
        self.b = self.api.make("Patient", name=[{"family": "Boll"}])["id"]
        self.m = self.api.make(
            "Communication",
            status="completed",
            subject={"reference": f"Patient/{self.a}"},
            payload=[{"contentString": WORDS}],
        )["id"]
        self.new()

    def lines(self) -> list[Line]:
        async def all_() -> list[Line]:
            return [line async for line in find(self.trail, DEFAULT_PROJECT, Wanted())]

        return self.api.run(all_())[::-1]

    def new(self) -> list[Line]:
        """The lines that are new since it was asked last."""
        lines = self.lines()
        new = [line for line in lines if line.n >= self.taken]
        self.taken = len(lines)
        return new

    def told(self) -> list[tuple[Any, ...]]:
        """Of each: the act, the status, what was touched and how, and the patients."""
        return [
            (
                line.record.act,
                line.record.status,
                sorted(f"{t.how} {t.type}/{t.id}" for t in line.record.touched),
                sorted(line.patients),
            )
            for line in self.new()
        ]


@pytest.fixture
def recorded(new_api: type[Api], store: Store) -> Recorded:
    return Recorded(new_api, store)


def test_each_interaction_is_recorded(recorded: Recorded) -> None:
    api, a, b, m = recorded.api, recorded.a, recorded.b, recorded.m
    both = sorted([a, b])
    message = f"R Communication/{m}"
    patients = sorted([f"R Patient/{a}", f"R Patient/{b}"])

    def is_told(expected: tuple[Any, ...], method: str, path: str, *of: Any, **more: Any) -> None:
        api.call(method, path, *of, **more)
        assert recorded.told() == [expected], (method, path)

    is_told(("read", 200, [message], [a]), "GET", f"Communication/{m}")
    is_told(("read", 200, [message], [a]), "HEAD", f"Communication/{m}")
    is_told(("read", 404, [], []), "GET", "Patient/nobody")
    is_told(("search", 200, patients, both), "GET", "Patient?_sort=name")
    is_told(
        ("search", 200, sorted([message, f"R Patient/{a}"]), [a]),
        *("GET", "Communication?_include=Communication:subject"),
    )
    is_told(("search", 200, [], []), "GET", "Patient?_summary=count")
    is_told(("search", 400, [], []), "GET", "Patient?nothing=1")
    is_told(("history", 200, [message], [a]), "GET", f"Communication/{m}/_history")
    is_told(("history", 200, [message], [a]), "GET", "Communication/_history")
    everything = sorted([message, *patients])
    is_told(("history", 200, everything, both), "GET", "_history?_count=10")
    is_told(("search", 200, [message], [a]), "GET", f"Patient/{a}/Communication")
    kept = {"resourceType": "Patient", "id": b, "name": [{"family": "Bollo"}]}
    is_told(("update", 200, [f"U Patient/{b}"], [b]), "PUT", f"Patient/{b}", kept)
    is_told(("update", 200, [f"R Patient/{b}"], [b]), "PUT", f"Patient/{b}", kept)
    is_told(
        ("create", 200, [f"R Patient/{b}"], [b]),
        *("POST", "Patient", {"resourceType": "Patient"}),
        if_none_exist="family=Bollo",
    )
    is_told(("create", 400, [], []), "POST", "Patient", {"resourceType": "Group"})
    is_told(("access", 401, [], []), "GET", f"Patient/{a}", authorization="Basic eDp5")


@pytest.mark.parametrize("witness", [Audited, Witnessed])
def test_every_way_to_what_is_stored_is_witnessed(witness: type) -> None:
    """A method of ``Reading`` that gives versions is told to the witness: make one there."""
    giving = {
        name
        for name, method in vars(Reading).items()
        if callable(method)
        and any(
            word in str(method.__annotations__.get("return"))
            for word in ("Stored", "Page", "Change")
        )
    }
    assert giving == {"read", "read_many", "read_version", "history", "recent", "search"}
    assert giving - vars(witness).keys() == set()


def test_what_belongs_to_nobody_is_not_recorded(recorded: Recorded) -> None:
    for path in ("metadata", "/health/live", "$versions"):
        recorded.api.call("GET", path)
    assert recorded.told() == [("operation", 200, [], [])]


def test_each_entry_of_a_batch_is_recorded_and_a_transaction_as_one(recorded: Recorded) -> None:
    api, a, b = recorded.api, recorded.a, recorded.b
    api.bundle("batch", api.entry("GET", f"Patient/{a}"), api.entry("GET", f"Patient/{b}"))
    assert sorted(recorded.told()) == sorted(
        [("read", 200, [f"R Patient/{one}"], [one]) for one in (a, b)]
    )
    made = api.bundle(
        "transaction",
        api.entry("POST", "Patient", {"resourceType": "Patient"}),
        api.entry("DELETE", f"Patient/{b}"),
    ).json()
    new = made["entry"][0]["response"]["location"].partition("Patient/")[2].partition("/")[0]
    assert recorded.told() == [
        ("transaction", 200, [f"C Patient/{new}", f"D Patient/{b}"], sorted([new, b]))
    ]


def test_who_and_from_where(recorded: Recorded) -> None:
    api = recorded.api
    api.call(
        *("GET", f"Patient/{recorded.a}"),
        x_request_id="r-1",
        x_forwarded_for="203.0.113.9",
    )
    (line,) = recorded.new()
    record, by = line.record, line.record.by
    assert record.request == "r-1"
    assert (by.client, by.who) == (
        api.client.client_id,
        f"ClientApplication/{api.client.client_id}",
    )
    assert (by.way, by.address, by.through) == ("api", "203.0.113.9", "127.0.0.1")


def test_with_a_policy_only_what_was_shown_is_recorded_as_seen(recorded: Recorded) -> None:
    api, a = recorded.api, recorded.a
    policy = {
        "resourceType": "AccessPolicy",
        "name": "one",
        "resource": [{"resourceType": "Patient", "criteria": "Patient?family=Aal"}],
    }
    store = recorded.trail.whole
    kept = api.run(set_policy(store, DEFAULT_PROJECT, policy))
    who = f"ClientApplication/{api.client.client_id}"
    member = Membership(who, "Practitioner/9", (Grant(kept["id"]),))
    api.run(give(store, DEFAULT_PROJECT, member))
    api.clock.now += 1000
    api.call("GET", "Patient")
    api.call("GET", f"Patient/{recorded.b}")
    api.call("GET", f"Communication/{recorded.m}")
    assert recorded.told() == [
        ("search", 200, [f"R Patient/{a}"], [a]),
        ("read", 404, [], []),
        ("read", 403, [], []),
    ]
    assert {line.record.by.who for line in recorded.lines()[-3:]} == {"Practitioner/9"}


def test_no_words_of_messages_are_in_the_trail_nor_in_the_log(recorded: Recorded) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        recorded.api.call("GET", "Communication")
        recorded.api.call("GET", "Patient?name=Quincunx")
        recorded.api.call("GET", "Patient?nonsense=Quincunx")
    finally:
        logging.getLogger().removeHandler(handler)
    private = recorded.trail.whole
    lines = recorded.lines()
    assert not any(word in repr(lines) for word in WORDS.split())
    assert "Quincunx" in repr(lines)
    assert "Quincunx" not in stream.getvalue()
    assert private is not None


def test_what_cannot_be_recorded_is_not_shown(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFull("what is seen cannot be recorded: no space left")

    pen = NoPen()
    monkeypatch.setattr(pen, "keep", full)
    monkeypatch.setattr(recorded.trail, "pen", lambda _: pen)
    answer = recorded.api.call("GET", f"Communication/{recorded.m}")
    assert answer.status_code in (503, 507)
    assert WORDS not in answer.text


def test_a_flood_of_strangers_is_told_in_short(recorded: Recorded) -> None:
    async def flood() -> None:
        send = recorded.api.send
        await asyncio.gather(
            *(send("GET", "Patient", authorization="Basic eDp5") for _ in range(90))
        )

    recorded.api.run(flood())
    assert len(recorded.new()) < 90


@pytest.mark.parametrize("limited", [False, True])
def test_what_a_stream_shows_is_recorded(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, limited: bool
) -> None:
    """However much of it comes after the answer has begun."""
    monkeypatch.setattr("threadwell.bulk.tables._AT_ONCE", 1)
    monkeypatch.setattr("threadwell.stores.scanning.PAGE", 1)
    api = recorded.api
    if limited:
        policy = {
            "resourceType": "AccessPolicy",
            "name": "patients",
            "resource": [{"resourceType": "Patient", "criteria": "Patient?name=Boll,Aal"}],
        }
        kept = api.run(keep_policy(api.store, DEFAULT_PROJECT, policy))
        who = f"ClientApplication/{api.client.client_id}"
        member = Membership(who, who, (Grant(kept["id"]),))
        api.run(give(api.store, DEFAULT_PROJECT, member))
        api.clock.now += 10_000
        recorded.new()
    view = {
        "resourceType": "ViewDefinition",
        "resource": "Patient",
        "select": [{"column": [{"name": "id", "path": "id"}]}],
    }
    answer = api.call("POST", "$viewdefinition-run?_format=ndjson", view)
    assert answer.text.count("\n") == 2
    told = recorded.told()
    assert {act for act, *_ in told} == {"operation"}
    touched = [one for _, _, each, _ in told for one in each]
    assert sorted(touched) == sorted([f"R Patient/{recorded.a}", f"R Patient/{recorded.b}"])
