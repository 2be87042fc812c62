"""What a store may give back while nobody asks it anything."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Idle(Protocol):
    """A store that keeps at hand what the system has, too."""

    def rest(self) -> None:
        """Let go of it; what is asked next takes a little longer."""
        ...
