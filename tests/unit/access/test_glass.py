"""Breaking the glass: more is read in an emergency, for a reason that is recorded, and no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.access.attacks import (
    Ask,
    about,
    acts,
    graph_pages,
    graph_searches,
    graph_writes,
    writes,
)
from tests.unit.access.test_attacks import OF_TYPE, OPERATIONS
from tests.unit.access.world import NAMES, ROLES, World, key
from threadwell.access.policy import WRITING, Interaction
from threadwell.access.reading import BadPolicy, check_policy, compiled
from threadwell.access.scopes import narrowed
from threadwell.api.rest import routes
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Line
from threadwell.audit.trail import Trail
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.stores.contract import DEFAULT_PROJECT, StoreFull
from threadwell.stores.memory import MemoryStore

WHY = {"x-threadwell-break-glass": "Unconscious on arrival"}


@pytest.fixture
def trail(monkeypatch: pytest.MonkeyPatch) -> list[Trail]:
    """The trail of the server that is made last."""
    made: list[Trail] = []

    def begun(self: Trail, *of: Any, **more: Any) -> None:
        original(self, *of, **more)
        made.append(self)

    original = Trail.__init__
    monkeypatch.setattr(Trail, "__init__", begun)
    return made


def world(role: str = "glass") -> World:
    return World(MemoryStore(), role, whole=True)


def lines(of: World, trail: Trail, *, broken_glass: bool = True) -> list[Line]:
    async def all_() -> list[Line]:
        wanted = Wanted(broken_glass=broken_glass)
        return [line async for line in find(trail, DEFAULT_PROJECT, wanted)]

    return of.run(all_())[::-1]


def reads(name: str) -> list[str]:
    type_, id_ = key(name)
    return [
        f"{type_}/{id_}",
        f"{type_}/{id_}/_history",
        f"{type_}?_id={id_}",
        f"{type_}/_history",
    ]


def test_what_is_hidden_is_read_for_a_reason_and_for_one_request() -> None:
    here = world()
    for name in ("two", "two-said", "two-session"):
        id_ = key(name).id
        for path in reads(name):
            before = here.ask("GET", path)
            broken = here.ask("GET", path, **WHY)
            assert f'"id":"{id_}"' not in before.body, path
            assert (broken.status, f'"id":"{id_}"' in broken.body) == (200, True), path
            assert here.ask("GET", path)[:3] == before[:3], path


def test_only_what_the_entry_names_is_widened() -> None:
    here = world()
    for name in ("two-todo", "two-claim"):
        for path in reads(name):
            assert here.ask("GET", path, **WHY)[:3] == here.ask("GET", path)[:3], path


@pytest.mark.parametrize("role", ["participant", "app-of-messages", "billing"])
def test_who_may_not_gets_the_same_answer_as_without_it(role: str) -> None:
    here = world(role)
    for name in ROLES[role].hidden[:4]:
        for path in reads(name):
            for why in ("Unconscious on arrival", "", "x" * 5000):
                broken = here.ask("GET", path, **{"x-threadwell-break-glass": why})
                assert broken[:3] == here.ask("GET", path)[:3], (path, why)


def test_without_a_policy_it_means_nothing(trail: list[Trail]) -> None:
    here = world()
    here.free()
    assert here.ask("GET", NAMES["two"], **WHY).status == 200
    assert lines(here, trail[-1]) == []


def is_read(ask: Ask) -> bool:
    return ask.path.partition("?")[0].split("/")[0] in RESOURCE_TYPES and (
        "$" not in ask.path and (ask.method in ("GET", "HEAD") or "_search" in ask.path)
    )


def test_nothing_but_reads_is_widened(trail: list[Trail]) -> None:
    """Writes, exports, operations, GraphQL and Bundles answer as they do without it."""
    plain, broken = world(), world()
    made: list[Ask] = []
    for name in ("two-said", "two-session"):
        made += [one for one in about(name) if not is_read(one) and one.path != "_search"]
        made += acts(name, OPERATIONS, OF_TYPE)
        made += graph_writes(name)
        made += writes(name)
        made += [Ask("GET", path) for path in graph_searches(name)]
    made += [Ask("GET", path) for path in graph_pages()]
    made.append(Ask("GET", "$export"))
    apart = [
        ask
        for ask in made[::8]
        if plain.ask(ask.method, ask.path, ask.body, **ask.headers)[:3]
        != broken.ask(ask.method, ask.path, ask.body, **ask.headers, **WHY)[:3]
    ]
    assert len(made) > 200
    assert apart == []
    assert lines(broken, trail[-1]) == []


def test_only_handlers_that_change_nothing_are_widened() -> None:
    widened = {
        handler.__name__
        for handler, act in routes._INTERACTIONS.items()
        if act in ("read", "vread", "history", "search")
    }
    assert widened == {
        *("read", "vread", "history", "history_of_many", "search", "search_by_form"),
    }


def test_it_is_recorded_with_the_reason_before_it_is_shown(trail: list[Trail]) -> None:
    here = world()
    here.ask("GET", NAMES["two-said"], **WHY)
    here.ask("GET", "Communication?_id=nobody", **WHY)
    here.ask("GET", "Communication/nobody", **WHY)
    told = [
        (one.record.act, one.record.status, one.record.by.purpose, one.record.by.reason)
        for one in lines(here, trail[-1])
    ]
    why = WHY["x-threadwell-break-glass"]
    assert told == [
        ("read", 200, "BTG", why),
        ("search", 200, "BTG", why),
        ("read", 404, "BTG", why),
    ]
    assert list(lines(here, trail[-1])[0].patients) == [key("cleo").id]


def test_what_cannot_be_recorded_is_not_shown(
    trail: list[Trail], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world()

    def full(*_: object) -> None:
        raise StoreFull("what is seen cannot be recorded: no space left")

    for name, failing in (("pen", lambda _: SimpleNamespace(keep=full)), ("sync", full)):
        with monkeypatch.context() as patched:
            patched.setattr(trail[-1], name, failing)
            answer = here.ask("GET", NAMES["two-said"], **WHY)
        assert answer.status in (500, 503, 507), name
        assert "Secret" not in answer.body


@pytest.mark.parametrize("why", ["", "   ", "\t", "x" * 1001, "a\x01b"])
def test_a_reason_that_is_none_is_refused(trail: list[Trail], why: str) -> None:
    here = world()
    answer = here.ask("GET", NAMES["two"], **{"x-threadwell-break-glass": why})
    assert answer.status == 400
    assert "X-Threadwell-Break-Glass" in answer.body
    assert lines(here, trail[-1]) == []


def test_the_trail_is_not_opened_by_it(trail: list[Trail]) -> None:
    here = world()
    here.ask("GET", NAMES["two"], **WHY)
    line = lines(here, trail[-1])[0].n
    for path in ("AuditEvent", f"AuditEvent/audit.{line}.0", f"{NAMES['cleo']}/AuditEvent"):
        assert here.ask("GET", path, **WHY)[:3] == here.ask("GET", path)[:3]
    star = {"resourceType": "*", "breakGlass": True}
    of = {"resourceType": "AccessPolicy", "name": "all", "resource": [star]}
    glass = compiled([(of, {})], "Practitioner/7").glass
    assert glass is not None
    assert "AuditEvent" not in glass.entries


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"breakGlass": "yes"}, "true or false"),
        ({"interaction": ["read", "update"]}, "nothing written"),
        ({"resourceType": "AuditEvent"}, "opens no AuditEvent"),
    ],
)
def test_an_entry_that_means_something_else_is_refused(more: dict[str, Any], told: str) -> None:
    entry = {"resourceType": "Communication", "breakGlass": True, **more}
    of = {"resourceType": "AccessPolicy", "name": "p", "resource": [entry]}
    with pytest.raises(BadPolicy, match=told):
        check_policy(of)


def test_scopes_limit_it_and_it_never_writes() -> None:
    of = {
        "resourceType": "AccessPolicy",
        "name": "p",
        "resource": [
            {"resourceType": "Communication", "criteria": "Communication?sender=%profile"},
            {"resourceType": "Communication", "breakGlass": True},
            {"resourceType": "Encounter", "breakGlass": True},
        ],
    }
    policy = compiled([(of, {})], "Practitioner/7")
    assert policy.of("Encounter", Interaction.READ) == ()
    assert len(policy.of("Communication", Interaction.UPDATE)) == 1
    app = narrowed(policy, ["user/Communication.cruds"], "Practitioner/7")
    assert app.glass is not None
    assert app.glass.of("Encounter", Interaction.READ) == ()
    assert len(app.glass.of("Communication", Interaction.READ)) == 2
    for one in (policy.glass, app.glass):
        assert one is not None
        assert not any(one.of("Communication", act) for act in WRITING)
