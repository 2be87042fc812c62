"""What a store may tell of its commits to whoever counts them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Watcher(Protocol):
    """Counts; it is called once a commit, so it must be quick and never raise."""

    def waiting(self, change_sets: int) -> None:
        """So many change sets wait for the next commit."""
        ...

    def committed(self, change_sets: int, seconds: float) -> None:
        """So many change sets shared a commit, which took so long."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A store that groups change sets, and tells of it."""

    def watch(self, watcher: Watcher) -> None:
        """Tell ``watcher`` of every commit from now on."""
        ...
