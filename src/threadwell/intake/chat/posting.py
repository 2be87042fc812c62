"""A patient sends a message: into the journal like any delivery, once for each key of the app.

A receipt is written in the same commit. It answers whoever asks again, and refuses another message
under the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from threadwell.channels.account import Account
from threadwell.channels.chat.names import KEY, NAME, Patient
from threadwell.channels.chat.posted import MOST_BYTES, MOST_FILES, Posted, PostedFile, written
from threadwell.channels.delivery import Delivery
from threadwell.encounters.identity import message_identity
from threadwell.encounters.times import fhir_time, microseconds
from threadwell.fhir.json import decode
from threadwell.intake.arrivals.journal import arrived
from threadwell.intake.chat.due import kept_until
from threadwell.intake.chat.files import find_file
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.patience import Contended, Patience
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

#: Characters of a message.
MOST_TEXT = 10_000
#: An app that was offline for so long may have what it sends then recorded twice, if it was sent.
_KEPT_MS = 90 * 24 * 3600 * 1000
_RECEIPT = "chat-receipt"


class _Receipt(msgspec.Struct, frozen=True):
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that is durable; ``id`` is that of its Communication, once it is in the record.

    ``sent`` is a FHIR instant. It was ``there`` already where it was asked for again.
    """

    id: str
    key: str
    sent: str
    there: bool


async def post(
    store: Store,
    project: str,
    account: Account,
    patient: Patient,
    key: str,
    text: str,
    files: Sequence[str],
    now: int,
    display: str = "",
) -> Accepted:
    """Take a message; when it returns, it is durable. ``files`` are ids of uploaded ones.

    ``now`` is in milliseconds since 1970 UTC. Raises ``ChatRefused`` for what cannot be taken, and
    ``StoreError``: ``Contended`` among them, where others keep sending under that key.
    """
    _check(key, text, files)
    name = f"{project}/{patient.external_id(key)}"
    digest = sha256("\0".join([text, *files]).encode()).hexdigest()
    id_ = message_identity(NAME, patient.external_id(key)).id
    patience = Patience()
    while await patience.turn():
        value = await store.get_private(_RECEIPT, name)
        if value is not None:
            receipt = msgspec.json.decode(value, type=_Receipt)
            if receipt.digest != digest:
                raise ChatRefused("conflict", "another message has this key", "key")
            return Accepted(id_, key, _instant(receipt.at), True)
        there = await store.read(project, "Communication", id_)
        if there is not None:
            # Its receipt is gone: it was long ago, or this is another server's store by now.
            return Accepted(id_, key, str(decode(there.body).get("sent", "")), True)
        whole = await _files(store, project, patient, files)
        posted = Posted(account.name, patient.who, key, text, display, whole)
        delivery = Delivery(
            "POST",
            (f"/chat/{account.name}/messages",),
            {"content-type": "application/json"},
            written(posted),
            datetime.fromtimestamp(now / 1000, UTC),
        )
        kept = (
            arrived(project, account, delivery),
            Kept(_RECEIPT, name, msgspec.json.encode(_Receipt(digest, now)), before=None),
            kept_until(project, now + _KEPT_MS, _RECEIPT, name),
        )
        try:
            await store.commit(project, ChangeSet((), kept=kept))
        except Conflict:
            continue
        return Accepted(id_, key, _instant(now), False)
    raise Contended("others keep sending messages under the same key")


def _check(key: str, text: str, files: Sequence[str]) -> None:
    if not KEY.fullmatch(key):
        shape = "a key has 1 to 64 letters, digits and ._~-"
        raise ChatRefused("invalid", shape, "key")
    if not text.strip() and not files:
        raise ChatRefused("invalid", "a message says something, or has a file", "text")
    if len(text) > MOST_TEXT:
        raise ChatRefused("too-large", f"a text has at most {MOST_TEXT} characters", "text")
    if any(one < " " and one not in "\n\t" for one in text):
        raise ChatRefused(
            "invalid", "a text has no control characters but new line and tab", "text"
        )
    if len(files) > MOST_FILES:
        raise ChatRefused("too-many", f"a message has at most {MOST_FILES} files", "attachments")
    if len(set(files)) < len(files):
        raise ChatRefused("invalid", "a file is named twice", "attachments")


async def _files(
    store: Store, project: str, patient: Patient, ids: Sequence[str]
) -> tuple[PostedFile, ...]:
    out: list[PostedFile] = []
    for at, id_ in enumerate(ids):
        file = await find_file(store, project, patient, id_)
        if file is None:
            text = "there is no such file of yours, or it was uploaded more than a day ago"
            raise ChatRefused("not-found", text, f"attachments[{at}]")
        out.append(file)
    if sum(len(one.content) for one in out) > MOST_BYTES:
        text = f"the files of a message have at most {MOST_BYTES} bytes"
        raise ChatRefused("too-large", text, "attachments")
    return tuple(out)


def _instant(at: int) -> str:
    return fhir_time(microseconds(datetime.fromtimestamp(at / 1000, UTC)))
