"""Why a message is about a patient: as the core has it, and as an extension of the message.

A message of a circle of several patients bears the extension ``attribution`` once for each patient
that it is about by itself; one of a single patient's circle only where a person has said so. It is
also how a later run tells what people have changed since.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.people import reference
from threadwell.fhir.resource import Resource

#: The bases of an attribution, as codes of ``codes.BASIS``.
NAMED = "named"
SENDER = "sender"
CHOSEN = "chosen"
SESSION = "session"


class Reason(NamedTuple):
    """Why a message is about ``patient`` (``Patient/…``).

    ``basis`` is one of the codes above: it names them in those ``words``; its sender can only be
    writing for them; or a person has said so, of the message itself or of all that the session had
    of its thread, of which ``source`` (``Task/…``, ``Provenance/…``) is the record. Where a person
    has said that it is about nobody, ``patient`` is ``""``.
    """

    patient: str
    basis: str
    words: str = ""
    source: str = ""


def chosen(patients: Iterable[str], source: str, basis: str = CHOSEN) -> tuple[Reason, ...]:
    """The reasons of a message that a person has said to be about those patients, or nobody."""
    return tuple(Reason(one, basis, source=source) for one in sorted(patients) or [""])


def is_chosen(reasons: Iterable[Reason]) -> bool:
    """Whether a person has said whom a message is about."""
    return any(one.basis in (CHOSEN, SESSION) for one in reasons)


def patients_of(reasons: Iterable[Reason]) -> frozenset[str]:
    """The patients that those are the reasons for."""
    return frozenset(one.patient for one in reasons if one.patient)


def reasons_of(stored: Resource) -> tuple[Reason, ...]:
    """The reasons that a stored message bears."""
    return tuple(
        reason
        for extension in stored.get("extension") or ()
        if (reason := _reason(extension)) is not None
    )


def with_reasons(message: Resource, reasons: Iterable[Reason]) -> Resource:
    """The message with those reasons instead of its own; other extensions stay."""
    others = [one for one in message.get("extension") or () if one.get("url") not in _OURS]
    if extension := [*others, *map(_extension, reasons)]:
        return {**message, "extension": extension}
    return {name: value for name, value in message.items() if name != "extension"}


_OURS = (codes.EXT_ATTRIBUTION, codes.EXT_CHOSEN)


def _extension(reason: Reason) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if reason.patient:
        parts.append({"url": "patient", "valueReference": reference(reason.patient)})
    parts.append({"url": "basis", "valueCode": reason.basis})
    if reason.words:
        parts.append({"url": "words", "valueString": reason.words})
    if reason.source:
        parts.append({"url": "source", "valueReference": reference(reason.source)})
    return {"url": codes.EXT_ATTRIBUTION, "extension": parts}


def _reason(extension: dict[str, Any]) -> Reason | None:
    if extension.get("url") == codes.EXT_CHOSEN:
        # As it was written before reasons were.
        return Reason(str(extension["valueReference"]["reference"]), CHOSEN)
    if extension.get("url") != codes.EXT_ATTRIBUTION:
        return None
    parts = {one.get("url"): one for one in extension.get("extension") or ()}

    def to(name: str) -> str:
        return str((parts.get(name, {}).get("valueReference") or {}).get("reference", ""))

    basis = str(parts.get("basis", {}).get("valueCode", ""))
    words = str(parts.get("words", {}).get("valueString", ""))
    return Reason(to("patient"), basis, words, to("source"))
