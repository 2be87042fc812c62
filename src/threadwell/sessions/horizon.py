"""From when on the sessions of a policy may differ, when messages come or go.

Whoever keeps the sessions of a long history cuts anew only what lies beyond that horizon. A policy
that does not tell it is asked about the whole history each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from threadwell.sessions.session import NEVER, Policy, PolicyOptions, Sent, Session

#: Before every message.
BEGINNING = -NEVER


class FarSightedPolicy(Protocol):
    """A policy that tells how far back a message may change its sessions."""

    def __call__(self, messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
        """The sessions where nobody has acted."""
        ...

    def horizon(self, messages: Sequence[Sent], at: int, options: PolicyOptions) -> int:
        """A moment not after ``at``, as far as messages come, go or change from ``at`` on.

        ``messages`` are those of now, in the order of time. Neither before nor after such a change
        has a session messages on both sides of the moment, and each side is cut as if the other
        were not there. ``BEGINNING`` is always right.
        """
        ...


def horizon(policy: Policy, messages: Sequence[Sent], at: int, options: PolicyOptions) -> int:
    """The moment, in microseconds since 1970 UTC, from which on sessions have to be cut anew.

    Nobody may have acted on them.
    """
    # To ask whether it is a ``FarSightedPolicy`` takes longer than to cut a day.
    tell = getattr(policy, "horizon", None)
    return BEGINNING if tell is None else min(at, tell(messages, at, options))
