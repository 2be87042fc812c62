"""Why a message is about a patient, in a sentence for the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from threadwell.encounters.attribution import CHOSEN, NAMED, reasons_of
from threadwell.fhir.resource import Resource
from threadwell.inbox.names import name_of
from threadwell.inbox.reader import Reader


def why_about(reader: Reader, message: Resource) -> list[str]:
    """A sentence for each patient that a message is about by itself, or whose choice that was."""
    return [
        _sentence(name_of({"reference": reason.patient}, reader), reason.basis, reason.words)
        if reason.patient
        else "A person has said that it is about none of them."
        for reason in reasons_of(message)
    ]


def patients_in(messages: Iterable[Resource]) -> Iterator[dict[str, Any]]:
    """References to the patients whom those sentences name."""
    for message in messages:
        for reason in reasons_of(message):
            if reason.patient:
                yield {"reference": reason.patient}


def _sentence(name: str, basis: str, words: str) -> str:
    if basis == NAMED:
        return f"About {name}: “{words}”"
    if basis == CHOSEN:
        return f"About {name}: a person has said so."
    return f"About {name}: the sender can only be writing for them."
