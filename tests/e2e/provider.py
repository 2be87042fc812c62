"""A stand-in for a provider of text messages: it signs, delivers again, and keeps files.

It is on this machine, speaks HTTP over a socket, and signs as Twilio's documentation says.
"""

from __future__ import annotations

import base64
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import httpx

OFFICE = "+12125550100"
ACCOUNT, TOKEN = "AC" + "0" * 32, "f2b5a0d19c7e4a68"
_PAIR = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


@dataclass
class Provider:
    """What it delivers goes to ``hook``. ``files`` are served at ``files_url``, each by its path.

    A path in ``moved`` is redirected to that URL. ``asked`` are the paths that were asked for, and
    the credentials with which.
    """

    hook: str
    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    port: int = 0

    def request(self, said: dict[str, str]) -> httpx.Request:
        """The request that delivers signed parameters."""
        signed = self.hook + "".join(name + said[name] for name in sorted(said))
        digest = hmac.digest(TOKEN.encode(), signed.encode(), "sha1")
        return httpx.Request(
            "POST",
            self.hook,
            content=urlencode(said).encode(),
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "x-twilio-signature": base64.b64encode(digest).decode(),
            },
        )

    def once(self, said: dict[str, str]) -> httpx.Response:
        """Deliver once, over a connection of its own."""
        with httpx.Client(timeout=60) as client:
            return client.send(self.request(said))

    def deliver(self, said: dict[str, str], seconds: float = 60) -> int:
        """Deliver until it is acknowledged, as often as it takes; how often it took."""
        until = time.monotonic() + seconds
        tries = 1
        while True:
            try:
                answer = self.once(said)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code in (200, 204):
                return tries
            assert answer is None or answer.status_code >= 500, answer.text
            assert time.monotonic() < until, "it is not acknowledged"
            tries += 1
            time.sleep(0.1)

    def file_url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @contextmanager
    def serving_files(self) -> Iterator[None]:
        """Serve files to whoever has the credentials, until this ends."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.headers.get("authorization", "")
                provider.asked.append((self.headers.get("host", ""), self.path, given))
                if self.path in provider.moved:
                    self.send_response(307)
                    self.send_header("location", provider.moved[self.path])
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                content = provider.files.get(self.path)
                # What a redirect leads to needs no credentials, and must not get any.
                allowed = self.path.startswith("/bare/") or given == f"Basic {_PAIR}"
                self.send_response(401 if not allowed else 404 if content is None else 200)
                body = content if allowed and content is not None else b""
                self.send_header("content-type", "image/jpeg")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def text(number: int, body: str, who: str, **more: str) -> dict[str, str]:
    """The parameters of a text message."""
    return {
        "MessageSid": f"SM{number:032x}",
        "SmsStatus": "received",
        "From": who,
        "To": OFFICE,
        "Body": body,
        "NumMedia": "0",
        **more,
    }


def status(number: int, word: str, who: str, **more: str) -> dict[str, str]:
    """The parameters of a status callback, of a message that the practice has sent."""
    sid = f"SM{number:032x}"
    return {"MessageSid": sid, "MessageStatus": word, "To": who, "From": OFFICE, **more}
