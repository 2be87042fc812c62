"""One thread is one session, from its first message to its last."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.sessions.session import PolicyOptions, Sent, Session


def per_thread(messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
    """A session for each thread; it is over after a silence of ``options.rest``."""
    threads: dict[str, list[Sent]] = {}
    for message in messages:
        threads.setdefault(message.thread, []).append(message)
    return [
        Session(thread, tuple(those), those[-1].at + options.rest_us)
        for thread, those in threads.items()
    ]
