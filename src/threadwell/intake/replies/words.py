"""What somebody writes: given by itself, or as the Communication that a client makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from threadwell.encounters.drafts import beside
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.links import as_key, target
from threadwell.intake.replies.asked import BadReply, parent_of
from threadwell.messages import Attachment
from threadwell.stores.contract import Reading, Store, Stored


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody writes: ``sender`` is that person (``Practitioner/…``).

    ``answers`` is the message that it answers (``Communication/…``), ``""`` for the last one that
    came in. The same ``key`` given twice is one reply. ``more`` are elements of a Communication
    that stand on the message beside its own. A ``draft`` is what becomes of that message. Of a
    ``text`` that was ``filled_in`` nobody expects the same words when it is asked for again.
    """

    text: str
    sender: str
    answers: str = ""
    files: Sequence[Attachment] = ()
    key: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    draft: Stored | None = None
    filled_in: bool = False


async def words_of(
    store: Store, project: str, written: Resource, draft: Stored | None = None
) -> Words:
    """What a Communication says that a person of the practice has written; raises ``BadReply``.

    Its references are those of this store. Whatever is on it beside goes with the message.
    """
    texts: list[str] = []
    files: list[Attachment] = []
    for part in written.get("payload") or ():
        if "contentString" in part:
            texts.append(str(part["contentString"]))
        elif "contentAttachment" in part:
            files.append(await file_of(store, project, part["contentAttachment"]))
        else:
            raise BadReply("a reference cannot be sent as a message")
    answered: Mapping[str, Any] = next(iter(written.get("inResponseTo") or ()), {})
    answers = str(answered.get("reference", ""))
    more = dict(beside(written))
    if draft is not None and "identifier" in written:
        more["identifier"] = written["identifier"]
    return Words(
        "\n".join(texts),
        target(written, "sender"),
        "" if answers == parent_of(written) else answers,
        files,
        more=more,
        draft=draft,
    )


async def file_of(store: Reading, project: str, given: Mapping[str, Any]) -> Attachment:
    """The file of an Attachment, which is a Binary of the store; raises ``BadReply``."""
    key = as_key(str(given.get("url", "")))
    stored = await store.read(project, *key) if key.type == "Binary" else None
    if stored is None or stored.deleted:
        raise BadReply("what is attached is a Binary of this server: create it first")
    content = await store.content(project, key.id, stored.version_id)
    kind = str(given.get("contentType") or decode(stored.body).get("contentType", ""))
    return Attachment(str(given.get("title", "")), kind, content)
