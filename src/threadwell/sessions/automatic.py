"""Where messages stand that answer for somebody who is away: within sessions, and in none alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from threadwell.sessions.session import Sent, Session


def with_automatic(sessions: Sequence[Session], messages: Sequence[Sent]) -> list[Session]:
    """The sessions of what people wrote, with the automatic ones of ``messages`` in them.

    Each is in the last session that had begun by then, if that was not over. It begins none, and
    keeps none going.
    """
    begun = sorted(
        (session.messages[0].at, at) for at, session in enumerate(sessions) if session.messages
    )
    more: dict[int, list[Sent]] = {}
    for one in messages:
        place = bisect_right(begun, (one.at, len(sessions))) - 1 if one.automatic else -1
        if place >= 0 and one.at < sessions[begun[place][1]].closes:
            more.setdefault(begun[place][1], []).append(one)
    return [
        session._replace(messages=tuple(sorted((*session.messages, *more[at]))))
        if at in more
        else session
        for at, session in enumerate(sessions)
    ]
