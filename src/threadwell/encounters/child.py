"""A message as a child Communication: to FHIR, and what is changed of it later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.actors import (
    actors_by_address,
    collapsed,
    kept,
    references_by_address,
    said_by_address,
)
from threadwell.encounters.attribution import with_reasons
from threadwell.encounters.child_ids import others_of, source_uri
from threadwell.encounters.identity import Identity, message_identity
from threadwell.encounters.people import actor, kept_reference, reference
from threadwell.encounters.placed import Link
from threadwell.encounters.said import (
    MOST_CHARACTERS,
    File,
    Said,
    file_of,
    named_ids,
    new_words,
    notes_of,
    text_of,
    topic_of,
)
from threadwell.encounters.times import fhir_time, microseconds, parse_fhir_time
from threadwell.fhir.resource import Resource
from threadwell.messages import Address, Message

_NO_CONTENT = {"url": codes.DATA_ABSENT, "valueCode": "unknown"}
_ABSENT = {"_contentString": {"extension": [_NO_CONTENT]}}


class Content(NamedTuple):
    """An attachment as a ``Binary``: its logical id, the resource and the bytes."""

    id: str
    resource: Resource
    content: bytes


def child(message: Message, id_: str, link: Link, files: Sequence[File] = ()) -> Resource:
    """The child Communication of a message, whose id and ``files_of`` these are."""
    own = message_identity(message.channel, message.external_id, message.apart)
    identifiers = [own.as_json()]
    if message.apart:
        identifiers.append(_shared(message.channel, message.external_id))
    elif message.also:
        identifiers += [
            message_identity(message.channel, one).as_secondary() for one in message.also
        ]
    if named := named_ids(message):
        identifiers += _references(message.channel, named, message.in_reply_to)
    out: Resource = {
        "resourceType": "Communication",
        "identifier": identifiers,
        "partOf": [reference(f"Communication/{link.header}")],
    }
    if message.source:
        out["meta"] = {"source": source_uri(message.channel, message.source)}
    if link.reply:
        out["inResponseTo"] = [reference(f"Communication/{link.reply}")]
    out["status"] = "in-progress" if message.author else "completed"
    if message.edited:
        edited = fhir_time(microseconds(message.edited))
        out["extension"] = [{"url": codes.EXT_EDITED, "valueDateTime": edited}]
        out["category"] = [codes.CORRECTED_MESSAGE]
    if message.medium:
        out["medium"] = [codes.medium(message.medium)]
    if link.subject:
        out["subject"] = reference(link.subject)
    if topic := topic_of(message):
        out["topic"] = {"text": topic}
    out["sent"] = fhir_time(microseconds(message.sent))
    if message.wall or message.on_arrival:
        wall = message.wall.isoformat() if message.wall else ""
        out["_sent"] = _of_time(wall, on_arrival=message.on_arrival)
    if message.received:
        out["received"] = fhir_time(microseconds(message.received))
    if message.recipients:
        out["recipient"] = recipients(message.recipients, link)
    out["sender"] = _sender(message.sender, link)
    text = text_of(message)
    new_text = "" if message.new_text == message.text else new_words(message)
    out["payload"] = _payload(text, new_text, files, id_)
    notes, gaps = notes_of(message)
    if notes or gaps:
        out["note"] = [{"text": note} for note in (*notes, *gaps)]
    return with_reasons(out, link.reasons) if link.reasons else out


def edited_at(stored: Resource) -> int:
    """When the sender of a stored child gave it its words; 0 where they are the first."""
    for one in stored.get("extension") or ():
        if one.get("url") == codes.EXT_EDITED:
            return parse_fhir_time(str(one.get("valueDateTime")))
    return 0


def files_of(message: Message) -> list[File]:
    """The files of a message, in its order."""
    return [file_of(one) for one in message.attachments]


def contents(message: Message, id_: str, files: Sequence[File]) -> Iterator[Content]:
    """The Binaries of its files whose bytes are there; ``files`` are its ``files_of``."""
    for file, attachment in zip(files, message.attachments, strict=True):
        if attachment.content is not None:
            yield content(file, id_, attachment.content)


def content(file: File, id_: str, bytes_: bytes) -> Content:
    """The Binary of a file; ``id_`` is the child's logical id."""
    resource = {
        "resourceType": "Binary",
        "contentType": file.type,
        "securityContext": reference(f"Communication/{id_}"),
    }
    return Content(_file_id(id_, file), resource, bytes_)


def revised(
    stored: Resource, now: Said, channel: str, id_: str, there: Mapping[tuple[str, int], str]
) -> Resource:
    """A stored child that says what more complete copies have told; ``id_`` is its logical id.

    What others added to it is kept; its links are those that it had (see ``relink``). ``there``
    are the urls of files that need no Binary of their own, by what tells their bytes.
    """
    out = {name: value for name, value in stored.items() if name not in _OF_SAID}
    own = [one for one in stored["identifier"] if not _is_reference(one)]
    out["identifier"] = [*own, *_references(channel, now.references, now.in_reply_to)]
    if now.medium:
        out["medium"] = [codes.medium(now.medium)]
    if now.subject:
        out["topic"] = {"text": now.subject}
    out["sent"] = fhir_time(now.sent)
    if now.wall or now.on_arrival:
        out["_sent"] = _of_time(now.wall, on_arrival=now.on_arrival)
    if now.received:
        out["received"] = fhir_time(now.received)
    known, said = references_by_address(stored), said_by_address(stored)
    if now.recipients:
        to = [(known.get(one.value, ""), one, said.get(one.value, "")) for one in now.recipients]
        out["recipient"] = collapsed(to)
    mine = now.sender.value
    out["sender"] = actor(known.get(mine, ""), now.sender, said.get(mine, ""))
    new_text = "" if now.new_text == now.text else now.new_text
    out["payload"] = _payload(now.text, new_text, now.files, id_, there)
    others = [one for one in stored.get("note") or () if one.keys() != {"text"}]
    if notes := [*({"text": note} for note in (*now.notes, *now.gaps)), *others]:
        out["note"] = notes
    return out


def urls(stored: Resource) -> dict[tuple[str, int], str]:
    """Where the files of a stored child are, by what tells their bytes."""
    attached = (one.get("contentAttachment") or {} for one in stored.get("payload") or ())
    return {
        (one.get("hash", ""), one.get("size", 0)): str(one["url"])
        for one in attached
        if "url" in one
    }


def told_apart(stored: Resource, channel: str, external_id: str, apart: str) -> Resource:
    """A stored child under the identity that it has among several messages of one id.

    Without ``apart`` it is the only one again.
    """
    own = message_identity(channel, external_id, apart)
    identifiers = [own.as_json()]
    if apart:
        identifiers.append(_shared(channel, external_id))
    identifiers += others_of(stored)
    rest = [one for one in stored["identifier"] if _is_reference(one)]
    return {**stored, "identifier": [*identifiers, *rest]}


def retired(stored: Resource) -> Resource:
    """A child whose message is recorded under another identity by now: it left its thread."""
    out = {name: value for name, value in stored.items() if name not in ("partOf", "inResponseTo")}
    out["identifier"] = [
        one if _is_reference(one) else {**one, "use": "old"} for one in stored["identifier"]
    ]
    return {**out, "status": "entered-in-error"}


def vacancy(channel: str, external_id: str) -> Resource:
    """What stands under an id that several messages share, where none was ever recorded so."""
    own = message_identity(channel, external_id)
    return {
        "resourceType": "Communication",
        "identifier": [{"use": "old", **own.as_json()}],
        "status": "entered-in-error",
        "statusReason": {"text": SHARED_ID},
    }


#: Why nothing is recorded under an id.
SHARED_ID = "Several messages have this id. Each is recorded under an identity of its own."


def relink(stored: Resource, link: Link, sender: Address, to: tuple[Address, ...]) -> Resource:
    """A stored child with another link; everything else in it stays as it is."""
    out = {**stored, "partOf": [reference(f"Communication/{link.header}")]}
    out.pop("inResponseTo", None)
    out.pop("subject", None)
    if link.reply:
        out["inResponseTo"] = [reference(f"Communication/{link.reply}")]
    if link.subject:
        out["subject"] = kept_reference(stored.get("subject"), link.subject)
    # Who is known by the address alone keeps the name that came with this very message.
    before = actors_by_address(stored)
    out["sender"] = kept(_sender(sender, link), before)
    if to:
        out["recipient"] = [kept(one, before) for one in recipients(to, link)]
    return with_reasons(out, link.reasons)


def recipients(addresses: tuple[Address, ...], link: Link) -> list[dict[str, Any]]:
    """The ``recipient`` elements, each person once. They are shared: never change them."""
    return list(_recipients(link.recipients, addresses, link.said[1:]))


# The messages of a thread go to the same people.
@lru_cache(maxsize=4096)
def _recipients(
    whom: tuple[str, ...], addresses: tuple[Address, ...], said: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    return tuple(collapsed(zip(whom, addresses, said or ("",) * len(addresses), strict=True)))


def _sender(address: Address, link: Link) -> dict[str, Any]:
    return actor(link.sender, address, link.said[0] if link.said else "")


#: What of a child ``Said`` holds, but for the identifiers.
_OF_SAID = frozenset(
    ("medium", "topic", "sent", "_sent", "received", "recipient", "sender", "payload", "note")
)


def _shared(channel: str, external_id: str) -> dict[str, Any]:
    return message_identity(channel, external_id).as_secondary()


def _references(channel: str, named: Iterable[str], in_reply_to: str) -> Iterator[dict[str, Any]]:
    system = codes.REFERENCE + channel
    for one in named:
        out = Identity(system, one).as_secondary()
        if one == in_reply_to:
            out = {"extension": [codes.identifier_role(codes.ANSWERED)], **out}
        yield out


def _is_reference(identifier: Mapping[str, Any]) -> bool:
    return str(identifier.get("system", "")).startswith(codes.REFERENCE)


def _of_time(wall: str, *, on_arrival: bool) -> dict[str, Any]:
    """What there is to know of ``sent``: what a clock showed, and that it is when it arrived."""
    extensions: list[dict[str, Any]] = []
    if wall:
        extensions.append({"url": codes.EXT_WALL, "valueString": wall})
    if on_arrival:
        extensions.append({"url": codes.EXT_ARRIVAL, "valueBoolean": True})
    return {"extension": extensions}


def _payload(
    text: str,
    new_text: str,
    files: Sequence[File],
    id_: str,
    there: Mapping[tuple[str, int], str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """The ``payload``; ``there`` are the urls of files that are stored already."""
    if not files and not new_text and 0 < len(text) <= MOST_CHARACTERS:
        return [{"contentString": text}]
    out: list[dict[str, Any]] = []
    for at in range(0, len(text), MOST_CHARACTERS):
        piece: dict[str, Any] = {"contentString": text[at : at + MOST_CHARACTERS]}
        if new_text and not at:
            piece = {"extension": [{"url": codes.EXT_NEW_TEXT, "valueString": new_text}], **piece}
        out.append(piece)
    for file in files:
        attached: dict[str, Any] = {"contentType": file.type}
        if file.there:
            attached["url"] = there.get(file.bytes_key) or f"Binary/{_file_id(id_, file)}"
            attached["size"] = file.size
            attached["hash"] = file.hash
        if file.name:
            attached["title"] = file.name
        out.append({"contentAttachment": attached})
    return out or [_ABSENT]


def _file_id(id_: str, file: File) -> str:
    return Identity(codes.ATTACHMENT, f"{id_}/{file.hash}").id
