"""What is about patients who are of age is taken out of what others may still see.

Somebody who stands for two children writes in threads of each, and in some about both. When one of
them is of age, the threads of that one go, and of a thread about both whatever is about that one,
or about both; the other's part stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from threadwell.access.policy import Entry
from threadwell.fhir.search.compartments import COMPARTMENT, member_types
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import AllFilter, Filter, HasFilter, NotFilter, parts_of

_MESSAGE, _FILE = "Communication", "Binary"
#: How a resource of a type is about a patient: parameters that all hold, in several ways. Any other
#: type is by the patient's compartment.
_WAYS: Mapping[str, tuple[tuple[tuple[str, str], ...], ...]] = {
    _MESSAGE: (
        (("subject", "{}"),),
        (("part-of:Communication.subject", "{}"),),
        (("part-of:missing", "false"), ("subject:Group.member", "{}")),
        (("part-of:Communication.subject:Group.member", "{}"), ("subject:missing", "true")),
        # What names nobody is about whom its session is about.
        (("encounter:Encounter.subject", "{}"),),
        (("part-of:Communication.encounter:Encounter.subject", "{}"),),
        (
            ("part-of:Communication.encounter:Encounter.subject:Group.member", "{}"),
            ("subject:missing", "true"),
        ),
        (
            *(("part-of:missing", "false"), ("subject:missing", "true")),
            ("encounter:Encounter.subject:Group.member", "{}"),
        ),
    ),
    "Encounter": ((("subject", "{}"),),),
    "Task": (
        (("patient", "{}"),),
        (("focus:Communication.subject", "{}"),),
        (("focus:Encounter.subject", "{}"),),
    ),
    # Who stands for somebody is no care of theirs.
    "RelatedPerson": (),
}
_COMPARTMENT = (((COMPARTMENT, "{}"),),)


def without(
    entries: Mapping[str, Iterable[Entry]], whom: Sequence[str], bases: frozenset[str]
) -> dict[str, list[Entry]]:
    """The entries of each type without what is about those patients (references)."""
    of_messages = not_about(_MESSAGE, whom, bases)
    out: dict[str, list[Entry]] = {}
    for type_, some in entries.items():
        if type_ == _FILE:
            out[type_] = [_file(one, of_messages) for one in some]
        else:
            nots = not_about(type_, whom, bases)
            out[type_] = [replace(one, filters=(*one.filters, *nots)) for one in some]
    return out


def not_about(type_: str, whom: Sequence[str], bases: frozenset[str]) -> tuple[Filter, ...]:
    """What a resource of a type must match that is about none of the patients."""
    if type_ == _FILE:
        return _no_file(not_about(_MESSAGE, whom, bases))
    in_compartment = _COMPARTMENT if type_ in member_types("Patient") else ()
    found: list[Filter] = []
    for patient in whom:
        for way in _WAYS.get(type_, in_compartment):
            pairs = [(name, value.format(patient)) for name, value in way]
            found.append(NotFilter(AllFilter(parse_query(type_, pairs, bases=bases).filters)))
    return tuple(found)


def _file(entry: Entry, nots: tuple[Filter, ...]) -> Entry:
    """A file stays that another message has, too, which may be seen."""
    filters = tuple([_by_message(one, nots) for one in entry.filters])
    if filters == entry.filters:
        filters = (*filters, *_no_file(nots))
    return replace(entry, filters=filters)


def _by_message(filter_: Filter, nots: tuple[Filter, ...]) -> Filter:
    match filter_:
        case HasFilter(type_, param, inner) if (type_, param) == (_MESSAGE, "attachment"):
            return HasFilter(type_, param, AllFilter((*parts_of(inner), *nots)))
        case _:
            return filter_


def _no_file(nots: Iterable[Filter]) -> tuple[Filter, ...]:
    return tuple(
        [
            NotFilter(HasFilter(_MESSAGE, "attachment", one.filter))
            for one in nots
            if isinstance(one, NotFilter)
        ]
    )
