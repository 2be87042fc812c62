"""What a person says of one patient's care within a session, until it is written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from threadwell.fhir.resource import Resource
from threadwell.intake.links import target
from threadwell.stores.contract import Key


class Details(NamedTuple):
    """Elements of an Encounter, and participants beside those who wrote."""

    elements: Mapping[str, Any]
    participants: list[dict[str, Any]]


def with_details(
    key: Key, encounter: Resource, said: Mapping[tuple[str, str], Details]
) -> Resource:
    """The Encounter with what was said of its session and patient."""
    if key.type != "Encounter" or not said:
        return encounter
    session = target(encounter, "partOf") or f"Encounter/{key.id}"
    mine = said.get((session, target(encounter, "subject")))
    if mine is None:
        return encounter
    out = {**encounter, **mine.elements}
    there = {target(one, "individual") for one in encounter.get("participant") or ()}
    more = [one for one in mine.participants if target(one, "individual") not in there]
    if more:
        out["participant"] = [*(encounter.get("participant") or ()), *more]
    return out
