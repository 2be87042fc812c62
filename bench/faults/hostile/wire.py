"""One connection over which requests go as they are, whatever a client library would forbid."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import TypeAlias

import zstandard

from bench.faults.hostile.grammar import Sent

Fields: TypeAlias = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Told:
    """What came back: the status, the header fields with small names, the body."""

    status: int
    headers: dict[str, str]
    body: bytes


def _plain(body: bytes, coding: str) -> bytes:
    match coding:
        case "gzip":
            return gzip.decompress(body)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
        case _:
            return body


class Wire:
    """Requests to one port of this machine, one after the other, on a connection kept open."""

    def __init__(self, port: int, *, patience: float = 60) -> None:
        self._port, self._patience = port, patience
        self._socket: socket.socket | None = None

    def ask(self, sent: Sent, more: Fields) -> Told:
        """Send it, with these header fields, too; what was answered.

        Raises ``TimeoutError`` where nothing comes for so many seconds, and ``OSError`` or
        ``HTTPException`` where the server hangs up without an answer twice.
        """
        content = self._content(sent, more)
        kept = self._socket is not None
        try:
            return self._once(content, sent.method)
        except TimeoutError:
            self.close()
            raise
        except (OSError, HTTPException):
            self.close()
            if not kept:
                raise
            # The server may have let go of the connection before it saw the request.
            return self._once(content, sent.method)

    def _content(self, sent: Sent, more: Fields) -> bytes:
        fields = [("host", f"127.0.0.1:{self._port}"), *sent.headers, *more]
        if sent.body or sent.method in ("POST", "PUT", "PATCH"):
            fields.append(("content-length", str(len(sent.body))))
        head = [f"{sent.method} {sent.target or '/'} HTTP/1.1", *(f"{k}: {v}" for k, v in fields)]
        return "\r\n".join([*head, "", ""]).encode("latin-1", "replace") + sent.body

    def _once(self, content: bytes, method: str) -> Told:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._patience)
        self._socket.sendall(content)
        with HTTPResponse(self._socket, method=method) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            if headers.get("content-type", "").startswith("text/event-stream"):
                # It would go on for as long as we listen.
                self.close()
                return Told(response.status, headers, b"")
            body = _plain(response.read(), headers.get("content-encoding", ""))
            told = Told(response.status, headers, body)
            if response.will_close:
                self.close()
            return told

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
