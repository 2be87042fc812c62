"""Values between the processes of one import, which run the same build: pickled, in frames."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from threadwell.zones.release import Release
from threadwell.zones.zone import decode_zone, zone_of

#: Bytes of the length that stands before each frame.
_LENGTH = 8
#: Bytes that a process reads ahead.
AHEAD = 8 * 1024 * 1024


def dumps(value: object) -> bytes:
    """The value as bytes. Times keep the zone that they were read by."""
    out = BytesIO()
    _Pickler(out).dump(value)
    return out.getvalue()


def loads(text: bytes) -> Any:
    """What ``dumps`` was given, in a process of ours."""
    return pickle.loads(text)  # noqa: S301 - it comes from this build's own processes alone


async def receive(reader: asyncio.StreamReader) -> Any:
    """The next value; raises ``EOFError`` where the other one is gone."""
    try:
        size = int.from_bytes(await reader.readexactly(_LENGTH), "big")
        return loads(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError from error


def send(writer: asyncio.StreamWriter, value: object) -> None:
    """Send a value; ``writer.drain`` waits until there is room for more."""
    text = dumps(value)
    writer.write(len(text).to_bytes(_LENGTH, "big"))
    writer.write(text)


def _zone(name: str, release: tuple[Any, ...], rules: bytes) -> ZoneInfo:
    return decode_zone(name, Release(*release), rules).info


def _reduced(info: ZoneInfo) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    zone = zone_of(info)
    if zone is None:
        reduced: tuple[Callable[..., Any], tuple[Any, ...]] = info.__reduce__()  # type: ignore[assignment]
        return reduced
    return _zone, (zone.name, tuple(zone.release), zone.rules)


_REDUCED: dict[type, Callable[[Any], Any]] = {ZoneInfo: _reduced}


class _Pickler(pickle.Pickler):
    """A zone is pickled by its rules, which need not be those of the machine."""

    def __init__(self, out: BytesIO) -> None:
        super().__init__(out, pickle.HIGHEST_PROTOCOL)
        self.dispatch_table = _REDUCED
