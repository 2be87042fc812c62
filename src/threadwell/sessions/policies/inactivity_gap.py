"""A silence longer than the gap ends the session."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.sessions.session import PolicyOptions, Sent, Session


def inactivity_gap(messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
    """Sessions named by their first message; each is over when ``options.gap`` has passed."""
    gap = options.gap_us
    runs: list[list[Sent]] = []
    for message in messages:
        if runs and message.at - runs[-1][-1].at <= gap:
            runs[-1].append(message)
        else:
            runs.append([message])
    return [Session(run[0].id, tuple(run), run[-1].at + gap) for run in runs]
