"""One HTTP call as a value, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

#: Bytes of an answer beyond which it is not read further, where a call says nothing else.
MOST_BYTES = 32 * 1024 * 1024
#: Seconds for a whole call, redirects included.
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request to another server.

    ``headers`` may hold credentials: they are not in its ``repr``, and a redirect to another host
    does not get them. ``hosts`` are those (``host`` or ``host:port``) that may be reached though
    they are this machine or in a private network. ``most`` are the bytes that its answer may have.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    hosts: tuple[str, ...] = ()
    most: int = MOST_BYTES
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class Called:
    """The answer of the other server; names of ``headers`` are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def pause(self) -> float:
        """The seconds that it asks to wait (``Retry-After``, RFC 9110 §10.2.3), 0 if it does not.

        A date is not understood, nor is what is longer than some days.
        """
        said = self.headers.get("retry-after", "")
        return float(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0.0


class CallFailed(Exception):
    """No whole answer came; the message says why in plain words, and names no more than the host.

    ``again`` tells whether another try may go better. ``sent`` is false where it is certain that
    the other server was never reached, so that what was to be done there was not done.
    """

    def __init__(self, reason: str, *, again: bool, sent: bool = False) -> None:
        super().__init__(reason)
        self.again = again
        self.sent = sent


class Caller(Protocol):
    """Whoever makes calls."""

    async def call(self, call: Call) -> Called:
        """The answer, whatever its status; raises ``CallFailed``."""
        ...
