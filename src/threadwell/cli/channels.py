"""Channels as people name them on a command line, and as they are shown to them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from threadwell.app import channel_labels, channels
from threadwell.cli.errors import Misuse

if TYPE_CHECKING:
    from threadwell.inbox.words import Badges


def named_channel(name: str) -> str:
    """The name of the channel that is meant by ``name``, or by what people see; ``""`` is none."""
    if not name:
        return ""
    labels = channel_labels()
    for channel, label in labels.items():
        if name.casefold() in (channel, label.casefold()):
            return channel
    raise Misuse(f"no channel {name!r}: there are {', '.join(labels)}")


def shown_channel(way: str) -> str:
    """What people call the channel, or the service within it (``twilio:whatsapp``)."""
    return _badges().of(way).name


@cache
def _badges() -> Badges:
    from threadwell.inbox.words import Badges

    return Badges(channels())
