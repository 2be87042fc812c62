"""The body of an ASGI request, whole and no larger than allowed."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from threadwell.api.outcomes import Headed
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.stores.aside import aside

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: RFC 9110 §8.4.1.3 has the second name for the first.
_GZIP = (b"gzip", b"x-gzip")
#: How zlib is told of gzip's header.
_GZIP_BITS = 16 + zlib.MAX_WBITS


class ClientGone(Exception):
    """The client went away before it had sent its whole request: nobody waits for an answer."""


class UnknownCoding(Headed):
    """415: the body is compressed in a way that we do not know; the answer names what we do."""

    def __init__(self) -> None:
        issue = Issue("not-supported", "Send the body without Content-Encoding, or with gzip")
        super().__init__(415, [issue], "unsupported-media-type")
        self.headers = [(b"accept-encoding", b"gzip, identity")]


def announced(headers: Mapping[bytes, bytes], limit: int) -> int:
    """How many bytes the body may have: what its sender says, else ``limit``."""
    declared = headers.get(b"content-length", b"")
    is_known = declared.isdigit() and not _coding(headers)
    return min(int(declared), limit) if is_known else limit


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The body, unpacked where it is compressed by gzip.

    Raises ``FhirError`` 413 beyond ``limit`` bytes, packed or not, 415 for other compressions, and
    400 for what is no gzip.
    """
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > limit:
        raise too_large(limit)
    coding = _coding(headers)
    if coding and coding not in _GZIP:
        raise UnknownCoding
    body = await _read(receive, limit)
    return await aside(len(body), lambda: _unpacked(body, limit)) if coding else body


def too_large(limit: int) -> FhirError:
    """413: the body, or what would become of it, has more bytes than ``limit``."""
    text = f"Content Too Large: at most {limit} bytes"
    return FhirError(413, [Issue("too-long", text)], "content-too-large")


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _coding(headers: Mapping[bytes, bytes]) -> bytes:
    """How the body is compressed; ``b""`` for not at all."""
    coding = headers.get(b"content-encoding", b"").strip().lower()
    return b"" if coding == b"identity" else coding


def _unpacked(body: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj(_GZIP_BITS)
    try:
        # A few bytes may stand for any number of them: no more than may be are ever made.
        unpacked = unpacking.decompress(body, limit + 1)
    except zlib.error:
        raise _no_gzip() from None
    if len(unpacked) > limit:
        raise too_large(limit)
    if not unpacking.eof or unpacking.unused_data:
        raise _no_gzip()
    return unpacked


def _no_gzip() -> FhirError:
    return FhirError(400, [Issue("structure", "The body is not gzip, or not all of it is there")])
