"""Reads all that an import is given, and brings it together before anything is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from threadwell.intake.gathered.spool import Belongs, Packed, Spool
from threadwell.intake.gathered.whose import Whose
from threadwell.intake.paging import in_batches
from threadwell.messages import Address, Broken, Message

#: Items whose circles are found at once.
_AT_ONCE = 1000
#: Items that are worth a commit of their own.
_LEAST = 1000


class Gathering:
    """What was read. ``ours`` are addresses that are the practice's by what its messages say.

    ``error`` is what the reading of them raised, in the end: what had been read is there.
    """

    def __init__(self, whose: Whose, memory: int, progress: Callable[[int], None]) -> None:
        self._whose: Whose | None = whose
        self._spool = Spool(memory)
        self._progress = progress
        self.count = 0
        self.ours: set[Address] = set()
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.__exit__(kind, error, trace)

    async def read(
        self, items: Iterable[Message | Broken], told: Callable[[int], Awaitable[None]]
    ) -> None:
        """Read all of it, once; ``told`` is told how much there is by now."""
        # Whoever was met is needed no longer when all is read.
        whose, self._whose = self._whose, None
        assert whose is not None
        try:
            for some in in_batches(items, _AT_ONCE):
                keys = await whose.of(some)
                self._spool.add(list(map(Belongs, keys, some)))
                for one in some:
                    if isinstance(one, Message) and one.ours:
                        self.ours.update(one.ours)
                self.count += len(some)
                self._progress(self.count)
                await told(self.count)
                await asyncio.sleep(0)  # Others have their turn.
        except Exception as error:  # noqa: BLE001 - it is raised when the rest is done
            self.error = error

    def parts(self) -> Iterator[list[Packed]]:
        """All that has a circle, a part at a time: pieces for ``spool.unpacked``."""
        return self._spool.parts()

    def shares(self, most: int, takers: int) -> Iterator[list[Packed]]:
        """The same for so many who take one after the other: small parts come together, until they
        have ``most`` items. The less is left, the smaller they are, so that all of them have work
        to the end.
        """
        return self._spool.parts(
            lambda given: min(most, max(_LEAST, (self.count - given) // (2 * takers)))
        )

    def waiting(self) -> Iterator[list[Packed]]:
        """All that has no circle. What it asks for concerns more than itself: it comes last."""
        return self._spool.waiting()
