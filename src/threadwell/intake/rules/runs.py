"""The runs of rules: each an AuditEvent, for everybody to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, Sort, TokenFilter, UriFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Key, Store

#: ``AuditEvent.type`` of a run.
RUN = {"system": codes.BASE + "CodeSystem/audit-event-type", "code": "rule", "display": "Rule"}
_EVENT = codes.BASE + "CodeSystem/rule-event"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_POLICY = codes.BASE + "rule/"
_ACTION = "action"


@dataclass(frozen=True, slots=True)
class Run:
    """What a rule has done, and when (an instant). ``about`` are references.

    ``done`` tells of each action in words; ``refused`` that one of them could not be done.
    """

    id: str
    rule: str
    event: str
    recorded: str
    about: tuple[str, ...]
    done: tuple[str, ...]
    refused: bool


def run_key(rule: str, event: str) -> Key:
    """The key of the AuditEvent of the one run of a rule over an event, by the event's id."""
    return Key("AuditEvent", Identity(codes.RUN, f"{rule}|{event}").id)


def run_resource(
    rule: str,
    event: str,
    recorded: str,
    about: Sequence[str],
    done: Sequence[str],
    *,
    refused: bool,
) -> Resource:
    """The AuditEvent of a run; ``event`` is what kind of thing has happened."""
    details = [{"type": _ACTION, "valueString": one} for one in done]
    entities: list[dict[str, Any]] = [
        {"what": reference(one), "role": {"system": _ROLE, "code": "4"}} for one in about
    ]
    if entities:
        entities[0]["detail"] = details
    return {
        "resourceType": "AuditEvent",
        "type": RUN,
        "subtype": [{"system": _EVENT, "code": event}],
        "action": "E",
        "recorded": recorded,
        "outcome": "4" if refused else "0",
        "agent": [
            {
                "who": {"display": "Threadwell"},
                "name": rule,
                "requestor": False,
                "policy": [_POLICY + rule],
            }
        ],
        "source": {"observer": {"display": "Threadwell"}},
        "entity": entities,
    }


async def runs(store: Store, project: str, *, rule: str = "", count: int = 100) -> list[Run]:
    """The last ``count`` runs, the latest first; of one ``rule``, if it is named."""
    filters: list[Any] = [TokenFilter("type", (TokenMatch(RUN["system"], RUN["code"]),))]
    if rule:
        filters.append(UriFilter("policy", (_POLICY + rule,)))
    query = Query("AuditEvent", tuple(filters), sort=(Sort("date", descending=True),), count=count)
    page = await store.search(project, query)
    return [run_of(decode(one.body)) for one in page.matches]


async def runs_about(store: Store, project: str, header: str) -> list[Run]:
    """The runs that concern a thread, by its header (``Communication/…``), the first one first."""
    from threadwell.fhir.search.query import ReferenceFilter
    from threadwell.fhir.search.sought import ReferenceMatch

    type_, _, id_ = header.partition("/")
    filters = (
        TokenFilter("type", (TokenMatch(RUN["system"], RUN["code"]),)),
        ReferenceFilter("entity", (ReferenceMatch(type_, id_, ""),)),
    )
    found = [
        run_of(decode(one.body))
        async for one in search_all(store, project, Query("AuditEvent", filters))
    ]
    return sorted(found, key=lambda one: (one.recorded, one.rule))


def run_of(event: Resource) -> Run:
    """What an AuditEvent tells of a run."""
    entities = event.get("entity") or ()
    return Run(
        str(event["id"]),
        str((event.get("agent") or [{}])[0].get("name", "")),
        str((event.get("subtype") or [{}])[0].get("code", "")),
        str(event.get("recorded", "")),
        tuple(str((one.get("what") or {}).get("reference", "")) for one in entities),
        tuple(
            str(one.get("valueString", ""))
            for entity in entities
            for one in entity.get("detail") or ()
            if one.get("type") == _ACTION
        ),
        event.get("outcome") != "0",
    )
