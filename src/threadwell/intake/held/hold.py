"""Messages that have to wait: each is a Task with the whole of it in a Binary (§3, §7)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent, answered_by, is_answered_by
from threadwell.encounters.identity import Identity, message_identity
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time, microseconds
from threadwell.fhir.resource import Resource
from threadwell.intake.people.route import Held
from threadwell.intake.people.writers import held_identity
from threadwell.messages import Broken, Message, media_type_of

#: The content type of a held message, so that a replay knows what it reads.
MESSAGE_TYPE = "application/vnd.threadwell.message+json"

#: Why a message is held, in a sentence, by the code of the reason.
DESCRIPTIONS = {
    "broken": "It could not be read as a message.",
    "future-date": "It claims to have been sent in the future.",
    "locked-session": "It would change a session that has been billed.",
    "no-patient": "Nobody who wrote or received it is a patient or a patient's family.",
    "set-aside": "It is nothing that was sent as a message.",
    "shared-address": "Several patients share the address that it came from or went to.",
    "suspected-duplicate": "The same was said by the same sender, and came by another way.",
    "unknown-recipient": "Nobody is known to have the address that it went to.",
    "unknown-sender": "Nobody is known to have the address that it came from.",
}
#: Why what is held is no message: it is kept as the bytes that were read.
NO_MESSAGE = frozenset({"broken", "set-aside"})
#: Reasons of which each message is a question to a person. The others pass once somebody is added;
#: who writes at a shared address is asked once for all of its messages.
_TO_REVIEW = ("locked-session", "suspected-duplicate")
_DISMISSED = "A person has dismissed it."
#: How people close a Task whose message they do not want.
_CLOSED = frozenset(("cancelled", "rejected", "failed"))


class Holding(NamedTuple):
    """What is to be stored of a held message; ``to_review`` if a person has to look into it."""

    task_id: str
    task: Resource
    binary_id: str
    binary: Resource
    content: bytes
    to_review: bool


def held_id(item: Held | Broken) -> str:
    """The logical id of the Task; the same message, or the same bytes, have the same."""
    return _identity(item).id


def reason_of(item: Held | Broken) -> str:
    """The code of the reason for which something waits."""
    if isinstance(item, Held):
        return item.reason
    return "set-aside" if item.set_aside else "broken"


def message_held_id(message: Message) -> str:
    """The logical id of the Task that a message has if it was ever held."""
    return held_identity(message).id


def former_held_id(message: Message, external_id: str = "") -> str:
    """The id that earlier builds gave to the Task of any message with that external id.

    Its own external id is meant where none is given.
    """
    return _held_id(message, external_id).id


def holding(item: Held | Broken) -> Holding:
    """The Task and the Binary of something that has to wait."""
    identity = _identity(item)
    if isinstance(item, Held):
        message, reason = item.message, item.reason
        content, content_type = encode_message(message), MESSAGE_TYPE
        channel, detail = message.channel, DESCRIPTIONS[reason]
    else:
        reason, content, channel = reason_of(item), item.content, item.channel
        content_type = media_type_of(item.content_type)
        detail = f"{DESCRIPTIONS[reason]} {item.source}: {item.reason}"
    binary_id = Identity(codes.ATTACHMENT, identity.value).id
    to_review = reason in _TO_REVIEW
    kinds = ("quarantine", "review") if to_review else ("quarantine",)
    task: Resource = {
        "resourceType": "Task",
        "identifier": [identity.as_json()],
        "status": "requested",
        "intent": "order",
        "code": codes.task_code(*kinds),
        "description": detail,
        "reasonCode": codes.reason(reason),
    }
    if isinstance(item, Held) and item.twin:
        task["focus"] = reference(item.twin)
    # A day to come is no day on which anything was sent; what was written is in the Binary.
    if isinstance(item, Held) and reason != "future-date":
        task["authoredOn"] = fhir_time(microseconds(item.message.sent))
    task["input"] = [_input("message", valueReference=reference(f"Binary/{binary_id}"))]
    if channel:
        task["input"].append(_input("channel", valueString=channel))
    if isinstance(item, Held):
        task["input"] += [
            _input(name, valueContactPoint={"system": str(one.kind), "value": one.value})
            for name, addresses in (("unknown", item.unknown), ("shared", item.shared))
            for one in addresses
        ]
    binary = {
        "resourceType": "Binary",
        "contentType": content_type,
        "securityContext": reference(f"Task/{identity.id}"),
    }
    return Holding(identity.id, task, binary_id, binary, content, to_review)


def placed_at_last(task: Resource) -> Resource:
    """The Task of a message that has its place now."""
    return {**task, "status": "completed"}


def dismissed(task: Resource, by: Agent) -> Resource:
    """The Task of a message that will never have a place, as somebody says."""
    out = {**task, "status": "cancelled", "statusReason": {"text": _DISMISSED}}
    if outputs := [*(task.get("output") or ()), *answered_by(by)]:
        out["output"] = outputs
    return out


def is_dismissed(task: Resource) -> bool:
    """Whether somebody has closed the Task of a held message, which never got a place."""
    return task.get("status") in _CLOSED


def held_again(task: Resource) -> Resource:
    """The Task of a dismissed message, as it waits again."""
    out = {name: value for name, value in task.items() if name not in ("statusReason", "output")}
    if outputs := [one for one in task.get("output") or () if not is_answered_by(one)]:
        out["output"] = outputs
    return {**out, "status": "requested"}


def encode_message(message: Message) -> bytes:
    """The whole message as JSON, attachments in base64."""
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError:
        return msgspec.json.encode(_encodable(msgspec.to_builtins(message)))


def decode_message(content: bytes) -> Message:
    """The message that ``encode_message`` wrote; raises ``ValueError`` for anything else."""
    return msgspec.json.decode(content, type=Message)


def _identity(item: Held | Broken) -> Identity:
    if isinstance(item, Held):
        return held_identity(item.message)
    # Of what could not even be opened there is only a name to tell it by.
    content = item.content or item.source.encode(errors="surrogateescape")
    digest = sha256(item.channel.encode() + b"\0" + content).hexdigest()
    return Identity(codes.QUARANTINE, f"sha256:{digest}")


def _held_id(message: Message, external_id: str = "") -> Identity:
    own = message_identity(message.channel, external_id or message.external_id)
    return Identity(codes.QUARANTINE, f"{message.channel}|{own.value}")


def _encodable(value: Any) -> Any:
    """``value`` with a question mark for each half of a surrogate pair, which no JSON can hold."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {name: _encodable(one) for name, one in value.items()}
        case list() | tuple():
            return [_encodable(one) for one in value]
        case _:
            return value


def _input(text: str, **value: Any) -> dict[str, Any]:
    return {"type": {"text": text}, **value}
