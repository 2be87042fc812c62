"""How a store fails, but for a ``Conflict``, after which one decides anew."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be opened or cannot go on; the message names what and why."""


class StoreFull(StoreError):
    """There is no space left to write to: nothing was written; what is there can be read."""


class StoreBusy(StoreError):
    """More is asked of the store than it takes on: nothing was done, and may be asked again."""


class Unindexed(StoreError):
    """It is asked by a search parameter that the store is not indexed by, or by now no more."""


class StoreSlow(StoreError):
    """What was asked took longer than ``contract.LONGEST``: it was broken off, nothing was done."""


class StoreDamaged(StoreError):
    """What is stored can no longer be read as it was written: a backup is needed."""
