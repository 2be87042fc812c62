"""The client that hands mails to a mail server (RFC 6409), with an end to patience.

As the client of HTTP does, it looks at every address that a host has, and connects to one of these.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import smtplib
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from threadwell.calls.addresses import PRIVATE, is_private
from threadwell.calls.mail_codes import code_of, meaning
from threadwell.calls.submission import Security, Submission, SubmissionFailed, Submitted

#: Seconds to connect.
_CONNECT = 15.0
_AT_ONCE = 8
_LOG_IN = 530
#: What can stand between ``<`` and ``>`` without meaning anything else.
_ADDRESS = re.compile(r"[^\s<>\x00-\x20\x7f]{1,320}")


class SmtpSubmitter:
    """Hands mails over, each in a thread and over a connection of its own, ``at_once`` at most."""

    def __init__(self, context: ssl.SSLContext | None = None, *, at_once: int = _AT_ONCE) -> None:
        self._context = context
        self._threads = ThreadPoolExecutor(at_once, "threadwell-mail")

    async def submit(self, submission: Submission) -> Submitted:
        """Hand a mail over; raises ``SubmissionFailed``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._submit, submission)

    def close(self) -> None:
        """Hand nothing over any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _submit(self, it: Submission) -> Submitted:
        if not all(map(_ADDRESS.fullmatch, (it.sender, *it.recipients))):
            raise SubmissionFailed("an address of it is none", again=False)
        free = it.host in it.hosts or f"{it.host}:{it.port}" in it.hosts
        if it.security is Security.NONE and not free:
            reason = f"{it.host} has to be reached with TLS, or allowed by its name"
            raise SubmissionFailed(reason, again=False)
        talk = _Talk(it, free, self._tls() if it.security is not Security.NONE else None)
        # Who sends a byte now and then would never be too slow for a socket's own timeout.
        ending = threading.Timer(it.seconds, talk.give_up)
        ending.daemon = True
        ending.start()
        try:
            return talk.hand_over()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # An answer that is no SMTP is a ``ValueError`` at worst.
            late = TimeoutError() if talk.given_up else error
            raise SubmissionFailed(_reason(it.host, late), doubtful=talk.gone_out) from None
        finally:
            ending.cancel()
            talk.close()

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context


class _Client(smtplib.SMTP):
    """Speaks over a connection that was made already."""

    def __init__(self, connected: socket.socket, domain: str, timeout: float) -> None:
        self._connected = connected
        super().__init__(local_hostname=domain, timeout=timeout)

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self._connected


class _Talk:
    """One mail and one connection. ``gone_out`` once the server may have all of the mail."""

    def __init__(self, it: Submission, free: bool, tls: ssl.SSLContext | None) -> None:
        self._it = it
        self._free = free
        self._tls = tls
        self._until = monotonic() + it.seconds
        self._connected: socket.socket | None = None
        self._client: _Client | None = None
        self.gone_out = False
        self.given_up = False

    def hand_over(self) -> Submitted:
        client = self._log_in()
        it = self._it
        wide = not all(map(str.isascii, (it.sender, *it.recipients)))
        if wide and not client.has_extn("smtputf8"):
            reason = f"{it.host} takes no address with such letters in it"
            raise SubmissionFailed(reason, again=False)
        said = client.esmtp_features.get("size", "")
        if said.isdigit() and 0 < int(said) < len(it.content):
            raise SubmissionFailed(meaning("5.3.4"), code="5.3.4", again=False)
        options = [f"size={len(it.content)}"] if client.has_extn("size") else []
        self._expect(client.mail(it.sender, [*options, *(["SMTPUTF8"] if wide else [])]))
        refused = self._recipients(client)
        number, text = client.docmd("DATA")
        if number != 354:
            raise _refusal(number, text)
        self._patience(self._until - monotonic())
        self.gone_out = True
        client.send(_stuffed(it.content))
        number, text = client.getreply()
        if number == -1:
            raise smtplib.SMTPServerDisconnected
        self.gone_out = False
        self._expect((number, text))
        with contextlib.suppress(OSError, smtplib.SMTPException, ValueError):
            self._patience(1.0)
            client.quit()
        return Submitted(refused)

    def give_up(self) -> None:
        """End it, whatever it waits for; from another thread."""
        self.given_up = True
        connected = self._connected
        if connected is not None:
            with contextlib.suppress(OSError):
                # That of a TLS socket would take its state away under whoever reads from it.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def close(self) -> None:
        """Leave, whatever was said."""
        with contextlib.suppress(Exception):
            if self._client is not None:
                self._client.close()
        with contextlib.suppress(Exception):
            if self._connected is not None:
                self._connected.close()

    def _recipients(self, client: _Client) -> dict[str, str]:
        """Name the recipients; those who are refused for good, if somebody is not."""
        refused: dict[str, tuple[int, bytes]] = {}
        for one in self._it.recipients:
            number, text = client.rcpt(one)
            if not 200 <= number < 300:
                if not 500 <= number < 600:
                    # Nobody gets it now, so that nobody gets it twice.
                    raise _refusal(number, text)
                refused[one] = number, text
        if len(refused) == len(self._it.recipients):
            raise _refusal(*next(iter(refused.values())))
        return {one: code_of(number, _text(text)) for one, (number, text) in refused.items()}

    def _log_in(self) -> _Client:
        it = self._it
        self._connect()
        assert self._connected is not None
        domain = it.sender.rpartition("@")[2]
        client = self._client = _Client(self._connected, domain, it.seconds)
        self._expect(client.connect(it.host, it.port))
        self._greet(client)
        if it.security is Security.STARTTLS:
            if not client.has_extn("starttls"):
                raise SubmissionFailed(f"{it.host} offers no TLS")
            self._expect(client.docmd("STARTTLS"))
            self._secure()
            # Whatever it has said so far, anybody may have said.
            client.file = None
            client.sock = self._connected
            self._greet(client)
        if it.user:
            self._prove(client)
        return client

    def _greet(self, client: _Client) -> None:
        number, text = client.ehlo()
        if not 200 <= number < 300:
            number, text = client.helo()
        self._expect((number, text))

    def _prove(self, client: _Client) -> None:
        """Say who we are."""
        it = self._it
        if not client.has_extn("auth"):
            raise SubmissionFailed(f"{it.host} lets nobody log in over this connection")
        offered = client.esmtp_features["auth"].upper().split()
        if it.token:
            said = f"user={it.user}\x01auth=Bearer {it.token}\x01\x01"
            number, text = client.docmd("AUTH", f"XOAUTH2 {_base64(said)}")
            # It says why not, and wants an empty line before it refuses.
            answers = [""]
        elif "PLAIN" in offered or "LOGIN" not in offered:
            said = f"\0{it.user}\0{it.password}"
            number, text = client.docmd("AUTH", f"PLAIN {_base64(said)}")
            answers = []
        else:
            number, text = client.docmd("AUTH", "LOGIN")
            answers = [_base64(it.user), _base64(it.password)]
        for answer in answers:
            if number == 334:
                number, text = client.docmd(answer)
        if number == -1:
            raise smtplib.SMTPServerDisconnected
        if number != 235:
            # Tried once: some servers lock an account after a few wrong passwords.
            reason = (
                f"{it.host} does not take the user and the {'token' if it.token else 'password'}"
            )
            if 400 <= number < 500:
                reason = f"{it.host} lets nobody in for now"
            raise SubmissionFailed(reason, code=code_of(number, _text(text)))

    def _connect(self) -> None:
        it = self._it
        found = socket.getaddrinfo(it.host, it.port, type=socket.SOCK_STREAM)
        if not self._free and any(is_private(str(one[4][0])) for one in found):
            raise SubmissionFailed(PRIVATE.format(host=it.host), again=False)
        last: OSError = OSError("no address")
        for family, _, _, _, address in found:
            connected = self._connected = socket.socket(family, socket.SOCK_STREAM)
            try:
                connected.settimeout(min(_CONNECT, max(0.1, self._until - monotonic())))
                connected.connect((address[0], it.port))
                connected.settimeout(it.seconds)
                if it.security is Security.TLS:
                    self._secure()
            except OSError as error:
                self._connected.close()
                last = error
                if isinstance(error, ssl.SSLError):
                    break
            else:
                return
        raise last

    def _secure(self) -> None:
        """Go on with TLS; the server has to prove that it is the host that was asked for."""
        assert self._tls is not None
        assert self._connected is not None
        # What is under way can be ended from outside only once it has its place.
        secured = self._connected = self._tls.wrap_socket(
            self._connected, server_hostname=self._it.host, do_handshake_on_connect=False
        )
        secured.do_handshake()

    def _patience(self, seconds: float) -> None:
        assert self._connected is not None
        self._connected.settimeout(max(0.1, seconds))

    def _expect(self, reply: tuple[int, bytes]) -> None:
        number, text = reply
        if not 200 <= number < 300:
            raise _refusal(number, text)


def _refusal(number: int, text: bytes) -> SubmissionFailed:
    if number == -1:
        raise smtplib.SMTPServerDisconnected
    code = code_of(number, _text(text))
    # Whoever has to log in first is an account that is not set up rightly.
    forever = 500 <= number < 600 and number != _LOG_IN
    words = meaning(code) or meaning(str(number))
    reason = "the mail server refuses it" if forever else "the mail server puts it off"
    return SubmissionFailed(f"{reason}: {words}" if words else reason, code=code, again=not forever)


def _text(text: bytes) -> str:
    return text.decode("ascii", "replace")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _stuffed(content: bytes) -> bytes:
    """The mail as it goes over the connection (RFC 5321 §4.5.2), its end included."""
    body = content if content.endswith(b"\r\n") else content + b"\r\n"
    body = body.replace(b"\r\n.", b"\r\n..")
    return (b"." + body if body.startswith(b".") else body) + b".\r\n"


def _reason(host: str, error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"{host} took too long"
        case socket.gaierror():
            return f"there is no address for {host}"
        case ssl.SSLCertVerificationError():
            return f"{host} cannot prove that it is that host"
        case ConnectionRefusedError():
            return f"{host} takes no connections"
        case smtplib.SMTPException() if not isinstance(error, smtplib.SMTPServerDisconnected):
            return f"{host} answers what is no SMTP"
        case OSError():
            return f"the connection to {host} failed"
        case _:
            return f"{host} answers what is no SMTP"
