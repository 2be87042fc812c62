"""The record of who saw what, attacked: nobody switches it off, writes it, or reads it unasked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.access.attacks import FORM, Ask
from tests.unit.access.world import NAMES, World, key
from threadwell.audit.events import events
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Line
from threadwell.audit.trail import Trail
from threadwell.audit.verifying import verify
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore


class Watched(World):
    """A world, and what is in its trail."""

    def __init__(self, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[Trail] = []
        original = Trail.__init__

        def begun(trail: Trail, *of: Any, **more: Any) -> None:
            original(trail, *of, **more)
            made.append(trail)

        monkeypatch.setattr(Trail, "__init__", begun)
        super().__init__(MemoryStore(), role, whole=True)
        (self.trail,) = made

    def lines(self) -> list[Line]:
        async def all_() -> list[Line]:
            return [one async for one in find(self.trail, DEFAULT_PROJECT, Wanted())]

        return self.run(all_())[::-1]


def looks(line: int) -> list[Ask]:
    """Every way to the trail."""
    event = f"AuditEvent/audit.{line}.0"
    asked = "{AuditEventList {id}}"
    named = f'{{AuditEvent(id: "audit.{line}.0") {{id}}}}'
    get = [{"request": {"method": "GET", "url": path}} for path in (event, "AuditEvent")]
    return [
        *(Ask("GET", path) for path in ("AuditEvent", event, f"{event}/_history/1")),
        *(Ask("GET", path) for path in (f"{event}/_history", "AuditEvent/_history")),
        Ask("GET", f"{NAMES['ada']}/AuditEvent"),
        Ask("GET", "?_type=AuditEvent"),
        Ask("GET", "Patient?_revinclude=AuditEvent:patient"),
        Ask("POST", "AuditEvent/_search", b"_count=5", FORM),
        *(Ask("POST", "$graphql", {"query": query}) for query in (asked, named)),
        Ask("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": get}),
    ]


@pytest.mark.parametrize("role", ["participant", "patient", "proxy", "billing", "app-of-messages"])
def test_nobody_reads_it_whose_policy_does_not_say_so(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Watched(role, monkeypatch)
    here.ask("GET", NAMES["one"])
    line = here.lines()[-1].n
    for ask in looks(line):
        answer = here.ask(ask.method, ask.path, ask.body, **ask.headers)
        assert f'"id":"audit.{line}' not in answer.body, ask
        assert '"resourceType":"AuditEvent"' not in answer.body, ask


def test_whose_policy_says_so_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    here = Watched("supervisor", monkeypatch)
    here.ask("GET", NAMES["one"])
    line = here.lines()[-1].n
    assert f'"id":"audit.{line}' in here.ask("GET", "AuditEvent").body
    assert here.ask("GET", f"AuditEvent/audit.{line}.1").status == 200


#: What somebody might try to go unseen by.
_UNSEEN = (
    {},
    {"x-threadwell-audit": "off"},
    {"cache-control": "no-store"},
    {"prefer": "return=minimal"},
    {"x-request-id": "\t"},
    {"x-forwarded-for": "garbage"},
    {"dnt": "1"},
    {"x-medplum": "extended"},
    {"x-threadwell-break-glass": "why"},
)


def test_no_request_goes_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Watched("participant", monkeypatch)
    id_ = key("one").id
    paths = (
        NAMES["one"],
        f"{NAMES['one']}?_audit=false",
        f"Communication?_id={id_}&_elements=id",
        f"Communication?_id={id_}&_summary=text",
        f"{NAMES['one']}/_history",
        NAMES["two"],
    )
    for path in paths:
        for headers in _UNSEEN:
            before = here.lines()[-1].n
            answer = here.ask("GET", path, **headers)
            line = here.lines()[-1]
            assert line.n == before + 1, (path, headers)
            seen = [f"{one.type}/{one.id}" for one in line.record.touched]
            assert (NAMES["one"] in seen) is (answer.status == 200), (path, headers)


@pytest.mark.parametrize("way", ["", "/_history", "/_history/1"])
def test_what_a_policy_hides_was_refused(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Whoever asks is told that there is no such thing; the trail tells what there is."""
    here = Watched("participant", monkeypatch)
    hidden, nowhere = NAMES["two"], "Communication/never-was"
    statuses = [here.ask("GET", f"{name}{way}").status for name in (hidden, nowhere)]
    assert statuses == [404, 404]
    assert here.ask("GET", NAMES["one"]).status == 200

    async def refused() -> list[Line]:
        return [one async for one in find(here.trail, DEFAULT_PROJECT, Wanted(refused=True))]

    (line,) = here.run(refused())
    assert line.record.asked == f"{hidden}{way}"
    assert line.record.touched == ()
    (told,) = events(line)
    assert told["outcomeDesc"] == "HTTP 404, hidden by a policy"
    others = [one for one in here.lines() if one.record.asked == f"{nowhere}{way}"]
    assert [one.record.hidden for one in others] == [False]


def writes(line: int, event: dict[str, Any]) -> list[Ask]:
    """Every way to change what was recorded, and to take it away."""
    name = f"AuditEvent/{event['id']}"
    told = {**event, "outcome": "0", "outcomeDesc": "nothing to see"}
    patch = [{"op": "replace", "path": "/outcomeDesc", "value": "nothing to see"}]
    as_patch = {"content-type": "application/json-patch+json"}
    entries = [
        {"resource": told, "request": {"method": "PUT", "url": name}},
        {"request": {"method": "DELETE", "url": name}},
        {"resource": told, "request": {"method": "PUT", "url": f"AuditEvent?_id={event['id']}"}},
    ]
    changes = [
        ('mutation($res: AuditEventUpdate!) {AuditEventUpdate(id: "%s", res: $res) {id}}', told),
        ('mutation {AuditEventDelete(id: "%s") {id}}', {}),
    ]
    bundles = [
        {"resourceType": "Bundle", "type": kind, "entry": [entry]}
        for kind in ("batch", "transaction")
        for entry in entries
    ]
    return [
        Ask("PUT", name, told),
        Ask("PATCH", name, patch, as_patch),
        Ask("DELETE", name),
        Ask("PUT", f"AuditEvent?_id={event['id']}", told),
        Ask("PATCH", f"AuditEvent?_id={event['id']}", patch, as_patch),
        Ask("DELETE", f"AuditEvent?_id={event['id']}"),
        Ask("DELETE", f"AuditEvent/audit.{line}.99"),
        *(Ask("POST", "", bundle) for bundle in bundles),
        *(
            Ask("POST", "$graphql", {"query": query % event["id"], "variables": {"res": res}})
            for query, res in changes
        ),
    ]


@pytest.mark.parametrize("role", ["system", "supervisor", "participant"])
def test_nobody_writes_it(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even who may write everything else."""
    here = Watched(role, monkeypatch)
    here.ask("GET", NAMES["one"])
    before = here.lines()
    line = before[-1]
    part = 1 if line.patients else 0
    name = f"AuditEvent/audit.{line.n}.{part}"
    event: dict[str, Any] = {"resourceType": "AuditEvent", "id": f"audit.{line.n}.{part}"}
    if role != "participant":
        event = json.loads(here.ask("GET", name).body)
    for ask in writes(line.n, event):
        answer = here.ask(ask.method, ask.path, ask.body, **ask.headers)
        assert here.lines()[: len(before)] == before, ask
        assert "nothing to see" not in here.ask("GET", name).body, (ask, answer)
        stored = here.run(here.store.read(DEFAULT_PROJECT, "AuditEvent", event["id"]))
        assert stored is None, (ask, answer)
    store: Store = here.trail.whole
    assert here.run(verify(store, DEFAULT_PROJECT)).problem == ""
