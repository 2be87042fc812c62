"""How often a decision is made again that others' writes have overtaken."""

from __future__ import annotations

import asyncio
import random
from time import monotonic

from threadwell.stores.contract import StoreError

BUSY = "others keep writing to the same sessions; import again when they are done"

#: How often somebody may have got an address meanwhile, before a commit does not look any more:
#: a store that finds people otherwise than we do must not stop all.
MOST_UNFIT = 3

#: No decision is given up before so many attempts, nor before so many seconds.
ATTEMPTS = 20
SECONDS = 30.0
#: Seconds for what has another turn later.
BRIEF = 1.0
#: The longest pause after the first refusal, and after any: it doubles in between.
_FIRST, _LONGEST = 0.02, 0.25


class Contended(StoreError):
    """Others kept writing to what was to be changed."""


class Patience:
    """The attempts to decide and commit one thing, with pauses between them.

    Pauses are random, or those who met would meet again at every attempt. They stay short: who
    waits longer and longer has no chance against those who come later. It takes both attempts and
    time to give up: on a busy machine few attempts take long, on an idle one many are soon over.
    """

    def __init__(self, seconds: float | None = None) -> None:
        """``seconds`` where it is not worth to wait for as long as usual."""
        self._until = monotonic() + (SECONDS if seconds is None else seconds)
        self._made = 0

    async def turn(self) -> bool:
        """Wait for the next attempt; false, at once, where it is time to give up."""
        made, self._made = self._made, self._made + 1
        if made >= ATTEMPTS and monotonic() >= self._until:
            return False
        if made:
            longest = min(_FIRST * 2 ** min(made - 1, 10), _LONGEST)
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - it hides nothing
        return True
