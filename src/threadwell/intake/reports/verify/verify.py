"""Reads a store's Communications, Encounters and RelatedPersons once, and applies every rule."""

from __future__ import annotations

from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake.care_zone import days_of_store
from threadwell.intake.paging import search_all
from threadwell.intake.people.standing import all_replaced
from threadwell.intake.reports.verify.facts import Facts
from threadwell.intake.reports.verify.finding import Finding
from threadwell.intake.reports.verify.rules import RULES
from threadwell.stores.contract import Store


async def verify(store: Store, project: str) -> list[Finding]:
    """What in the store does not keep the pattern, by resource; empty if everything does."""
    facts = Facts(replaced=await all_replaced(store, project))
    for type_ in ("RelatedPerson", "Encounter", "Communication"):
        async for stored in search_all(store, project, Query(type_)):
            facts.add(decode(stored.body))
    findings = [finding for rule in RULES for finding in rule(facts)]
    findings += await _other_days(store, project)
    return sorted(findings, key=lambda one: (one.resource, one.rule, one.text))


async def _other_days(store: Store, project: str) -> list[Finding]:
    """The sessions that newer rules of the time zone have other days for; they wait for a recut."""
    days = await days_of_store(store, project)
    if days is None or days.kept is None:
        return []
    return [
        Finding(
            "warning",
            one.encounter,
            "zone-data",
            f"messages of {one.old} are of {one.new} by zone data {days.here.release}; it was cut "
            f"by {days.kept.release}",
        )
        for one in days.waiting
    ]
