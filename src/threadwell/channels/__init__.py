"""Channels: what arrives becomes messages. One folder a channel.

No channel imports another; ``threadwell.app`` lists them.

A module is loaded when something of it is asked for: a list needs only what ways are called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadwell.channels.channel import HEAD_BYTES, Channel, ReadOptions
    from threadwell.channels.reading import UnknownChannel, read_path

__all__ = ["HEAD_BYTES", "Channel", "ReadOptions", "UnknownChannel", "read_path"]

_ROOMS: dict[str, tuple[str, ...]] = {
    "channel": ("HEAD_BYTES", "Channel", "ReadOptions"),
    "reading": ("UnknownChannel", "read_path"),
}
_HOMES = {name: f"{__name__}.{room}" for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
