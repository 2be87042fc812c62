"""What a policy lets its caller do: each line is one request, and its outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.access.world import NAMES, NOON, RUNNER, WORLD, Counted, World, key
from threadwell.access.fields import without
from threadwell.stores.contract import Store, Stored
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

ONE, SAID, OLD = NAMES["one"], NAMES["one-said"], NAMES["one-old"]
BELL, ADA = {"reference": NAMES["bell"]}, {"reference": NAMES["ada"]}

OPENING = {
    "resourceType": "Parameters",
    "parameter": [{"name": "patient", "valueReference": ADA}],
}


def message(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "preparation",
        "partOf": [{"reference": ONE}],
        "recipient": [ADA],
        **more,
    }


def own(name: str, **more: Any) -> dict[str, Any]:
    return {**WORLD[name], "id": key(name).id, **more}


@pytest.mark.parametrize(
    ("role", "method", "path", "body", "status"),
    [
        ("participant", "POST", "Communication", message(sender=BELL), 201),
        # In another's name, and of no thread of theirs.
        ("participant", "POST", "Communication", message(sender=ADA), 403),
        ("participant", "POST", "Communication", message(), 403),
        ("participant", "POST", "Patient", {"resourceType": "Patient"}, 403),
        ("participant", "POST", "Claim", WORLD["two-claim"], 403),
        # One's own message, and not that of the patient.
        ("participant", "PUT", OLD, own("one-old", status="in-progress"), 200),
        ("participant", "PUT", SAID, own("one-said", status="in-progress"), 403),
        ("participant", "PUT", OLD, own("one-old", sender=ADA), 403),
        ("participant", "DELETE", OLD, None, 403),
        ("participant", "PUT", NAMES["one-todo"], own("one-todo", status="completed"), 200),
        ("participant", "PUT", NAMES["one-todo"], own("one-todo", owner=ADA), 403),
        ("participant", "PUT", NAMES["ada"], own("ada"), 403),
        # To open a session is to make an Encounter, also where one sees the patient.
        ("participant", "POST", "Encounter/$open-session", OPENING, 403),
        ("billing", "GET", "Communication?topic-text:missing=true", None, 400),
        ("billing", "GET", "Communication?_sort=attachment", None, 403),
        ("billing", "GET", "Communication?attachment:missing=false", None, 403),
        ("billing", "GET", "Communication?sender=Patient/1", None, 200),
        ("billing", "POST", "Claim", WORLD["two-claim"], 201),
        ("patient", "GET", "Task", None, 403),
        ("patient", "POST", "Communication", message(sender=ADA, recipient=[BELL]), 201),
        ("proxy", "POST", "Communication", message(sender=ADA), 403),
    ],
)
def test_a_request(role: str, method: str, path: str, body: Any, status: int) -> None:
    world = World(MemoryStore(), role, whole=True)
    answer = world.ask(method, path, body)
    assert answer.status == status, answer.body


def test_what_is_hidden_stays_as_it_is() -> None:
    """Who puts back what they were shown takes nothing away."""
    world = World(MemoryStore(), "desk", whole=True)
    shown = world.ask("GET", NAMES["ada"])
    assert "+15550100" not in shown.body
    body = world.json(shown)
    put = world.ask("PUT", NAMES["ada"], {**body, "gender": "female"})
    assert put.status == 200, put.body
    assert "+15550100" not in put.body
    patch = [{"op": "add", "path": "/active", "value": True}]
    patched = world.ask(
        "PATCH", NAMES["ada"], patch, **{"content-type": "application/json-patch+json"}
    )
    assert patched.status == 200, patched.body
    world.free()
    after = world.json(world.ask("GET", NAMES["ada"]))
    assert after["telecom"] == WORLD["ada"]["telecom"]
    assert (after["gender"], after["active"]) == ("female", True)
    assert "tag" not in after["meta"]
    assert world.ask("GET", "Patient?phone=%2B15550100&_summary=count").body.count('"total":1')


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        (["name.family"], {"name": [{"given": ["Ada"]}], "contact": [{"name": {"family": "B"}}]}),
        (["name.family", "name.given"], {"contact": [{"name": {"family": "B"}}]}),
        (["contact.name.family"], {"name": [{"family": "A", "given": ["Ada"]}, {"family": "C"}]}),
        (
            ["name.nothing", "contact"],
            {"name": [{"family": "A", "given": ["Ada"]}, {"family": "C"}]},
        ),
    ],
)
def test_nothing_empty_is_left_of_what_is_hidden(hidden: list[str], shown: Any) -> None:
    resource = {
        "resourceType": "Patient",
        "name": [{"family": "A", "given": ["Ada"]}, {"family": "C"}],
        "contact": [{"name": {"family": "B"}}],
    }
    stored = Stored("Patient", "1", "1", NOON, False, json.dumps(resource).encode(), "")
    left = json.loads(without(stored, hidden).body)
    assert left == {"resourceType": "Patient", **shown}


def test_no_cache_shows_one_caller_what_another_was_shown() -> None:
    """A version has one ETag for all. Who is shown less of it has no 304 by the ETag of others, and
    leaves nothing that these would go on with.
    """
    world = World(MemoryStore(), "desk", whole=True)
    version = json.loads(world.ask("GET", NAMES["ada"]).body)["meta"]["versionId"]
    has_it = {"if-none-match": f'W/"{version}"'}
    again = world.ask("GET", NAMES["ada"], **has_it)
    assert again.status == 200
    assert any("no-store" in header for header in again.headers)
    assert "+15550100" not in again.body
    world.free()
    assert world.ask("GET", NAMES["ada"], **has_it).status == 304


def test_a_policy_that_is_taken_away_leaves_nothing() -> None:
    world = World(MemoryStore(), "participant", whole=True)
    assert world.ask("GET", ONE).status == 200
    world.strip()
    assert world.ask("GET", ONE).status == 403
    assert world.ask("GET", "Communication").status == 403


def test_who_is_removed_from_a_thread_loses_it_at_once() -> None:
    for role, kept in (("participant", 404), ("participant-keeps-past", 200)):
        world = World(MemoryStore(), role, whole=True)
        assert world.ask("GET", SAID).status == 200
        world.write(ONE, {**WORLD["one"], "recipient": [ADA]})
        assert world.ask("GET", ONE).status == 404
        assert world.ask("GET", SAID).status == kept
        assert world.ask("GET", NAMES["one-session"]).status == 404
        assert world.ask("GET", NAMES["one-file"]).status == kept


def test_what_was_seen_before_is_not_seen_after(tmp_path: Path, postgres_url: str) -> None:
    """What a server remembers of who sees what ends with the next commit, also of another."""
    asked = [
        SAID,
        ONE,
        NAMES["one-session"],
        f"Communication?part-of={ONE}",
        f"Communication?subject={WORLD['one']['subject']['reference']}&_total=accurate",
        f"Encounter?_has:Communication:encounter:part-of:missing=true&_id={key('one-session').id}",
    ]

    def file() -> Store:
        return SqliteStore.open(tmp_path / "x.db")

    def database() -> Store:
        return PostgresStore.open(postgres_url)

    for opened in (MemoryStore, file, database):
        store = opened()
        world = World(store, "participant", whole=True)
        before = [world.ask("GET", path) for path in asked]
        again = [world.ask("GET", path) for path in asked]
        assert [one[:3] for one in again] == [one[:3] for one in before]
        whole = WORLD["one"]
        world.write(ONE, {**whole, "recipient": [ADA]})
        for path, was in zip(asked, before, strict=True):
            now = world.ask("GET", path)
            assert now.status == (200 if "?" in path else 404)
            assert now.body != was.body
            assert SAID not in now.body
        if opened is not MemoryStore:
            another = opened()
            world.store, here = Counted(another), world.store
            world.write(ONE, whole)
            world.store = here
            RUNNER.run(another.close())
        else:
            world.write(ONE, whole)
        assert [world.ask("GET", path).body for path in asked[:1]] == [before[0].body]
        found = [world.ask("GET", path).body for path in asked[3:]]
        assert [SAID in body for body in found[:2]] == [SAID in one.body for one in before[3:5]]
        RUNNER.run(store.close())


def test_a_client_is_told_whom_it_acts_as_and_what_it_may_see() -> None:
    world = World(MemoryStore(), "participant", whole=True)
    told = world.json(world.ask("GET", "/auth/me"))
    assert told["profile"]["name"] == WORLD["bell"]["name"]
    types = {one["resourceType"] for one in told["accessPolicy"]["resource"]}
    assert "Communication" in types
    assert not {"*", "Claim"} & types
    assert told["membership"]["profile"] == {"reference": NAMES["bell"], "display": "limited"}
    world.strip()
    assert world.json(world.ask("GET", "/auth/me"))["accessPolicy"]["resource"] == []
