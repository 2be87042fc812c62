"""A batch that is being committed while the next one is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from threadwell.intake.commits.batch import Batch
from threadwell.intake.run import Run

#: Decides a batch; called again on a new run if the store has moved on meanwhile.
Make = Callable[[Run], Awaitable[Batch]]


@dataclass(slots=True)
class OnItsWay:
    """A batch that is being committed, and how it was made, should it be refused."""

    commit: asyncio.Task[None]
    batch: Batch
    make: Make
