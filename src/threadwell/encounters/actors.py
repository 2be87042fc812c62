"""Who sends a child Communication and who receives it, by their addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from threadwell.encounters.people import actor, addresses_of, said_of
from threadwell.fhir.resource import Resource
from threadwell.messages import Address


def collapsed(to: Iterable[tuple[str, Address, str]]) -> list[dict[str, Any]]:
    """The elements of references, addresses and Tasks that tell whose an address is.

    There is one for each person, with all of its addresses.
    """
    seen: dict[str, dict[str, Any]] = {}
    for who, address, said in to:
        one = actor(who, address, said)
        there = seen.setdefault(who or address.value, one)
        if there is not one and address.value not in (a.value for a in addresses_of(there)):
            extension = [*there["extension"], *one["extension"]]
            seen[who] = {**there, "extension": extension}
    return list(seen.values())


def references_by_address(stored: Resource) -> dict[str, str]:
    """As whom the addresses of a stored child speak."""
    return {
        address.value: one["reference"]
        for one in (stored.get("sender") or {}, *(stored.get("recipient") or ()))
        if "reference" in one
        for address in addresses_of(one)
    }


def said_by_address(stored: Resource) -> dict[str, str]:
    """The Tasks that tell whose the addresses of a stored child are."""
    return {
        address.value: said
        for one in (stored.get("sender") or {}, *(stored.get("recipient") or ()))
        for address, said in zip(addresses_of(one), said_of(one), strict=True)
    }


def actors_by_address(stored: Resource) -> dict[str, dict[str, Any]]:
    """The actors of a stored child by their address."""
    return {
        address.value: one
        for one in (stored.get("sender") or {}, *(stored.get("recipient") or ()))
        for address in addresses_of(one)
    }


def kept(actor_: dict[str, Any], there: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """An actor as it is now, with the name that the one ``there`` has, by address."""
    if "reference" in actor_:
        return actor_
    [address] = addresses_of(actor_)
    before = there.get(address.value, actor_)
    said = said_of(actor_) != [""] or said_of(before) != [""]
    # What a person has said since may make it somebody else's, or nobody's: the name alone is kept.
    return {**actor_, "display": before.get("display", actor_["display"])} if said else before
