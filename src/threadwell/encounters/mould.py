"""Ordinary messages as child Communications: the same of all of one way, but for what is their own.

Most messages say words and nothing else. Of those that go the same way, the children differ in ids,
times and words. So one child is made by ``child`` with holes in the place of these, and encoded;
whatever comes the same way is that, filled in. It is what ``child`` and ``stamp`` make, byte for
byte (``tests/property/test_moulds.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from threadwell.encounters.child import child
from threadwell.encounters.people import reference
from threadwell.encounters.placed import Link
from threadwell.encounters.said import says_words_alone
from threadwell.encounters.times import fhir_time, microseconds
from threadwell.fhir.json import encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant, stamp
from threadwell.messages import Address, Message

#: Moulds that are at hand: each circle has a few, and is worked on at once.
_MOST = 1024

# What stands in the holes: no message says it, and if one does, its way has no mould.
_ID, _VERSION, _EXTERNAL_ID, _HEADER, _TEXT = (f"\ue000{at}\ue001" for at in range(5))
_UPDATED = -1
_SENT, _RECEIVED = (datetime(1, 1, 1, microsecond=at, tzinfo=UTC) for at in (1, 2))


class Mould:
    """The child Communications of one way. ``parts`` are their JSON between the holes, with which
    a ``blank`` one was made.
    """

    __slots__ = ("_blank", "_meta", "_parts", "_system")

    def __init__(self, blank: Resource, parts: Sequence[bytes]) -> None:
        self._blank = blank
        self._meta = blank["meta"]
        self._system = blank["identifier"][0]["system"]
        self._parts = parts

    def filled(
        self, message: Message, sent: int, id_: str, header: str, version_id: str, updated: int
    ) -> tuple[Resource, bytes]:
        """The stamped child of a message of that way, and its bytes (``stamp``).

        ``sent`` is its time in microseconds since 1970 UTC, ``id_`` its logical id, ``header`` that
        of its thread header, and ``updated`` is in milliseconds since 1970 UTC.
        """
        at, now = fhir_time(sent), instant(updated)
        external_id, text = message.external_id, message.text
        out = self._blank.copy()
        out["id"] = id_
        out["meta"] = {**self._meta, "versionId": version_id, "lastUpdated": now}
        out["identifier"] = [{"system": self._system, "value": external_id}]
        out["partOf"] = [reference(f"Communication/{header}")]
        out["sent"] = at
        out["payload"] = [{"contentString": text}]
        received = b""
        if message.received is not None:
            out["received"] = time = fhir_time(microseconds(message.received))
            received = time.encode()
        # fmt: off
        a, b, c, d, e, f, g, h, i = self._parts
        return out, b"".join((
            a, id_.encode(), b, version_id.encode(), c, now.encode(), d, encode(external_id),
            e, header.encode(), f, at.encode(), g, received, h, encode(text), i,
        ))
        # fmt: on


def mould_of(message: Message, link: Link) -> Mould | None:
    """The mould of a message with that link; ``None`` where it is out of the ordinary."""
    # fmt: off
    if (
        link.reasons or link.reply or message.subject or message.references
        or message.in_reply_to or message.edited or message.wall or message.on_arrival
        or message.apart or message.also or not says_words_alone(message)
    ):
        return None
    # fmt: on
    return _mould(
        message.channel,
        message.source,
        message.medium,
        message.author,
        message.sender,
        message.recipients,
        link.subject,
        link.sender,
        link.recipients,
        link.said,
        message.received is not None,
    )


@lru_cache(maxsize=_MOST)
def _mould(
    channel: str,
    source: str,
    medium: str,
    author: str,
    sender: Address,
    recipients: tuple[Address, ...],
    subject: str,
    from_: str,
    to: tuple[str, ...],
    said: tuple[str, ...],
    is_received: bool,
) -> Mould | None:
    message = Message(
        *(channel, _EXTERNAL_ID, sender, recipients, _SENT, _TEXT, _TEXT),
        received=_RECEIVED if is_received else None,
        medium=medium,
        source=source,
        author=author,
    )
    link = Link(_HEADER, subject, from_, to, "", said=said)
    blank, body = stamp(child(message, _ID, link), _ID, _VERSION, _UPDATED)
    # In the order in which they stand there.
    holes = [_ID, _VERSION, blank["meta"]["lastUpdated"], f'"{_EXTERNAL_ID}"', _HEADER]
    holes += [blank["sent"], blank.get("received", ""), f'"{_TEXT}"']
    parts: list[bytes] = []
    for hole in holes:
        part, *rest = body.split(hole.encode()) if hole else (b"", body)
        if len(rest) != 1:
            return None
        parts.append(part)
        body = rest[0]
    return Mould(blank, [*parts, body])
