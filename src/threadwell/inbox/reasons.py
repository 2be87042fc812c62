"""Why a message is about a patient, in a sentence for the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from threadwell.encounters.attribution import NAMED, SENDER, Reason, reasons_of
from threadwell.encounters.corrected import said_by
from threadwell.fhir.resource import Resource
from threadwell.inbox.names import name_of
from threadwell.inbox.reader import Reader


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
        who = _who(reader, reason)
        return f"{who[:1].upper()}{who[1:]} has said that it is about none of them."
    name = name_of({"reference": reason.patient}, reader)
    if reason.basis == NAMED:
        return f"About {name}: “{reason.words}”"
    if reason.basis == SENDER:
        return f"About {name}: the sender can only be writing for them."
    return f"About {name}: {_who(reader, reason)} has said so."


def _who(reader: Reader, reason: Reason) -> str:
    return said_by(reader.known({"reference": reason.source}))
