"""Why a message is about a patient, in a sentence for the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from threadwell.encounters.attribution import NAMED, SENDER, Reason, reasons_of
from threadwell.fhir.resource import Resource
from threadwell.inbox.names import name_of
from threadwell.inbox.reader import Reader

_SOMEBODY = "A person"


def why_about(reader: Reader, message: Resource) -> list[str]:
    """A sentence for each patient that a message is about by itself, or whose choice that was."""
    return [_sentence(reader, reason) for reason in reasons_of(message)]


def named_in(messages: Iterable[Resource]) -> Iterator[dict[str, Any]]:
    """References to the patients whom those sentences name, and to what was said of them."""
    for message in messages:
        for reason in reasons_of(message):
            for name in filter(None, (reason.patient, reason.source)):
                yield {"reference": name}


def _sentence(reader: Reader, reason: Reason) -> str:
    if not reason.patient:
        return f"{_who(reader, reason)} has said that it is about none of them."
    name = name_of({"reference": reason.patient}, reader)
    if reason.basis == NAMED:
        return f"About {name}: “{reason.words}”"
    if reason.basis == SENDER:
        return f"About {name}: the sender can only be writing for them."
    who = _who(reader, reason)
    return f"About {name}: {who[:1].lower() if _is_plain(who) else who[:1]}{who[1:]} has said so."


def _who(reader: Reader, reason: Reason) -> str:
    """Whose choice it was, as far as its record tells."""
    record = reader.known({"reference": reason.source}) or {}
    for agent in record.get("agent") or ():
        who = agent.get("who") or {}
        display = str(who.get("display") or "")
        if display:
            return display if _is_plain(display) else f"The client “{display}”"
    return _SOMEBODY


def _is_plain(who: str) -> bool:
    return who.startswith(("A person", "Whoever "))
