"""One HTTP connection, with an end to patience: slow, silent and endless clients are cut off.

Uvicorn reads and writes HTTP; what it leaves to a proxy in front is here. Nothing is timed request
by request: a worker looks at all of its connections once a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from threadwell.api.context import MAX_BODY
from threadwell.api.load.meter import Meter
from threadwell.server.again import Learnt, breaks_lines, learnt
from threadwell.server.heads import MAX_HEAD, refusal
from threadwell.server.looked import Looked

#: Seconds for a request's head, from the first byte or from connecting.
HEAD_SECONDS = 10
#: Seconds after which a body has to come at ``MIN_RATE`` bytes a second on average.
BODY_GRACE, MIN_RATE = 10, 4096
#: Seconds in which a client has to take at least ``MIN_TAKEN`` bytes of its answer.
WRITE_SECONDS, MIN_TAKEN = 20, 4096
#: The same for both, once the server is to stop.
DRAIN_SECONDS = 2
#: Bytes of answers that wait for their readers, over all connections of a process.
MAX_WAITING = 256 * 1024 * 1024

#: The extensions of an ASGI scope that have ``push`` and ``answer``.
PUSH, ANSWER = "threadwell.push", "threadwell.answer"

#: A header has a colon, a space and the end of its line.
_BETWEEN = 4
Header: TypeAlias = tuple[bytes, bytes]

# A chunked body has some bytes more than what is in it.
_MAX_MESSAGE = MAX_BODY + MAX_BODY // 8


class Connection(HttpToolsProtocol, Looked):
    """A connection that ``look`` is called on once a second."""

    def __init__(self, *of: Any, meter: Meter, max_connections: int, **more: Any) -> None:
        super().__init__(*of, **more)
        self._meter = meter
        self._max_connections = max_connections
        self._got = 0
        self._head = 0
        self._seen: object = None
        self._seconds = 0
        self._stuck = 0
        self.waiting = 0
        self._extensions: dict[str, Any] = {
            PUSH: {"push": self.push},
            ANSWER: {"answer": self.answer},
        }
        # Whether a message has begun and is not all there, and how many have ended.
        self._is_open = False
        self._ended = 0
        self._learnt: Learnt | None = None
        self._defaults: tuple[Any, bytes] = (None, b"")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._max_connections:
            self._refuse(b"503 Service Unavailable", b"retry-after: 1\r\n", "connections")

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        known = self._learnt
        if known is not None and data.endswith(known.rest) and self._is_free():
            asked = known.asked(data)
            if asked is not None:
                self._begin(*asked, known.headers)
                return
        in_body = cycle is not None and cycle.more_body
        before = None if self._is_open else self._ended
        super().data_received(data)
        if self.cycle is not cycle:
            self._got = 0
            if before is not None and self._ended == before + 1 and not self._is_open:
                self._learnt = learnt(data, self.headers)
            return
        self._got += len(data)
        if self._got > (_MAX_MESSAGE if in_body else MAX_HEAD) and not self.transport.is_closing():
            if cycle is None or cycle.response_complete:
                self._refuse(b"431 Request Header Fields Too Large", b"", "head")
            else:
                self._cut("head")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        self._is_open = True
        self.scope["extensions"] = self._extensions

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_open = False
        self._ended += 1

    def on_url(self, url: bytes) -> None:
        self._head += len(url)
        # Of what is too large nothing is kept, and it is refused when it is all there.
        if self._head <= MAX_HEAD:
            super().on_url(url)
        else:
            self.url = b"/"

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value) + _BETWEEN
        if self._head <= MAX_HEAD:
            name = name.lower()
            if name == b"expect":
                super().on_header(name, value)
            else:
                self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        refused = refusal(self.headers, self._head, self.parser.get_http_version())
        if refused is None:
            super().on_headers_complete()
            return
        self._meter.refused("head")
        # Such a head is read anew each time.
        self._ended -= 1
        app, self.app = self.app, refused
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def push(self, content: bytes) -> bool:
        """Write more of the answer under way at once; false where it has to be sent in its turn.

        Of news for a thousand listeners the writing is what costs, and not the waking of each.
        ``content`` is a chunk as RFC 9112 §7.1 has it on the wire.
        """
        cycle = self.cycle
        if (
            cycle is None
            or cycle.response_complete
            or not cycle.chunked_encoding
            or self.transport.is_closing()
            or self.transport.get_write_buffer_size()
        ):
            return False
        self.transport.write(content)
        return True

    def answer(
        self, scope: Mapping[str, Any], status: int, headers: Sequence[Header], body: bytes
    ) -> bool:
        """Write a whole answer to the request of ``scope`` at once, with the length of its body.

        False where it has to be sent message by message.
        """
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope is not scope
            or cycle.response_started
            or cycle.disconnected
            or cycle.access_log
            or self.flow.write_paused
        ):
            return False
        if self._defaults[0] is not cycle.default_headers:
            self._defaults = (cycle.default_headers, _lines(cycle.default_headers))
        lines = [STATUS_LINE[status], self._defaults[1]]
        for name, value in headers:
            if name == b"connection" or breaks_lines(value):
                return False
            lines += (name, b": ", value, b"\r\n")
        if status not in (204, 304):  # RFC 9110 §8.6: these have no length to tell
            lines.append(b"content-length: %d\r\n" % len(body))
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        if scope["method"] != "HEAD":
            lines.append(body)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self.transport.write(b"".join(lines))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True

    def look(self, draining: bool) -> None:
        """A second has gone by: cut the connection off if nothing comes of it."""
        cycle = self.cycle
        is_new = cycle is not self._seen
        if is_new:
            self._seen = cycle
            self._seconds = 0
        waiting = self.transport.get_write_buffer_size()
        if waiting:
            has_taken = is_new or waiting <= self.waiting - MIN_TAKEN or not self.waiting
            self._stuck = 0 if has_taken else self._stuck + 1
            self.waiting = waiting
            if self._stuck >= (DRAIN_SECONDS if draining else WRITE_SECONDS):
                self._cut("slow")
            return
        self.waiting = self._stuck = 0
        if cycle is None or cycle.response_complete:
            # While uvicorn's own timer runs, no byte of a further request has come.
            if self.timeout_keep_alive_task is None:
                self._seconds += 1
                if self._seconds > HEAD_SECONDS:
                    self._cut("slow")
        elif cycle.more_body:
            self._seconds += 1
            late = self._seconds > BODY_GRACE and self._got < self._seconds * MIN_RATE
            if late or (draining and self._seconds > DRAIN_SECONDS):
                self._cut("slow")
        else:
            self._seconds = 0

    def cut_off(self) -> None:
        """End the connection at once, whatever waits to be sent."""
        self._cut("slow")

    def _is_free(self) -> bool:
        """Whether nothing is under way, so that what comes is the beginning of a request."""
        cycle = self.cycle
        return (
            cycle is not None
            and cycle.response_complete
            and not self._is_open
            and not self.pipeline
            and not self.transport.is_closing()
        )

    def _begin(self, path: str, raw: bytes, query: bytes, headers: list[Header]) -> None:
        """Begin to answer a GET without a body, whose headers came before."""
        self._unset_keepalive_if_required()
        self._got = self._head = 0
        self.headers = headers.copy()
        scope: Any = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": self.root_path,
            "headers": self.headers,
            "state": self.app_state.copy(),
            "method": "GET",
            "path": self.root_path + path,
            "raw_path": self.root_path.encode() + raw,
            "query_string": query,
            "extensions": self._extensions,
        }
        self.scope = scope
        self.cycle = cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        cycle.message_event.set()  # whoever asks for its body is told at once that it has none
        self._start_asgi_task(cycle, self.app)

    def _refuse(self, status: bytes, header: bytes, reason: str) -> None:
        self._meter.refused(reason)
        head = b"HTTP/1.1 %s\r\n%sconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(head % (status, header))
        self.transport.close()

    def _cut(self, reason: str) -> None:
        self._meter.refused(reason)
        self.transport.abort()


def _lines(headers: Sequence[Header]) -> bytes:
    return b"".join([b"%s: %s\r\n" % header for header in headers])


def look_at(connections: Collection[Any], *, draining: bool) -> None:
    """Look at each connection; where too much waits to be sent, the most goes first."""
    known = [one for one in connections if isinstance(one, Looked)]
    for connection in known:
        connection.look(draining)
    total = sum(connection.waiting for connection in known)
    if total > MAX_WAITING:
        for connection in sorted(known, key=lambda one: one.waiting, reverse=True):
            total -= connection.waiting
            connection.cut_off()
            if total <= MAX_WAITING:
                return
