"""Compartments: the resources that belong to a patient, an encounter, … (FHIR R4 §2.7).

R4 names, for each compartment and resource type, the reference parameters that put a resource of
that type into it. What a compartment is of belongs to it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from threadwell.fhir.definitions import load
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.query import CompartmentFilter, ReferenceFilter
from threadwell.fhir.search.references import is_id
from threadwell.fhir.search.sought import ReferenceMatch

#: The parameter that asks for a compartment, as Medplum has it.
COMPARTMENT = "_compartment"
#: The types that have a compartment: Device, Encounter, Patient, Practitioner, RelatedPerson.
OF = tuple(sorted(load("compartments")))
#: How R4 says that a resource belongs to its own compartment.
_ITSELF = "{def}"


class Compartment(NamedTuple):
    """That of one resource."""

    type: str
    id: str


def parse_compartments(texts: Sequence[str]) -> list[Compartment]:
    """``Patient/1``, or an id of a resource of whatever type that has a compartment.

    Raises ``FhirError`` 400 for any other text.
    """
    found: list[Compartment] = []
    for text in texts:
        type_, slash, id_ = text.rpartition("/")
        if not is_id(id_) or (slash and type_ not in OF):
            raise invalid(
                f"Invalid value for search parameter {COMPARTMENT}: expected the id of a"
                f" {', '.join(OF[:-1])} or {OF[-1]}, as in Patient/1"
            )
        found += [Compartment(of, id_) for of in ([type_] if slash else OF)]
    return found


@cache
def member_types(of: str) -> tuple[str, ...]:
    """The resource types that the compartments of a type have anything of, by name."""
    return tuple(sorted({of, *load("compartments")[of]}))


@cache
def links(of: str, type_: str) -> tuple[str, ...]:
    """The parameters that put a resource of ``type_`` into a compartment of the type ``of``."""
    names: list[str] = load("compartments")[of].get(type_, [])
    return tuple(name for name in names if name != _ITSELF)


def compartment_filter(
    type_: str, compartments: Sequence[Compartment], *, negate: bool = False
) -> CompartmentFilter:
    """What a resource of ``type_`` must be to belong to one of ``compartments``."""
    found: dict[str, list[ReferenceMatch]] = {}
    for of, id_ in dict.fromkeys(compartments):
        for param in links(of, type_):
            found.setdefault(param, []).append(ReferenceMatch(of, id_, ""))
    ids = dict.fromkeys(one.id for one in compartments if one.type == type_)
    referring = tuple(ReferenceFilter(param, tuple(them)) for param, them in found.items())
    return CompartmentFilter(referring, tuple(ids), negate)
