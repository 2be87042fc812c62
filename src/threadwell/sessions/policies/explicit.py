"""Sessions that somebody opens and closes on purpose."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.sessions.session import PolicyOptions, Sent, Session


def explicit(messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
    """Sessions from a message with an opening keyword to one with a closing keyword.

    A silence longer than ``options.gap`` closes too. An opening keyword within a session changes
    nothing. A session is named by the message that opened it; what lies outside stays without.
    """
    gap = options.gap_us
    sessions: list[Session] = []
    run: list[Sent] = []

    def close(at: int) -> None:
        sessions.append(Session(run[0].id, tuple(run), at))
        run.clear()

    for message in messages:
        if run and message.at - run[-1].at > gap:
            close(run[-1].at + gap)
        if run or message.opens:
            run.append(message)
        if run and message.closes:
            close(message.at)
    if run:
        close(run[-1].at + gap)
    return sessions
