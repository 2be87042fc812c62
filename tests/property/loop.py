"""One event loop for the stores of all examples: what one has connected to, the next one has."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from kept_connections import KeptConnections

T = TypeVar("T")
_RUNNER = asyncio.Runner()
KEPT = KeptConnections(_RUNNER)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What comes of it."""
    with KEPT.lent():
        return _RUNNER.run(work)
