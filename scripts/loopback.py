"""Servers on this machine that tests start: a port that is free, and whether one answers on it."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def greets(port: int, greeting: bytes) -> bool:
    """Whether who listens on the port begins with these bytes."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as one:
            return one.recv(len(greeting)) == greeting
    except OSError:
        return False
