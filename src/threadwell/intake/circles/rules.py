"""How the sessions of circles are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threadwell.intake.settings import Settings
from threadwell.sessions import (
    BEGINNING,
    Act,
    Policy,
    Sent,
    Session,
    assign,
    horizon,
    with_automatic,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """How sessions are found: the settings, their policy, the practice, and the time (µs)."""

    settings: Settings
    assign: Policy
    provider: str
    now: int

    @property
    def by_patient(self) -> bool:
        """Whether a session may span all threads of a circle."""
        return self.settings.scope == "patient"

    def sessions(self, messages: Sequence[Sent], acts: Sequence[Act]) -> list[Session]:
        """The sessions of one scope: its messages in the order of time, and the acts on them."""
        typed = [one for one in messages if not one.automatic]
        found = assign(self.assign, typed, acts, self.settings.options)
        return found if len(typed) == len(messages) else with_automatic(found, messages)

    def horizon(self, messages: Sequence[Sent], acts: Sequence[Act], at: int) -> int:
        """The moment from which on sessions may differ, as far as messages come or go from ``at``.

        Acts may be on sessions of any time.
        """
        if acts or at == BEGINNING:
            return BEGINNING
        return horizon(self.assign, messages, at, self.settings.options)
