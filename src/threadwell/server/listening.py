"""The sockets that a server listens on."""

from __future__ import annotations

import socket
import sys

_BACKLOG = 2048
#: Linux shares connections out evenly among sockets of one port. Where several processes wait on
#: one socket, the first to wake takes all that there is.
_SHARES_OUT = sys.platform == "linux"


def listen_at(host: str, port: int, option: str) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises ``OSError`` with a sentence for a person: the ``option`` says where.
    """
    return _listen(host, port, option)


def listen(host: str, port: int, workers: int) -> list[socket.socket]:
    """A socket for each worker, all on one port; port 0 takes a free one.

    Raises ``OSError`` with a sentence for a person.
    """
    first = _listen(host, port)
    if workers == 1:
        return [first]
    if not _SHARES_OUT:
        return [first, *(first.dup() for _ in range(workers - 1))]
    # Sockets that share a port share it with anybody's; the first has shown that nobody is there.
    port = first.getsockname()[1]
    first.close()
    return [_listen(host, port, shared=True) for _ in range(workers)]


def url_of(host: str, listener: socket.socket) -> str:
    """Where the listener is reached from this machine."""
    port = listener.getsockname()[1]
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"


def _listen(host: str, port: int, option: str = "--port", *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=_BACKLOG, reuse_port=shared
        )
    except OSError as error:
        # What the socket module adds to it tells the address once more.
        reason = str(error.strerror).partition(" (while attempting")[0]
        raise OSError(
            f"cannot listen on {host} port {port}: {reason}; try another {option}"
        ) from None
    except OverflowError:
        raise OSError(f"{port} is no port: give one from 0 to 65535") from None
