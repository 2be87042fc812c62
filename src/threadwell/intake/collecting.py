"""Fewer garbage collections while messages stream through.

An import makes millions of objects that live on in no cycles; looking through all that is at hand
every 700 of them takes a quarter of its time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARE = 50_000
_usual: list[tuple[int, int, int]] = []


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect rarely until it is left; imports that overlap leave the usual thresholds behind."""
    usual = _usual[0] if _usual else gc.get_threshold()
    _usual.append(usual)
    gc.set_threshold(max(_RARE, usual[0]), *usual[1:])
    try:
        yield
    finally:
        _usual.pop()
        if not _usual:
            gc.set_threshold(*usual)


@contextmanager
def no_collections() -> Iterator[None]:
    """No garbage collection until it is left, for work of which little is in cycles and all of it
    is let go of at its end, such as a part of a backfill. Then what it has left in cycles goes:
    only what was made meanwhile is looked through.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if before:
            gc.enable()
