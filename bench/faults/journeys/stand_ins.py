"""Those whom a process calls, each in a process of its own that outlives it."""

from __future__ import annotations

import json
import os
import random
import signal
import socketserver
import tempfile
from collections.abc import Iterator
from email import message_from_bytes
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


class _StandIn:
    """A server in a process of its own, which writes what it has got to a file."""

    def __init__(self, make: Any) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "got"
        self._path.touch()
        server = make(self._path)
        server.daemon_threads = True
        # Whoever is killed breaks its connections off.
        server.handle_error = lambda *_: None
        self.port = int(server.server_address[1])
        self._pid = os.fork()
        if self._pid == 0:
            try:
                server.serve_forever()
            finally:
                os._exit(0)
        server.socket.close()

    def got(self) -> list[dict[str, str]]:
        """What it has got, in that order."""
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def close(self) -> None:
        """Stop it."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._folder.cleanup()


class Twilio(_StandIn):
    """Sends texts, lists them, and has a file. It does not know which requests are meant as one."""

    def __init__(self, file: bytes) -> None:
        super().__init__(
            lambda path: ThreadingHTTPServer(("127.0.0.1", 0), partial(_Provider, path, file))
        )

    def sent(self, body: str) -> list[str]:
        """The ids of what it has sent with these words."""
        return [one["sid"] for one in self.got() if one["body"] == body]


class _Provider(BaseHTTPRequestHandler):
    def __init__(self, path: Path, file: bytes, *given: Any) -> None:
        self._got, self._file = path, file
        super().__init__(*given)

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        told = {
            "sid": f"SM{random.getrandbits(128):032x}",
            "to": form["To"][0],
            "body": form["Body"][0],
            "status": "queued",
            "direction": "outbound-api",
            "num_media": "0",
            "date_created": formatdate(),
        }
        _note(self._got, told)
        self._reply(201, "application/json", json.dumps(told).encode())

    def do_GET(self) -> None:
        if self.path.startswith("/media/"):
            self._reply(200, "image/jpeg", self._file)
            return
        [to] = parse_qs(urlsplit(self.path).query)["To"]
        all_ = [json.loads(line) for line in self._got.read_text().splitlines()]
        found = [one for one in all_ if one["to"] == to]
        content = json.dumps({"messages": found[::-1][:1000]}).encode()
        self._reply(200, "application/json", content)

    def _reply(self, status: int, type_: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", type_)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Subscriber(_StandIn):
    """Takes whatever it is told."""

    def __init__(self) -> None:
        super().__init__(lambda path: ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ear, path)))

    def heard(self, id_: str, text: str) -> int:
        """How often it was told of a Task with that id and these words."""
        return sum(one == {"id": id_, "text": text} for one in self.got())


class _Ear(BaseHTTPRequestHandler):
    def __init__(self, path: Path, *given: Any) -> None:
        self._got = path
        super().__init__(*given)

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        _note(self._got, {"id": told["id"], "text": told["description"]})
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


class MailServer(_StandIn):
    """Takes every mail, as often as it comes."""

    def __init__(self) -> None:
        super().__init__(
            lambda path: socketserver.ThreadingTCPServer(("127.0.0.1", 0), partial(_Smtp, path))
        )

    def sent(self, body: str) -> list[str]:
        """The Message-IDs of the mails that have these words."""
        return [one["id"] for one in self.got() if one["body"].strip() == body]


_END = b".\r\n"


class _Smtp(socketserver.StreamRequestHandler):
    def __init__(self, path: Path, *given: Any) -> None:
        self._got = path
        super().__init__(*given)

    def handle(self) -> None:
        self._say("220 relay.example.org")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go on")
                lines = list(self._lines())
                if lines[-1:] != [_END]:
                    return  # whoever sent it is gone, and it was not all of it
                mail = message_from_bytes(b"".join(lines[:-1]))
                body = mail.get_payload(decode=True).decode().partition("\r\n\r\n")[0]
                _note(self._got, {"id": str(mail["Message-ID"]).strip("<>"), "body": body})
                self._say("250 taken")
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 yes")

    def _lines(self) -> Iterator[bytes]:
        for line in self.rfile:
            yield line
            if line == _END:
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def _note(path: Path, told: dict[str, str]) -> None:
    with path.open("a") as got:
        got.write(json.dumps(told) + "\n")
