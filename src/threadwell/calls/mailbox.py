"""A mailbox on a mail server, over IMAP (RFC 3501, RFC 2177): read, and never changed.

Every method waits for the server, so it is called in a thread. Whatever goes wrong is a
``MailboxFailed``, after which the connection is of no use any more.
"""

from __future__ import annotations

import re
import selectors
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from threadwell.calls.addresses import PRIVATE, is_private

PORT = 993
#: Seconds to connect, and to wait for the next bytes.
_CONNECT, _READ = 10.0, 60.0
#: Codes of an answer that may be another one later (RFC 5530 §3).
_NOT_NOW = re.compile(r"\[(?:UNAVAILABLE|LIMIT|INUSE|SERVERBUG)\]")


class MailboxFailed(Exception):
    """The mailbox cannot be read now; the message says why, without anything that is in it.

    ``refused`` says that the server does not take who asks: to ask again at once is in vain.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is, and who asks for it.

    ``token`` is an OAuth 2.0 access token, in the place of a ``password``. A connection without
    TLS (``secure``), and one to this machine or into a private network, is made only to a host
    that is ``allowed``.
    """

    host: str
    user: str
    port: int = PORT
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    secure: bool = True
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A mail as the server has it. ``raw`` is ``None`` where it does not hand the mail over."""

    uid: int
    raw: bytes | None = field(repr=False)
    flags: tuple[str, ...]
    arrived: datetime | None


class Mailbox:
    """A connection to a mailbox of which one folder is open at a time, to be read only."""

    def __init__(self, place: Place) -> None:
        """Connect and log in."""
        from imapclient import IMAPClient, SocketTimeout

        self._place = place
        if not (place.secure or place.allowed):
            raise MailboxFailed(f"{place.host} has to be reached with TLS, or allowed by its name")
        self._look_up()
        with self._speaking():
            self._client = IMAPClient(
                place.host,
                place.port,
                ssl=place.secure,
                ssl_context=ssl.create_default_context() if place.secure else None,
                timeout=SocketTimeout(_CONNECT, _READ),
            )
        try:
            with self._speaking():
                # A server's names of folders are bytes; times are kept with their zone.
                self._client.normalise_times = False
                self._log_in()
                self.idles = bool(self._client.has_capability("IDLE"))
        except BaseException:
            self.close()
            raise

    def open(self, folder: str) -> int:
        """Open a folder to be read; the UIDVALIDITY by which its mails are numbered."""
        with self._speaking(f"there is no folder {folder!r} that can be read"):
            said = self._client.select_folder(folder, readonly=True)
            return int(said[b"UIDVALIDITY"])

    def after(self, uid: int, since: date | None) -> list[int]:
        """The numbers of the mails that follow ``uid``, in order; those since a day, if given."""
        wanted: list[Any] = ["UID", f"{uid + 1}:*"]
        if since is not None:
            wanted += ["SINCE", since]
        with self._speaking():
            # The last mail is among them whatever its number is (RFC 3501 §6.4.8).
            return sorted(one for one in self._client.search(wanted) if one > uid)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """How many bytes each of those mails has; one that is gone is not in it."""
        with self._speaking():
            said = self._client.fetch(uids, ["RFC822.SIZE"])
            return {uid: int(one[b"RFC822.SIZE"]) for uid, one in said.items()}

    def fetch(self, uids: Sequence[int]) -> list[Held]:
        """Those mails, in order, without one of them being marked as seen."""
        with self._speaking():
            said = self._client.fetch(uids, ["BODY.PEEK[]", "FLAGS", "INTERNALDATE"])
            return [_held(uid, said[uid]) for uid in sorted(said) if uid in uids]

    def idle(self) -> None:
        """Have the server tell at once what happens in the open folder."""
        with self._speaking():
            self._client.idle()

    def has_told(self) -> bool:
        """Whether the server has told anything since ``idle``, or is gone; does not wait.

        What it was is not read here: the client's own reading takes the end of a connection for
        silence (imapclient 4.1.0).
        """
        with self._speaking(), selectors.DefaultSelector() as selector:
            connection = self._client.socket()
            if isinstance(connection, ssl.SSLSocket) and connection.pending():
                return True
            selector.register(connection, selectors.EVENT_READ)
            return bool(selector.select(0))

    def stop_idling(self) -> None:
        """Do something else again."""
        with self._speaking():
            self._client.idle_done()

    def close(self) -> None:
        """Leave; also while another thread waits for the server."""
        with suppress(Exception):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        with suppress(Exception):
            self._client.shutdown()

    def _look_up(self) -> None:
        place = self._place
        try:
            found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise MailboxFailed(f"there is no address for {place.host}") from None
        # Whatever the name means a moment later, a server there has to prove that it is this host.
        if not place.allowed and any(is_private(str(one[4][0])) for one in found):
            raise MailboxFailed(PRIVATE.format(host=place.host), refused=True)

    def _log_in(self) -> None:
        from imapclient.exceptions import IMAPClientAbortError, LoginError

        try:
            if self._place.token:
                self._client.oauth2_login(self._place.user, self._place.token)
            else:
                self._client.login(self._place.user, self._place.password)
        except LoginError as error:
            # A connection that broke off meanwhile is an error of the same kind.
            told = str(error).upper()
            if isinstance(error.__context__, IMAPClientAbortError) or _NOT_NOW.search(told):
                raise MailboxFailed(f"{self._place.host} lets nobody in for now") from None
            # Its words may quote what was given.
            what = "token" if self._place.token else "password"
            reason = f"{self._place.host} does not take the user and the {what}"
            raise MailboxFailed(reason, refused=True) from None

    @contextmanager
    def _speaking(self, otherwise: str = "") -> Iterator[None]:
        """Turn what the connection raises into ``MailboxFailed``, in words without any content."""
        from imapclient.exceptions import IMAPClientError

        host = self._place.host
        try:
            yield
        except MailboxFailed:
            raise
        except ssl.SSLCertVerificationError:
            reason = f"{host} cannot prove that it is that host"
        except TimeoutError:
            reason = f"{host} took too long"
        except ConnectionRefusedError:
            reason = f"{host} takes no connections"
        except OSError:
            reason = f"the connection to {host} failed"
        except IMAPClientError as error:
            # One that ends the connection is of this class too.
            is_no = type(error) is IMAPClientError
            reason = otherwise if otherwise and is_no else f"{host} broke off, or refused"
        except (ValueError, KeyError, TypeError, AssertionError):
            reason = f"{host} answers what is no IMAP"
        else:
            return
        raise MailboxFailed(reason) from None


#: Makes a connection; a test may bring another.
Connect = Callable[[Place], Mailbox]


def _held(uid: int, said: dict[bytes, Any]) -> Held:
    raw, arrived = said.get(b"BODY[]"), said.get(b"INTERNALDATE")
    flags = tuple(sorted(flag.decode("ascii", "replace") for flag in said.get(b"FLAGS", ())))
    return Held(
        uid,
        bytes(raw) if raw is not None else None,
        flags,
        arrived if isinstance(arrived, datetime) and arrived.tzinfo else None,
    )
