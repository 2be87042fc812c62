"""One HTTP connection, with an end to patience: slow, silent and endless clients are cut off.

Uvicorn reads and writes HTTP; what it leaves to a proxy in front is here. Nothing is timed request
by request: a worker looks at all of its connections once a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from threadwell.api.context import MAX_BODY
from threadwell.api.load.meter import Meter
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

#: The extension of an ASGI scope that has ``push``.
PUSH = "threadwell.push"

#: A header has a colon, a space and the end of its line.
_BETWEEN = 4
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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._max_connections:
            self._refuse(b"503 Service Unavailable", b"retry-after: 1\r\n", "connections")

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        in_body = cycle is not None and cycle.more_body
        super().data_received(data)
        if self.cycle is not cycle:
            self._got = 0
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
        self.scope["extensions"] = {PUSH: {"push": self.push}}

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
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        refused = refusal(self.headers, self._head, self.parser.get_http_version())
        if refused is None:
            super().on_headers_complete()
            return
        self._meter.refused("head")
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

    def _refuse(self, status: bytes, header: bytes, reason: str) -> None:
        self._meter.refused(reason)
        head = b"HTTP/1.1 %s\r\n%sconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(head % (status, header))
        self.transport.close()

    def _cut(self, reason: str) -> None:
        self._meter.refused(reason)
        self.transport.abort()


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
