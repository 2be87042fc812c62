"""What somebody has read of a thread, in the three ways that Medplum's guides know. Pure.

``status``: in a thread of two, a message that was read is ``completed``. ``extension``: the header
tells the last message that each has read. ``task``: a Task for each message and recipient is
``requested`` until it was read. Beside them, a Task of our own for each person and thread tells up
to when they have read (``mark``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.retracted import TAKEN_BACK
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.resource import Resource

_PARTICIPANT, _LAST, _AT = "participant", "lastRead", "lastReadAt"
#: Who reads messages: an Organization has no eyes.
READERS = ("Practitioner/", "PractitionerRole/", "Patient/", "RelatedPerson/")
PRACTICE = ("Practitioner/", "PractitionerRole/")


def mark_identity(who: str, header: str = "") -> Identity:
    """Of the Task that tells up to when somebody has read a thread, or looks at all."""
    return Identity(codes.READ, f"{who}|Communication/{header}" if header else who)


def mark(identity: Identity, who: str, header: str, until: int) -> Resource:
    """That Task; ``until`` is in microseconds since 1970 UTC."""
    out: Resource = {
        "resourceType": "Task",
        "identifier": [identity.as_json()],
        "status": "completed",
        "intent": "order",
        "code": {"coding": [codes.READ_RECEIPT]},
    }
    if header:
        out["focus"] = reference(f"Communication/{header}")
    out["executionPeriod"] = {"end": fhir_time(until)}
    out["owner"] = reference(who)
    return out


def marked(task: Resource) -> int | None:
    """Up to when that Task tells that its owner has read; ``None`` where it tells nothing."""
    return _time((task.get("executionPeriod") or {}).get("end"))


def receipt_identity(who: str, message: str) -> Identity:
    """Of the Task that tells whether somebody has read a message, by its logical id."""
    return Identity(codes.RECEIPT, f"{who}|Communication/{message}")


def receipt(who: str, message: Resource, header: str) -> Resource:
    """The Task that waits until ``who`` has read a message of the thread of that header."""
    out: Resource = {
        "resourceType": "Task",
        "identifier": [receipt_identity(who, message["id"]).as_json()],
        "basedOn": [reference(f"Communication/{message['id']}")],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [codes.READ_RECEIPT]},
        "focus": reference(f"Communication/{header}"),
    }
    if subject := message.get("subject"):
        out["for"] = subject
    return {**out, "authoredOn": message["sent"], "owner": reference(who)}


def is_of_message(task: Resource) -> bool:
    """Whether such a Task is of one message, and not of a whole thread."""
    return bool(task.get("basedOn"))


def cancelled(task: Resource) -> Resource:
    """The Task of a message that was taken back, if it waits."""
    if task.get("status") != "requested":
        return task
    return {**task, "status": "cancelled", "statusReason": {"text": TAKEN_BACK}}


def wanted_again(task: Resource) -> Resource:
    """The Task of a message that is there again."""
    why = (task.get("statusReason") or {}).get("text")
    if task.get("status") != "cancelled" or why != TAKEN_BACK:
        return task
    out = {name: value for name, value in task.items() if name != "statusReason"}
    return {**out, "status": "requested"}


def read_in(header: Resource, who: str) -> tuple[str, int | None] | None:
    """The last message that the header tells ``who`` to have read (``Communication/…``), and when.

    ``None`` where it tells nothing of them; the message is ``""`` where it names none.
    """
    return next(((last, at) for whose, last, at in reads_in(header) if whose == who), None)


def reads_in(header: Resource) -> Iterator[tuple[str, str, int | None]]:
    """The same of everybody of whom the header tells it: who, which message, and when."""
    for block in _blocks(header):
        parts = _parts(block)
        at = _time((parts.get(_AT) or {}).get("valueDateTime"))
        yield _reference(parts.get(_PARTICIPANT)), _reference(parts.get(_LAST)), at


def without_read(header: Resource, who: str) -> Resource:
    """The header, telling nothing of what they have read."""
    there = header.get("extension") or []
    others = [one for one in there if not _tells_of(one, who)]
    if len(others) == len(there):
        return header
    out = {name: value for name, value in header.items() if name != "extension"}
    return out | ({"extension": others} if others else {})


def with_read(header: Resource, who: str, message: str, at: int) -> Resource:
    """The header, telling that ``who`` has read up to that message, at that time."""
    told = {
        "url": codes.EXT_READ_STATE,
        "extension": [
            {"url": _PARTICIPANT, "valueReference": reference(who)},
            {"url": _LAST, "valueReference": reference(message)},
            {"url": _AT, "valueDateTime": fhir_time(at)},
        ],
    }
    others = [one for one in header.get("extension") or () if not _tells_of(one, who)]
    return {**header, "extension": [*others, told]}


def is_of_two(header: Resource) -> bool:
    """Whether just two take part in a thread, so that who has read a message needs no name."""
    return len({_reference_of(one) for one in header.get("recipient") or ()}) == 2


def readers(header: Resource, message: Resource) -> list[str]:
    """Who is to read a message: those of the practice who take part in its thread, its recipients.

    Whoever wrote it is none of them.
    """
    writer = _reference_of(message.get("sender") or {})
    there = [_reference_of(one) for one in header.get("recipient") or ()]
    names = [one for one in there if one.startswith(PRACTICE)]
    names += [_reference_of(one) for one in message.get("recipient") or ()]
    return [one for one in dict.fromkeys(names) if one.startswith(READERS) and one != writer]


def _tells_of(extension: dict[str, Any], who: str) -> bool:
    is_state = extension.get("url") == codes.EXT_READ_STATE
    return is_state and _reference(_parts(extension).get(_PARTICIPANT)) == who


def _blocks(header: Resource) -> Iterator[dict[str, Any]]:
    for one in header.get("extension") or ():
        if one.get("url") == codes.EXT_READ_STATE:
            yield one


def _parts(block: dict[str, Any]) -> dict[str, Any]:
    return {str(one.get("url", "")): one for one in block.get("extension") or ()}


def _reference(part: dict[str, Any] | None) -> str:
    return _reference_of((part or {}).get("valueReference") or {})


def _reference_of(value: dict[str, Any]) -> str:
    return str(value.get("reference", ""))


def _time(text: Any) -> int | None:
    try:
        return parse_fhir_time(str(text)) if text else None
    except ValueError:
        return None
