"""A message, or what could not be read as one, as bytes that another process reads back as it was.

Nothing of it may change on the way: the ids of what is made rest on it.
"""

from __future__ import annotations

import pickle
from datetime import UTC
from typing import TypeAlias

import msgspec

from threadwell.messages import Broken, Message

Item: TypeAlias = Message | Broken

_MESSAGE, _BROKEN, _PICKLED = b"m", b"b", b"p"
_encode = msgspec.json.Encoder().encode
_message = msgspec.json.Decoder(Message).decode
_broken = msgspec.json.Decoder(Broken).decode


def encode(item: Item) -> bytes:
    """The item as bytes."""
    if isinstance(item, Message) and not (_is_plain(item) or _has_whole_minutes(item)):
        return _PICKLED + pickle.dumps(item)
    try:
        return (_MESSAGE if isinstance(item, Message) else _BROKEN) + _encode(item)
    except UnicodeEncodeError:  # Half of a surrogate pair, as names of files may have.
        return _PICKLED + pickle.dumps(item)


def decode(content: bytes) -> Item:
    """The item that ``encode`` wrote. The bytes have to be its own: they are not checked."""
    kind, rest = content[:1], memoryview(content)[1:]
    if kind == _MESSAGE:
        return _message(rest)
    if kind == _BROKEN:
        return _broken(rest)
    found: Item = pickle.loads(rest)  # noqa: S301 - written by ourselves
    return found


def _is_plain(message: Message) -> bool:
    """Whether its only time is in UTC, as most have it."""
    return message.sent.tzinfo is UTC and message.received is None and message.edited is None


def _has_whole_minutes(message: Message) -> bool:
    """Whether the offset of a time can be written: zones of old had seconds in theirs."""
    times = (message.sent, message.received, message.edited)
    offsets = (one.utcoffset() for one in times if one is not None)
    return not any(one and one.total_seconds() % 60 for one in offsets)
