"""The client that makes calls: with an end to patience, and never into a private network unasked.

A name is looked up once, every address that it has is looked at, and the connection goes to one
of these: what a name means cannot change between the look and the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic
from urllib.parse import SplitResult, urljoin, urlsplit

from threadwell.calls.addresses import PRIVATE, is_private
from threadwell.calls.call import Call, Called, CallFailed

_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}
#: Headers that another host gets, too. Any other may be a credential: each provider names its own.
_FOR_ANY_HOST = frozenset({"accept", "accept-language", "user-agent"})
_OK = 200
_PIECE = 64 * 1024
#: Bytes that the answer may have that says why there is nothing to be fetched.
_REFUSAL = 1024 * 1024
_AT_ONCE = 16


class HttpCaller:
    """Calls over HTTP and HTTPS, ``at_once`` at most, each in a thread of its own."""

    def __init__(self, context: ssl.SSLContext | None = None, *, at_once: int = _AT_ONCE) -> None:
        self._context = context
        self._threads = ThreadPoolExecutor(at_once, "threadwell-call")

    async def call(self, call: Call) -> Called:
        """The answer after redirects; raises ``CallFailed``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._follow, call)

    def fetch(self, call: Call, take: Callable[[bytes], None]) -> Called:
        """An answer whose body is given to ``take``, a piece at a time, within this thread.

        Of one that is not 200 nothing is given. A redirect may lead to another place of the same
        server, and nowhere else. Raises ``CallFailed``, and what ``take`` raises.
        """
        return self._follow(call, take)

    def close(self) -> None:
        """Make no more calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _follow(self, call: Call, take: Callable[[bytes], None] | None = None) -> Called:
        until = monotonic() + call.seconds
        for _ in range(_REDIRECTS + 1):
            answer = self._once(call, until, take)
            location = answer.headers.get("location", "")
            if answer.status not in _MOVED or not location or call.method not in ("GET", "HEAD"):
                return answer
            moved = _moved(call, urljoin(call.url, location))
            if take is not None and urlsplit(moved.url)[:2] != urlsplit(call.url)[:2]:
                raise CallFailed("it is redirected to another server", again=False, sent=True)
            call = moved
        raise CallFailed("it is redirected without end", again=False, sent=True)

    def _once(
        self, call: Call, until: float, take: Callable[[bytes], None] | None = None
    ) -> Called:
        place = _place(call)
        connection = _Connection(place, until, self._tls() if place.secure else None)
        # Who sends a byte now and then would never be too slow for a socket's own timeout.
        ending = threading.Timer(max(0.0, until - monotonic()), connection.give_up)
        ending.daemon = True
        ending.start()
        sent = False
        try:
            connection.connect()
            sent = True
            connection.request(call.method, place.target, call.body or None, dict(call.headers))
            response = connection.getresponse()
            if take is None or response.status != _OK:
                most = call.most if take is None else _REFUSAL
                body = _body(response, connection, most, until)
            else:
                body = b""
                _pour(response, connection, call.most, until, take)
        except UnicodeError:
            # What stands in a URL or a header is ASCII, or Latin-1.
            raise CallFailed(
                f"{place.host} cannot be called so: a character is none of HTTP's", again=False
            ) from None
        except (OSError, http.client.HTTPException) as error:
            late = TimeoutError() if connection.given_up else error
            raise _failed(place, late, sent=sent) from None
        finally:
            ending.cancel()
            connection.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Called(response.status, headers, body)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a call goes. ``free`` says that it may be in a private network."""

    host: str
    port: int
    target: str
    secure: bool
    free: bool


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was looked at."""

    def __init__(self, place: _Place, until: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(place.host, place.port)
        self._place = place
        self._until = until
        self._tls = tls
        self.given_up = False

    def connect(self) -> None:
        """Connect to the first address that answers; raises ``OSError`` and ``CallFailed``."""
        last: OSError = OSError("no address")
        for family, address in _addresses(self._place):
            connected = socket.socket(family, socket.SOCK_STREAM)
            try:
                connected.settimeout(_left(self._until))
                connected.connect(address)
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls:
                    secured = self._tls.wrap_socket(
                        connected, server_hostname=self._place.host, do_handshake_on_connect=False
                    )
                    self.sock = connected = secured
                    secured.do_handshake()
            except OSError as error:
                connected.close()
                last = error
                if isinstance(error, ssl.SSLError):
                    break
            else:
                self.sock = connected
                return
        raise last

    def give_up(self) -> None:
        """End it, whatever it waits for; from another thread."""
        self.given_up = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # That of a TLS socket would take its state away under whoever reads from it.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def patience(self) -> None:
        """Wait for the next bytes no longer than the whole call may take."""
        if self.sock is not None:
            self.sock.settimeout(_left(self._until))


def _addresses(place: _Place) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    out: list[tuple[socket.AddressFamily, tuple[str, int]]]
    out = [(family, (str(address[0]), place.port)) for family, _, _, _, address in found]
    if not place.free and any(map(is_private, [address[0] for _, address in out])):
        raise CallFailed(PRIVATE.format(host=place.host), again=False)
    return out


def _place(call: Call) -> _Place:
    try:
        parts = urlsplit(call.url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise CallFailed("it is no URL of http or https", again=False) from None
    host = parts.hostname or ""
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    if not host or parts.username is not None or not target.isprintable() or " " in target:
        raise CallFailed("it is no URL that can be asked for", again=False)
    free = _is_among(parts, port, call.hosts)
    return _Place(host, port, target, parts.scheme == "https", free)


def _is_among(parts: SplitResult, port: int, hosts: tuple[str, ...]) -> bool:
    return parts.hostname in hosts or f"{parts.hostname}:{port}" in hosts


def _moved(call: Call, url: str) -> Call:
    before, after = urlsplit(call.url), urlsplit(url)
    if (before.scheme, before.netloc) == (after.scheme, after.netloc):
        return replace(call, url=url)
    headers = {name: value for name, value in call.headers.items() if name.lower() in _FOR_ANY_HOST}
    return replace(call, url=url, headers=headers)


def _body(
    response: http.client.HTTPResponse, connection: _Connection, most: int, until: float
) -> bytes:
    parts: list[bytes] = []
    _pour(response, connection, most, until, parts.append)
    return b"".join(parts)


def _pour(
    response: http.client.HTTPResponse,
    connection: _Connection,
    most: int,
    until: float,
    take: Callable[[bytes], None],
) -> None:
    """Give the body of an answer away, piece by piece, to its end."""
    length = response.length
    if length is not None and length > most:
        raise CallFailed(f"it is larger than {most} bytes", again=False, sent=True)
    size = 0
    while True:
        _left(until)
        connection.patience()
        part = response.read1(_PIECE)
        if not part:
            break
        size += len(part)
        if size > most:
            raise CallFailed(f"it is larger than {most} bytes", again=False, sent=True)
        take(part)
    if connection.given_up:
        raise TimeoutError
    if response.length:
        raise CallFailed("its answer broke off", again=True, sent=True)


def _left(until: float) -> float:
    """The seconds that are left of a call; raises ``TimeoutError`` where none are."""
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _failed(place: _Place, error: Exception, *, sent: bool) -> CallFailed:
    match error:
        case TimeoutError():
            reason = f"{place.host} took too long"
        case socket.gaierror():
            reason = f"there is no address for {place.host}"
        case ssl.SSLCertVerificationError():
            reason = f"{place.host} cannot prove that it is that host"
        case ConnectionRefusedError():
            reason = f"{place.host} takes no connections"
        case _:
            reason = f"the connection to {place.host} failed"
    return CallFailed(reason, again=True, sent=sent)
