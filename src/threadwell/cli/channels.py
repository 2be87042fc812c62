"""Channels as people name them on a command line."""

from __future__ import annotations

from threadwell.app import channel_labels
from threadwell.cli.errors import Misuse


def named_channel(name: str) -> str:
    """The name of the channel that is meant by ``name``, or by what people see; ``""`` is none."""
    if not name:
        return ""
    labels = channel_labels()
    for one, label in labels.items():
        if name.casefold() in (one, label.casefold()):
            return one
    raise Misuse(f"no channel {name!r}: there are {', '.join(labels)}")
