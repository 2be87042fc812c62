"""What a worker looks at once a second, and cuts off where nothing comes of it."""

from __future__ import annotations

from abc import abstractmethod


class Looked:
    """A connection; ``waiting`` are the bytes that wait to be taken from us."""

    waiting: int

    @abstractmethod
    def look(self, draining: bool) -> None:
        """A second has gone by."""

    @abstractmethod
    def cut_off(self) -> None:
        """End it at once, whatever waits to be sent."""
