"""A mail server on this machine that takes mails for sending, and misbehaves when it is told to."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "care@clinic.example.org", "pässword"


@dataclass
class Taken:
    """A mail that was taken."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, as Python's own parser has it."""
        return message_from_bytes(self.raw, policy=default)  # type: ignore[return-value]


@dataclass
class Relay:
    """Takes every mail, for anybody who logs in where it wants that.

    ``next`` has what it does at the next mails, before it behaves again: ``("MAIL", "451 …")``,
    ``("RCPT", …)`` or ``("DATA", …)`` answers so; ``"lost"`` takes the mail and breaks off without
    an answer; ``"cut"`` breaks off without taking it. ``nobody`` has replies to recipients, each
    always. ``grey`` puts every new pair of sender and recipient off once. ``at_data`` is called
    when a mail has come.
    """

    folder: Path
    tls: str = "none"
    login: bool = False
    utf8: bool = True
    size: int = 33_554_432
    taken: list[Taken] = field(default_factory=list)
    next: list[Any] = field(default_factory=list)
    nobody: dict[str, str] = field(default_factory=dict)
    grey: bool = False
    seen: set[tuple[str, str]] = field(default_factory=set)
    at_data: Callable[[], object] | None = None
    connections: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        relay = self
        context = None
        if self.tls != "none":
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate(self.folder))

        class Server(Controller):
            def factory(self) -> SMTP:
                relay.connections += 1
                return SMTP(
                    relay,
                    hostname="relay.example.org",
                    enable_SMTPUTF8=relay.utf8,
                    data_size_limit=relay.size,
                    require_starttls=relay.tls == "starttls",
                    tls_context=context if relay.tls == "starttls" else None,
                    auth_required=relay.login,
                    auth_require_tls=relay.tls == "starttls",
                    authenticator=relay.authenticate,
                    timeout=20,
                )

        always = context if self.tls == "tls" else None
        self.server = Server(self, hostname="127.0.0.1", port=self.port, ssl_context=always)
        self._start()

    def _start(self) -> None:
        import socket

        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        self.server.port = self.port
        self.server.start()

    def close(self) -> None:
        """Take nothing any more."""
        self.server.stop()

    @property
    def context(self) -> ssl.SSLContext:
        """What a client has to believe."""
        return ssl.create_default_context(cafile=str(certificate(self.folder)))

    def authenticate(self, _server: Any, _session: Any, _env: Any, _how: str, said: Any) -> Any:
        pair = (said.login, said.password) if isinstance(said, LoginPassword) else ()
        good = pair == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=good or None)

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if why := self._next("MAIL"):
            return why
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if why := self.nobody.get(address) or self._next("RCPT"):
            return why
        pair = (str(envelope.mail_from), address)
        if self.grey and pair not in self.seen:
            self.seen.add(pair)
            return "451 4.7.1 Greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.at_data:
            self.at_data()
        if why := self._next("DATA"):
            return why
        lost = self.next.pop(0) if self.next[:1] in (["lost"], ["cut"]) else ""
        if lost != "cut":
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append(Taken(str(envelope.mail_from), list(envelope.rcpt_tos), content))
        if lost:
            assert server.transport is not None
            server.transport.abort()
        return "250 2.0.0 OK"

    def _next(self, verb: str) -> str:
        if self.next and isinstance(self.next[0], tuple) and self.next[0][0] == verb:
            return str(self.next.pop(0)[1])
        return ""


def certificate(folder: Path) -> Path:
    """A certificate of localhost with its key, made where it is not there yet."""
    path = folder / "relay.pem"
    if path.exists():
        return path
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path
