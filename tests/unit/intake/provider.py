"""A stand-in for Twilio's REST API on a real socket: it sends nothing, and remembers everything."""

from __future__ import annotations

import json
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Provider:
    """``next`` are what the next requests to send come to, in turn: a status to answer with, and
    perhaps a code; ``lost`` sends the message and breaks the connection off before it answers.
    """

    def __init__(self, port: int = 0) -> None:
        self.sent: list[dict[str, Any]] = []
        self.next: list[Any] = []
        self.asked = 0
        self.silent = False
        self.before: Any = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                form = parse_qs(self.rfile.read(length).decode())
                if provider.before is not None:
                    provider.before()
                what = provider.next.pop(0) if provider.next else 201
                if what in (201, "lost"):
                    told = provider.take(form)
                    if what == "lost":
                        self.close_connection = True
                        self.connection.close()
                        return
                    self.reply(201, told)
                else:
                    status, code = what
                    self.reply(status, {"code": code, "message": "no", "status": status})

            def do_GET(self) -> None:
                provider.asked += 1
                [to] = parse_qs(urlsplit(self.path).query)["To"]
                found = [] if provider.silent else [m for m in provider.sent if m["to"] == to]
                self.reply(200, {"messages": found[::-1]})

            def reply(self, status: int, body: Any) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        # Whoever lets go of it waits until it looks whether it is to end.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def take(self, form: dict[str, list[str]]) -> dict[str, Any]:
        told = {
            "sid": f"SM{len(self.sent) + 1:032x}",
            "from": form.get("From", [""])[0],
            "to": form["To"][0],
            "body": form.get("Body", [""])[0],
            "template": (
                form.get("ContentSid", [""])[0],
                json.loads(form.get("ContentVariables", ["{}"])[0]),
            ),
            "status": "queued",
            "direction": "outbound-api",
            "num_media": str(len(form.get("MediaUrl", []))),
            "media": form.get("MediaUrl", []),
            "callback": form.get("StatusCallback", [""])[0],
            "date_created": formatdate(),
        }
        self.sent.append(told)
        return told

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
