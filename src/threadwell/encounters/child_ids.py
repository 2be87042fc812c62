"""Under which ids a child Communication stands: its own, its provider's, those of other sources."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from threadwell.encounters import codes, identity
from threadwell.encounters.identity import Identity, message_identity
from threadwell.fhir.resource import Resource

#: How the external id of a message begins that was written here: it has it before its provider
#: gives it another one.
REPLY = "reply:"
#: The same of a message that was a draft before, whose logical id follows and stays.
DRAFT = identity.DRAFT


class Own(NamedTuple):
    """The identity that a stored child has; ``old`` if it has it no more."""

    channel: str
    external_id: str
    apart: str
    old: bool


def own_of(stored: Resource) -> Own | None:
    """The identity of a stored child; ``None`` if it is not one of Threadwell's."""
    for one in stored.get("identifier") or ():
        system, value, use = str(one.get("system", "")), str(one.get("value", "")), one.get("use")
        if use != "secondary":
            if system.startswith(codes.MESSAGE):
                return Own(system[len(codes.MESSAGE) :], value, "", use == "old")
            if system.startswith(codes.APART):
                external_id, _, apart = value.rpartition("|")
                return Own(system[len(codes.APART) :], external_id, apart, use == "old")
    return None


def author_of(stored: Resource) -> str:
    """The person who has written a stored child here (``Practitioner/…``); ``""`` for any other."""
    own = own_of(stored)
    if own is None or not own.external_id.startswith(REPLY):
        return ""
    return str((stored.get("sender") or {}).get("reference", ""))


def sent_as(stored: Resource) -> list[str]:
    """The ids that its provider has given to a stored child that was written here."""
    own = own_of(stored)
    if own is None or not own.external_id.startswith(REPLY):
        return []
    return [
        str(one.get("value", ""))
        for one in stored.get("identifier") or ()
        if one.get("system") == codes.MESSAGE + own.channel and one.get("use") == "secondary"
    ]


def also_known_as(stored: Resource) -> list[Identity]:
    """The other identities that a stored child has: ids that its provider, or a source, gave it."""
    return [Identity(str(one["system"]), str(one.get("value", ""))) for one in others_of(stored)]


def with_twin(stored: Resource, channel: str, external_id: str, source: str = "") -> Resource:
    """A stored child with the id that another source gave to the same message."""
    also = message_identity(channel, external_id)
    if also in also_known_as(stored):
        return stored
    own, identifier = own_of(stored), also.as_secondary()
    # Of an id of its own channel it is told that another account gave it, or perhaps another.
    if source or (own is not None and own.channel == channel):
        told = {"url": codes.EXT_SOURCE, "valueUri": source_uri(channel, source)}
        identifier = {"extension": [told], **identifier}
    first, *rest = stored["identifier"]
    return {**stored, "identifier": [first, identifier, *rest]}


def source_uri(channel: str, source: str) -> str:
    """What ``meta.source`` says of a message that an account has brought."""
    return f"{codes.SOURCE}{channel}/{quote(source, safe='')}"


def source_of(stored: Resource, channel: str) -> str:
    """The account that has brought a stored child of a channel; ``""`` where nothing tells it."""
    return _source(str((stored.get("meta") or {}).get("source", "")), channel)


def ways_of(stored: Resource) -> list[tuple[str, str]]:
    """By which channels and accounts a stored child came under its other ids.

    The ids that its provider has given to what was written here are of its own account.
    """
    own = own_of(stored)
    out: list[tuple[str, str]] = []
    for one in others_of(stored):
        channel = str(one["system"])[len(codes.MESSAGE) :]
        extensions = one.get("extension") or ()
        told = [e.get("valueUri", "") for e in extensions if e.get("url") == codes.EXT_SOURCE]
        source = _source(str(told[0]), channel) if told else ""
        if not told and own is not None and channel == own.channel:
            source = source_of(stored, channel)
        out.append((channel, source))
    return out


def _source(uri: str, channel: str) -> str:
    start = f"{codes.SOURCE}{channel}/"
    return unquote(uri[len(start) :]) if uri.startswith(start) else ""


def others_of(stored: Resource) -> list[dict[str, Any]]:
    """The identifiers of the other identities that a stored child has."""
    own = own_of(stored)
    if own is None:
        return []
    return [
        one
        for one in stored.get("identifier") or ()
        if one.get("use") == "secondary"
        and str(one.get("system", "")).startswith(codes.MESSAGE)
        and (one["system"], one.get("value")) != (codes.MESSAGE + own.channel, own.external_id)
    ]


def with_sent_id(stored: Resource, external_id: str) -> Resource:
    """A stored child that was written here, with an id that its provider has given to it."""
    own = own_of(stored)
    if own is None or external_id in sent_as(stored):
        return stored
    first, *rest = stored["identifier"]
    also = message_identity(own.channel, external_id).as_secondary()
    return {**stored, "identifier": [first, also, *rest]}
