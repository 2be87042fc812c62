"""A mail that is handed to a mail server as a value, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

#: The port for mails to be sent (RFC 6409), and the one where TLS comes first (RFC 8314).
PORT, TLS_PORT = 587, 465
#: Seconds for the whole of it, and those that each MB of the mail adds.
SECONDS, SECONDS_A_MB = 60.0, 2.0


class Security(StrEnum):
    """How a connection is made secure; ``NONE`` only to a host that is allowed by its name."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Submission:
    """A mail to be handed to a mail server for sending.

    ``id`` is its Message-ID without ``<>``, ``content`` the whole mail with CRLF at the end of each
    line, ``sender`` and ``recipients`` those of the envelope. ``token`` is an OAuth 2.0 access
    token, in the place of a ``password``. ``hosts`` are those (``host`` or ``host:port``) that may
    be reached though they are this machine or in a private network, or have no TLS.
    """

    id: str
    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes = field(repr=False)
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    hosts: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """After which it is over, whatever the server does."""
        return SECONDS + SECONDS_A_MB * len(self.content) / 1_000_000


@dataclass(frozen=True, slots=True)
class Submitted:
    """The server has taken the mail, for all but those whom it has refused for good.

    ``refused`` has the code of each of these, such as ``5.1.1``, else the reply's number.
    """

    refused: Mapping[str, str] = field(default_factory=dict)


class SubmissionFailed(Exception):
    """The mail was not taken; the message says why in plain words, without any of the content.

    ``code`` is the server's own. ``again`` tells whether another try may go better. ``doubtful``
    says that the whole mail had gone out before the connection was lost, so that the server may
    have taken it.
    """

    def __init__(
        self, reason: str, *, code: str = "", again: bool = True, doubtful: bool = False
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.again = again
        self.doubtful = doubtful


class Submitter(Protocol):
    """Whoever hands mails over."""

    async def submit(self, submission: Submission) -> Submitted:
        """Hand a mail over; raises ``SubmissionFailed``."""
        ...
