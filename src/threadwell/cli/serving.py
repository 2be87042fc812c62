"""Serve the FHIR API and the pages of a store over HTTP until a signal says stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from threadwell.cli.errors import Mistake


@dataclass(frozen=True, slots=True)
class Ready:
    """What to tell when the server listens: where it is, and a link that signs a browser in."""

    url: str
    sign_in_link: str


def serve(
    store_url: str, *, host: str, port: int, base_url: str | None, ready: Callable[[Ready], None]
) -> None:
    """Serve the store at ``store_url``; returns after SIGINT or SIGTERM, everything closed.

    ``port`` 0 takes a free one. ``base_url`` is where clients reach the server, if not there.
    """
    with _listen(host, port) as listener:
        url = base_url or _url(host, listener.getsockname()[1])
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(store_url, url.rstrip("/") + "/", listener, ready))


async def _serve(
    store_url: str, url: str, listener: socket.socket, ready: Callable[[Ready], None]
) -> None:
    from threadwell.app import create_server, open_store
    from threadwell.inbox.sign_in import new_link

    store = open_store(store_url)
    try:
        config = uvicorn.Config(
            create_server(store, base_url=url),
            http="httptools",
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        server = _Server(config, ready, Ready(url, await new_link(store, url)))
        # The server takes these signals over, and repeats the one that stopped it once it has
        # given them back. By then everything is in order, and the store is to be closed.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        await server.serve(sockets=[listener])
    finally:
        await store.close()


class _Server(uvicorn.Server):
    """Tells when it listens; from then on a signal stops it."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[Ready], None], words: Ready
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._words = words

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready(self._words)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Mistake(
            f"cannot listen on {host} port {port}: {error.strerror}; try another --port"
        ) from None
    except OverflowError:
        raise Mistake(f"{port} is no port: give one from 0 to 65535") from None


def _url(host: str, port: int) -> str:
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop
    return uvloop.new_event_loop
