"""What has become of a message that was sent, as an extension of its child Communication.

Providers tell it apart from the message, by their id of it. The child's other elements stay as they
are, but for ``statusReason`` of one that was not delivered, and the status of one that is read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from threadwell.calls.mail_codes import meaning
from threadwell.encounters import codes
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.resource import Resource

#: States by their names, which are codes of ``codes.DELIVERY``.
FAILED, READ, QUEUED = "failed", "read", "queued"


class Delivery(NamedTuple):
    """How the delivery of a message stands, and since when, in microseconds since 1970 UTC.

    ``error`` is the provider's own code of why it failed, ``""`` where it has not, or gives none.
    """

    state: str
    since: int
    error: str = ""


def delivery_of(stored: Resource) -> Delivery | None:
    """How the delivery of a stored child stands; ``None`` where nobody has told."""
    for one in stored.get("extension") or ():
        if one.get("url") == codes.EXT_DELIVERY:
            parts = {part.get("url"): part for part in one.get("extension") or ()}
            return Delivery(
                str(parts["state"]["valueCode"]),
                parse_fhir_time(parts["since"]["valueDateTime"]),
                str(parts.get("error", {}).get("valueString", "")),
            )
    return None


def with_delivery(stored: Resource, now: Delivery, why: str = "", *, words: str = "") -> Resource:
    """A stored child with that delivery. One that somebody has read is ``completed``.

    What is withdrawn keeps its status and its reason. ``why`` says in plain words why it was not
    even sent, ``""`` where it was; ``words`` are what its provider's code means.
    """
    others = [one for one in stored.get("extension") or () if one.get("url") != codes.EXT_DELIVERY]
    out = {**stored, "extension": [*others, _extension(now)]}
    if stored.get("status") == "entered-in-error":
        return out
    if _is_ours(out.get("statusReason") or {}):
        del out["statusReason"]
    if now.state == FAILED and "statusReason" not in out:
        out["statusReason"] = _reason(now, why, words)
    if now.state == READ and stored.get("status") == "in-progress":
        out["status"] = "completed"
    return out


def without_delivery(stored: Resource) -> Resource:
    """A stored child of which nothing is told."""
    others = [one for one in stored.get("extension") or () if one.get("url") != codes.EXT_DELIVERY]
    out = {name: value for name, value in stored.items() if name != "extension"}
    if others:
        out["extension"] = others
    if _is_ours(out.get("statusReason") or {}):
        del out["statusReason"]
    return out


def ids_of(stored: Resource) -> list[tuple[str, str]]:
    """By which ids providers know a stored child, each with its channel."""
    return [
        (str(one["system"])[len(codes.MESSAGE) :], str(one["value"]))
        for one in stored.get("identifier") or ()
        if str(one.get("system", "")).startswith(codes.MESSAGE) and one.get("use") != "old"
    ]


def _extension(now: Delivery) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "state", "valueCode": now.state},
        {"url": "since", "valueDateTime": fhir_time(now.since)},
    ]
    if now.error:
        parts.append({"url": "error", "valueString": now.error})
    return {"url": codes.EXT_DELIVERY, "extension": parts}


def _reason(now: Delivery, unsent: str, words: str) -> dict[str, Any]:
    if unsent:
        why = f" (the provider's error {now.error})" if now.error else ""
        return {"coding": [codes.NOT_DELIVERED], "text": f"It was not sent: {unsent}{why}"}
    words = words or (meaning(now.error) if "." in now.error else "")
    said = f": {words}" if words else ""
    # RFC 3463 §2: what begins with 4 was given up, and may go well another time.
    passing = ", which may pass" if words and now.error.startswith("4.") else ""
    why = f" (the provider's error {now.error}{passing})" if now.error else ""
    return {"coding": [codes.NOT_DELIVERED], "text": f"It was not delivered{said}{why}"}


def _is_ours(reason: dict[str, Any]) -> bool:
    return any(one.get("system") == codes.DELIVERY for one in reason.get("coding") or ())
