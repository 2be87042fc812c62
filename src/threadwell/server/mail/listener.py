"""Takes connections of mail servers: so many, so many of one machine, and so much in memory."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from threadwell.server.mail.talk import Rules, Talk
from threadwell.server.mail.wire import Ended, Wire

_log = logging.getLogger(__name__)

_BUSY = "421 4.3.2 too many connections: please try again"


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections at once and of one machine, bytes in memory, seconds to wait for the next ones.

    A whole connection lasts no longer than ``longest`` seconds.
    """

    connections: int = 100
    of_one: int = 50
    together: int = 256 * 1024 * 1024
    patience: float = 120.0
    longest: float = 1800.0


@dataclass(slots=True)
class Listener:
    """Talks to whoever connects."""

    rules: Rules
    limits: Limits = field(default_factory=Limits)
    _held: dict[Talk, int] = field(default_factory=dict)
    _from: Counter[str] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, host: str, port: int, listens: int = -1) -> asyncio.Server:
        """Listen, at the socket of the descriptor ``listens`` if there is one; raises ``OSError``.

        The socket itself stays whoever's it is.
        """
        if listens < 0:
            return await asyncio.start_server(self._connected, host, port)
        there = socket.socket(fileno=os.dup(listens))
        return await asyncio.start_server(self._connected, sock=there)

    async def finish(self, seconds: float) -> None:
        """Let whoever is connected end within so many seconds; leave the others."""
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=seconds)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer, self.limits.patience)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        too_many = (
            self._from.total() >= self.limits.connections or self._from[peer] >= self.limits.of_one
        )
        talk = Talk(wire, self.rules, self._reserve)
        self._from[peer] += 1
        try:
            if too_many:
                with suppress(Ended):
                    await wire.say(_BUSY)
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(talk.run(), self.limits.longest)
        except Exception as error:  # noqa: BLE001 - one connection must not end the others
            # Its words may quote a mail.
            _log.error("a mail server's connection broke off: %s", type(error).__name__)
        finally:
            self._held.pop(talk, None)
            self._from[peer] -= 1
            if not self._from[peer]:
                del self._from[peer]
            wire.close()

    def _reserve(self, talk: Talk, count: int) -> bool:
        others = sum(size for one, size in self._held.items() if one is not talk)
        if others + count > self.limits.together:
            return False
        self._held[talk] = count
        return True
