"""The line between a browser and a server, as bad as a test wants it.

It listens on a socket of its own and passes on what it is sent, unless it is ``cut``, or answers
in the server's place as a proxy does.
"""

from __future__ import annotations

import contextlib
import socket
import threading

_AWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 11\r\n"
    b"connection: close\r\n\r\nbad gateway"
)
_PIECE = 65_536


class Line:
    """A line to a port of this machine.

    While it is ``cut`` nobody gets through. While it is ``away`` a proxy answers 502 to all, and to
    those whose first line begins with one of ``deaf`` at any time. While it ``swallows``, what is
    posted to a session gets through, and no answer comes back.
    """

    def __init__(self, to: int) -> None:
        self.to = to
        self.cut = self.away = False
        self.deaf: tuple[bytes, ...] = ()
        self.swallows = False
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """End what is open now."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.close()
        self.hang_up()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        self._open.add(caller)
        with caller, contextlib.suppress(OSError):
            if not self.cut and (asked := caller.recv(_PIECE)):
                if self.away or asked.startswith(self.deaf or b"\0"):
                    caller.sendall(_AWAY)
                else:
                    self._pass(caller, asked)
        self._open.discard(caller)

    def _pass(self, caller: socket.socket, asked: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.to), timeout=60) as server:
            server.settimeout(None)
            # One request a connection, so that each is looked at.
            server.sendall(asked.replace(b"Connection: keep-alive", b"Connection: close", 1))
            lost = self.swallows and asked.startswith(b"POST /sessions/")
            back = threading.Thread(target=_pump, args=(server, caller, not lost), daemon=True)
            back.start()
            _pump(caller, server, True)
            back.join()


def _pump(source: socket.socket, sink: socket.socket, kept: bool) -> None:
    """Pass on what comes; or, where it is not ``kept``, lose it and hang up."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            if not kept:
                break
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR if not kept else socket.SHUT_WR)
