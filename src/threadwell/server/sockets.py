"""One WebSocket, with an end to patience: an app that takes nothing is cut off.

The protocol is that of the websockets library, as uvicorn speaks it: frames, pings, a closing
handshake, and no more read than the application takes. Nothing is compressed, so what it writes is
what anybody would who frames a text (``Direct``).
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from threadwell.api.line import DIRECT, Direct
from threadwell.server.looked import Looked

#: Seconds in which an app has to take at least ``MIN_TAKEN`` bytes of what waits for it.
WRITE_SECONDS, MIN_TAKEN = 20, 4096
#: The same once the server is to stop.
DRAIN_SECONDS = 2


class Socket(WebSocketsSansIOProtocol, Looked):
    """A socket that ``look`` is called on once a second."""

    def __init__(self, *of: Any, **more: Any) -> None:
        super().__init__(*of, **more)
        self._stuck = 0
        self.waiting = 0

    def handle_connect(self, event: Any) -> None:
        """A client asks to be let in."""
        super().handle_connect(event)
        # Who was refused has no scope.
        if scope := getattr(self, "scope", None):
            scope["extensions"][DIRECT] = Direct(self._is_free, self.transport.write)

    def _is_free(self) -> bool:
        """Whether a frame can be written now: nothing has to be taken first, and it is open."""
        return (
            self.writable.is_set()
            and self.handshake_complete
            and self.initial_response is None
            and not self.close_sent
            and not self.transport.is_closing()
        )

    def look(self, draining: bool) -> None:
        """A second has gone by: cut the socket off if nothing comes of it."""
        waiting = self.transport.get_write_buffer_size()
        has_taken = not waiting or not self.waiting or waiting <= self.waiting - MIN_TAKEN
        self._stuck = 0 if has_taken else self._stuck + 1
        self.waiting = waiting
        if self._stuck >= (DRAIN_SECONDS if draining else WRITE_SECONDS):
            self.cut_off()

    def cut_off(self) -> None:
        """End it at once, whatever waits to be sent."""
        self.transport.abort()
