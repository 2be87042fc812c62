"""A draft: a child Communication that nobody but its writer has seen, and no message yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadwell.encounters.people import reference
from threadwell.fhir.resource import Resource

#: The status of a draft.
PREPARATION = "preparation"
#: What of a draft the message that it becomes decides by itself.
_DECIDED = frozenset(
    (
        *("resourceType", "id", "meta", "text", "identifier", "partOf", "inResponseTo", "status"),
        *("medium", "subject", "encounter", "sent", "received", "recipient", "sender", "payload"),
    )
)


def is_draft(resource: Resource) -> bool:
    """Whether it is a message that is not sent yet."""
    return resource.get("status") == PREPARATION and bool(resource.get("partOf"))


def draft(thread: str, text: str, sender: str, answers: str = "") -> Resource:
    """A draft of ``sender`` (``Practitioner/…``) in the thread of a header (``Communication/…``).

    ``answers`` is the message that it answers, ``""`` for none that is named.
    """
    out: Resource = {
        "resourceType": "Communication",
        "partOf": [reference(thread)],
        "status": PREPARATION,
        "sender": reference(sender),
        "payload": [{"contentString": text}],
    }
    return out | ({"inResponseTo": [reference(answers)]} if answers else {})


def beside(written: Resource) -> Mapping[str, Any]:
    """What somebody has put on a message beside what it says, to whom and where: a category."""
    return {name: value for name, value in written.items() if name not in _DECIDED}
