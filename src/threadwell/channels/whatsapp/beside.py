"""Which messages an export has beside one that was deleted.

An export tells of a deleted message who wrote it and in which minute, and not which it was. An
earlier export may have it with its words: then it is none of those that this one has of that
minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from threadwell.messages import Broken, Message

#: Of more messages in one minute nobody could tell which it was; and bytes of their files.
_MOST, _BYTES = 50, 32 * 1024 * 1024


def beside_deleted(items: Iterable[Message | Broken]) -> Iterator[Message | Broken]:
    """The items, and on messages of a minute in which their sender has deleted one, all its ids."""
    for minute, some in groupby(items, key=_minute):
        if minute is None:
            yield from some
            continue
        group: list[Message | Broken] = []
        size = 0
        for one in some:
            group.append(one)
            size += _size(one)
            if size > _BYTES or len(group) > _MOST:
                # A minute of very many stays what it is, and is not kept at hand.
                yield from group
                group, size = [], _BYTES
        yield from group if size >= _BYTES else _told(group)


def _told(group: list[Message | Broken]) -> Iterator[Message | Broken]:
    messages = [one for one in group if isinstance(one, Message)]
    deleting = {one.sender.key for one in messages if one.taken_back}
    ids = {
        sender: tuple(one.external_id for one in messages if one.sender.key == sender)
        for sender in deleting
    }
    for one in group:
        mine = ids.get(one.sender.key) if isinstance(one, Message) else None
        yield replace(one, besides=mine) if isinstance(one, Message) and mine else one


def _size(item: Message | Broken) -> int:
    files = item.attachments if isinstance(item, Message) else ()
    return sum(len(one.content or b"") for one in files)


def _minute(item: Message | Broken) -> datetime | None:
    wall = item.wall if isinstance(item, Message) else None
    return wall.replace(second=0, microsecond=0) if wall else None
