"""Records of a message store become messages, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from threadwell.channels.channel import Channel, ChannelKind, ReadOptions
from threadwell.channels.objects import json_head
from threadwell.channels.records import read_records
from threadwell.channels.ringcentral.record import MEDIUM, NAME, message_of
from threadwell.messages import Broken, Message

_LISTS = ("records",)
_URI = re.compile(r'"uri"\s*:\s*"[^"\s]{0,200}/message-store/\d')
_TIME = re.compile(r'"creationTime"\s*:')


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file begins with records of a message store: by where they say that they are."""
    text = json_head(head)
    return bool(text and _URI.search(text) and _TIME.search(text))


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """The message of every record."""
    yield from read_records(path, NAME, _LISTS, partial(message_of, options))


CHANNEL = Channel(
    name=NAME,
    label="RingCentral",
    description="RingCentral: texts, faxes and voicemails of a message store, as JSON",
    sniff=sniff,
    read=read,
    zoned=True,
    kind=ChannelKind.SMS,
    medium=MEDIUM,
)
