"""Files that an app has uploaded, and not named in a message yet: kept for a day, as they are."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from threadwell.channels.chat.names import Patient
from threadwell.channels.chat.posted import PostedFile
from threadwell.intake.chat.due import kept_until
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.patience import Contended, Patience
from threadwell.messages import parse_media_type
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

#: Bytes of one file, and of all that a patient's app has uploaded and may still name.
MOST_BYTES, MOST_WAITING = 10 * 1000 * 1000, 64 * 1000 * 1000
#: How many those may be.
_MOST_FILES = 50
_LONGEST_NAME = 255
_KEPT_MS = 24 * 3600 * 1000
_KIND, _INDEX = "chat-file", "chat-uploads"


async def keep_file(
    store: Store, project: str, patient: Patient, name: str, type_: str, content: bytes, now: int
) -> str:
    """Keep a file durably, and return its id; the same file has the same one.

    ``now`` is in milliseconds since 1970 UTC. Raises ``ChatRefused``, and ``StoreError``:
    ``Contended`` among them, where the app uploads too many at once.
    """
    kind = parse_media_type(type_)
    if kind is None:
        raise ChatRefused("unsupported-type", "it is no media type such as image/png", "type")
    if not content:
        raise ChatRefused("invalid", "the file is empty", "body")
    if len(content) > MOST_BYTES:
        raise ChatRefused("too-large", f"a file has at most {MOST_BYTES} bytes", "body")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ChatRefused("invalid", "a name is one line of at most 255 characters", "name")
    file = PostedFile(name or "file", str(kind), content)
    value = msgspec.msgpack.encode(file)
    id_ = sha256(value).hexdigest()[:40]
    patience = Patience()
    while await patience.turn():
        before = await store.get_private(_INDEX, _name(project, patient, ""))
        there: dict[str, tuple[int, int]] = (
            msgspec.json.decode(before, type=dict[str, tuple[int, int]]) if before else {}
        )
        waiting = {one: at for one, at in there.items() if at[1] > now and one != id_}
        if len(waiting) >= _MOST_FILES or (
            sum(size for size, _ in waiting.values()) + len(content) > MOST_WAITING
        ):
            text = "too many files wait to be sent: name them in messages, or wait a day"
            raise ChatRefused("too-many", text, "body")
        until = now + _KEPT_MS
        waiting[id_] = (len(content), until)
        index, own = _name(project, patient, ""), _name(project, patient, id_)
        kept = (
            Kept(_INDEX, index, msgspec.json.encode(waiting), before),
            Kept(_KIND, own, value),
            kept_until(project, until, _KIND, own),
            kept_until(project, until, _INDEX, index),
        )
        try:
            await store.commit(project, ChangeSet((), kept=kept))
        except Conflict:
            continue
        return id_
    raise Contended("others keep uploading files of the same patient")


async def find_file(store: Store, project: str, patient: Patient, id_: str) -> PostedFile | None:
    """A file that the app of this very patient has uploaded."""
    value = await store.get_private(_KIND, _name(project, patient, id_))
    return msgspec.msgpack.decode(value, type=PostedFile) if value is not None else None


def _name(project: str, patient: Patient, id_: str) -> str:
    return f"{project}/{patient.account}/{patient.who}/{id_}"
