"""What of a record that is replaced goes on in the other one of the same person. Pure.

FHIR's ``Patient/$merge`` (R5) leaves to the server how the data of two records become one. Here
nothing by which somebody is known, reached or found is lost: lists grow, and what the other record
does not tell is filled in. Where both tell it, the one that stays is right.
"""

from __future__ import annotations

from typing import Any

from threadwell.encounters.codes import BASE
from threadwell.fhir.resource import Resource
from threadwell.messages import parse_address

#: Lists that grow by whatever is not there yet, and elements of which a person has one.
_LISTS = ("address", "contact", "communication", "generalPractitioner", "photo")
_ONE = ("birthDate", "gender", "maritalStatus", "managingOrganization")
#: Which of several names is the one in use is for the record that stays to say.
_IN_USE = ("usual", "official")


def one_record(stays: Resource, gone: Resource, country: str) -> Resource:
    """``stays`` with what it lacks of ``gone``; numbers without a country belong to that one.

    An identifier is ``old`` from then on: it was that of a record which is not used any more. Those
    that Threadwell has given name the record itself, and stay with it.
    """
    more: dict[str, list[Any]] = {
        "identifier": _identifiers(stays, gone),
        "name": _names(stays, gone),
        "telecom": points(stays, gone, country),
    }
    for element in _LISTS:
        there = stays.get(element) or ()
        more[element] = [one for one in gone.get(element) or () if one not in there]
    out = {name: value for name, value in gone.items() if name in _ONE}
    out |= {name: [*(stays.get(name) or ()), *new] for name, new in more.items() if new}
    return {**stays, **{name: out[name] for name in out if name in more or name not in stays}}


def points(stays: Resource, gone: Resource, country: str) -> list[Any]:
    """The addresses in ``telecom`` that are not among those of the record that stays."""
    known = {_point(one, country) for one in stays.get("telecom") or ()}
    return [one for one in gone.get("telecom") or () if _point(one, country) not in known]


def _identifiers(stays: Resource, gone: Resource) -> list[Any]:
    known = {_named(one) for one in stays.get("identifier") or ()}
    return [
        {**one, "use": "old"}
        for one in gone.get("identifier") or ()
        if _named(one) not in known and not str(one.get("system", "")).startswith(BASE)
    ]


def _names(stays: Resource, gone: Resource) -> list[Any]:
    there = stays.get("name") or ()
    known = [_without_use(one) for one in there]
    new = [one for one in gone.get("name") or () if _without_use(one) not in known]
    return [_without_use(one) if there and one.get("use") in _IN_USE else one for one in new]


def _without_use(name: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in name.items() if member not in ("use", "id")}


def _named(identifier: dict[str, Any]) -> tuple[Any, Any]:
    return identifier.get("system"), identifier.get("value")


def _point(point: dict[str, Any], country: str) -> object:
    value = str(point.get("value", ""))
    address = parse_address(value, country)
    return address.key if address else (point.get("system"), value)
