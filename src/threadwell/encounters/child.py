"""A message as a child Communication: to FHIR, and the little that is changed later."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from hashlib import sha1
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.attribution import with_reasons
from threadwell.encounters.identity import Identity, message_identity
from threadwell.encounters.people import actor, address_of, reference
from threadwell.encounters.placed import Link
from threadwell.encounters.times import fhir_time, microseconds
from threadwell.fhir.resource import Resource
from threadwell.messages import Address, Message, media_type_of

#: Characters that a FHIR ``string`` may not hold (§2.24.0.1), and halves of surrogate pairs.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_SPACE_OR_EMPTY = re.compile(r"\s*")
#: A FHIR ``string`` holds at most 1 MB; a character takes up to four bytes.
_MOST_CHARACTERS = 250_000
_CLEANED = "control characters were left out"
_NO_CONTENT = {"url": codes.DATA_ABSENT, "valueCode": "unknown"}


class File(NamedTuple):
    """An attachment as a ``Binary``: its logical id, the resource and the bytes."""

    id: str
    resource: Resource
    content: bytes


def child(message: Message, id_: str, link: Link) -> Resource:
    """The child Communication of a message; ``id_`` is its logical id."""
    own = message_identity(message.channel, message.external_id)
    out: Resource = {
        "resourceType": "Communication",
        "identifier": [own.as_json(), *_references(message)],
    }
    out["partOf"] = [reference(f"Communication/{link.header}")]
    if link.reply:
        out["inResponseTo"] = [reference(f"Communication/{link.reply}")]
    out["status"] = "completed"
    if message.medium:
        out["medium"] = [codes.medium(message.medium)]
    if link.subject:
        out["subject"] = reference(link.subject)
    if topic := topic_of(message):
        out["topic"] = {"text": topic}
    out["sent"] = fhir_time(microseconds(message.sent))
    if message.received:
        out["received"] = fhir_time(microseconds(message.received))
    if message.recipients:
        out["recipient"] = recipients(message.recipients, link)
    out["sender"] = actor(link.sender, message.sender)
    payload = [*_text(message), *_attachments(message, id_)]
    out["payload"] = payload or [{"_contentString": {"extension": [_NO_CONTENT]}}]
    notes = [*message.notes, *(one.note for one in message.attachments if one.note)]
    if not payload:
        notes.append("the message is empty")
    if _FORBIDDEN.search(message.text) or _FORBIDDEN.search(message.subject):
        notes.append(_CLEANED)
    if notes:
        out["note"] = [{"text": note} for note in dict.fromkeys(notes)]
    return with_reasons(out, link.reasons) if link.reasons else out


def relink(stored: Resource, link: Link, sender: Address, to: tuple[Address, ...]) -> Resource:
    """A stored child with another link; everything else in it stays as it is."""
    out = {**stored, "partOf": [reference(f"Communication/{link.header}")]}
    out.pop("inResponseTo", None)
    out.pop("subject", None)
    if link.reply:
        out["inResponseTo"] = [reference(f"Communication/{link.reply}")]
    if link.subject:
        out["subject"] = reference(link.subject)
    # Who is known by the address alone keeps the name that came with this very message.
    named = {
        _address_of(stored_actor): stored_actor
        for stored_actor in (stored.get("sender") or {}, *(stored.get("recipient") or ()))
    }
    out["sender"] = _kept(actor(link.sender, sender), named)
    if to:
        out["recipient"] = [_kept(one, named) for one in recipients(to, link)]
    return with_reasons(out, link.reasons)


def recipients(addresses: tuple[Address, ...], link: Link) -> list[dict[str, Any]]:
    """The ``recipient`` elements, each person once."""
    seen: dict[str, dict[str, Any]] = {}
    for to, address in zip(link.recipients, addresses, strict=True):
        seen.setdefault(to or address.value, actor(to, address))
    return list(seen.values())


def files(message: Message, id_: str) -> Iterator[File]:
    """The attachments of a message whose content is there; ``id_`` is the child's logical id."""
    for at, attachment in enumerate(message.attachments):
        if attachment.content is not None:
            resource = {
                "resourceType": "Binary",
                "contentType": media_type_of(attachment.content_type),
                "securityContext": reference(f"Communication/{id_}"),
            }
            yield File(_file_id(id_, at), resource, attachment.content)


def topic_of(message: Message) -> str:
    """The subject as FHIR can hold it, ``""`` if there is none."""
    subject = clean(message.subject)
    return subject if _says_something(subject) else ""


def new_text_of(stored: Resource) -> str:
    """The part of a stored child's text that its sender wrote anew."""
    payload = stored.get("payload") or ()
    for part in payload:
        for extension in part.get("extension") or ():
            if extension.get("url") == codes.EXT_NEW_TEXT:
                return str(extension["valueString"])
    return "".join([part["contentString"] for part in payload if "contentString" in part])


def clean(text: str) -> str:
    """``text`` without the characters that no FHIR ``string`` may hold."""
    return _FORBIDDEN.sub("", text)


def _address_of(actor_: dict[str, Any]) -> str:
    address = address_of(actor_)
    return address.value if address else ""


def _kept(actor_: dict[str, Any], named: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return actor_ if "reference" in actor_ else named.get(_address_of(actor_), actor_)


def _says_something(text: str) -> bool:
    return bool(text) and not _SPACE_OR_EMPTY.fullmatch(text)


def _references(message: Message) -> Iterator[dict[str, Any]]:
    system = codes.REFERENCE + message.channel
    # In the order in which the message names them: threading goes by the first.
    for named in dict.fromkeys((*message.references, message.in_reply_to)):
        if named:
            out = Identity(system, named).as_secondary()
            if named == message.in_reply_to:
                out["type"] = {"text": codes.ANSWERED}
            yield out


def _text(message: Message) -> Iterator[dict[str, Any]]:
    text = clean(message.text)
    if not _says_something(text):
        return
    pieces = range(0, len(text), _MOST_CHARACTERS)
    for at in pieces:
        out: dict[str, Any] = {"contentString": text[at : at + _MOST_CHARACTERS]}
        if not at and message.new_text != message.text:
            new = clean(message.new_text)[:_MOST_CHARACTERS]
            if _says_something(new):
                out = {"extension": [{"url": codes.EXT_NEW_TEXT, "valueString": new}], **out}
        yield out


def _attachments(message: Message, id_: str) -> Iterator[dict[str, Any]]:
    for at, attachment in enumerate(message.attachments):
        out: dict[str, Any] = {"contentType": media_type_of(attachment.content_type)}
        if attachment.content is not None:
            out["url"] = f"Binary/{_file_id(id_, at)}"
            out["size"] = len(attachment.content)
            digest = sha1(attachment.content, usedforsecurity=False).digest()
            out["hash"] = base64.b64encode(digest).decode()
        if _says_something(attachment.filename):
            out["title"] = clean(attachment.filename)
        yield {"contentAttachment": out}


def _file_id(id_: str, at: int) -> str:
    return Identity(codes.ATTACHMENT, f"{id_}/{at}").id
