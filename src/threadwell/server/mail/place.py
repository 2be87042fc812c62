"""Where mails are taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how to listen. ``certificate`` and ``key`` are PEM files, of which one may do.

    ``listens`` is the descriptor of a socket that listens there already, below zero where none
    does.
    """

    host: str
    port: int
    lmtp: bool
    most: int
    certificate: Path | None = None
    key: Path | None = None
    must_tls: bool = False
    listens: int = -1

    def shown(self) -> str:
        """Where it is, as ``parse_place`` reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def context(self) -> ssl.SSLContext | None:
        """The TLS of the place, ``None`` without one; raises ``OSError`` for bad files."""
        if self.certificate is None:
            return None
        import ssl

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def parse_place(text: str, *, lmtp: bool = True, most: int = 50_000_000) -> Place:
    """Where to listen, by ``HOST:PORT``; raises ``ValueError``."""
    host, _, number = text.rpartition(":")
    if not host or not (number.isascii() and number.isdecimal()) or int(number) > 65535:
        raise ValueError(f"{text}: say where, such as 127.0.0.1:8024")
    return Place(host.strip("[]"), int(number), lmtp, most)
