"""Records of Quo's API become messages, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from threadwell.channels.channel import Channel, ChannelKind, ReadOptions
from threadwell.channels.objects import json_head
from threadwell.channels.quo.record import MEDIUM, NAME, message_of
from threadwell.channels.records import read_records
from threadwell.messages import Broken, Message

_LISTS = ("data", "messages")
_NUMBER = re.compile(r'"phoneNumberId"\s*:\s*"(?:PN|OP)')
_DIRECTION = re.compile(r'"direction"\s*:\s*"(?:incoming|outgoing)"')
_ID = re.compile(r'"id"\s*:\s*"AC')


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file begins with messages of Quo: by the ids of a number and of a message."""
    text = json_head(head)
    return bool(text and all(one.search(text) for one in (_NUMBER, _DIRECTION, _ID)))


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """The message of every record."""
    yield from read_records(path, NAME, _LISTS, partial(message_of, options))


CHANNEL = Channel(
    name=NAME,
    label="Quo",
    description="Quo (OpenPhone): messages of its API, as JSON",
    sniff=sniff,
    read=read,
    zoned=True,
    kind=ChannelKind.SMS,
    medium=MEDIUM,
)
