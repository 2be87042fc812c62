"""Channels as people name them on a command line, and as they are shown to them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from threadwell.app import channel, channel_labels
from threadwell.cli.errors import Misuse

if TYPE_CHECKING:
    from threadwell.inbox.words import Badges


def named_channel(name: str) -> str:
    """The name of the channel that is meant by ``name``, or by what people see; ``""`` is none."""
    if not name:
        return ""
    labels = channel_labels()
    for one, label in labels.items():
        if name.casefold() in (one, label.casefold()):
            return one
    raise Misuse(f"no channel {name!r}: there are {', '.join(labels)}")


def shown_channel(way: str) -> str:
    """What people call the channel, or the service within it (``twilio:whatsapp``)."""
    from threadwell.channels.services import service_of_way

    return _badges(service_of_way(way)[0]).of(way).name


@cache
def _badges(name: str) -> Badges:
    """Those of one channel: to load all of them takes longer than a page of a list."""
    from threadwell.inbox.words import Badges

    return Badges(filter(None, [channel(name)]))
