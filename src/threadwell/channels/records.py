"""Records out of the API of a phone system, kept as JSON, become messages one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.halves import NOTE
from threadwell.channels.objects import decode_object, read_objects
from threadwell.messages import Broken, Message

_KIND = "application/json"
_DAMAGED = "is damaged or breaks off"


class Refused(NamedTuple):
    """Why a record is no message, in plain words without any of its content.

    ``set_aside`` says that it was read, and is nothing that anybody sent as a message.
    """

    reason: str
    set_aside: bool = False


#: Makes the message of a record. The second argument are notes about what was read of it.
Parse = Callable[[dict[str, Any], tuple[str, ...]], Message | Refused]


def read_records(
    path: Path, channel: str, lists: Collection[str], parse: Parse
) -> Iterator[Message | Broken]:
    """The message of every record of a file, in its order and in constant memory.

    ``lists`` are what the lists of records are called in the pages of the API.
    """
    for number, piece in enumerate(read_objects(path, lists), start=1):
        where = f"{path.name}, record {number} (byte {piece.offset})"
        decoded = decode_object(piece.content) if piece.whole else None
        if decoded is None:
            yield Broken(channel, where, _DAMAGED, piece.content, _KIND)
            continue
        parsed = parse(decoded.value, (NOTE,) if decoded.halves else ())
        if isinstance(parsed, Refused):
            reason, set_aside = parsed
            yield Broken(channel, where, reason, piece.content, _KIND, set_aside=set_aside)
        else:
            yield parsed


def text_of(record: dict[str, Any], *names: str) -> str:
    """The first of some members that is there and is a text; ``""`` if none is."""
    values = (record.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), "")


def id_of(value: object) -> str | Refused:
    """An id that may be written as a number; refused where a program has lost its digits."""
    if isinstance(value, float):
        return Refused("an id in it is a number that has lost digits")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def maps_of(value: object) -> list[dict[str, Any]]:
    """The objects of a list, or the one that stands in its place."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, dict)]
