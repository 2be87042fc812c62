"""The body of an ASGI request, whole and no larger than allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from threadwell.fhir.outcome import FhirError, Issue

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ClientGone(Exception):
    """The client went away before it had sent its whole request: nobody waits for an answer."""


def announced(headers: Mapping[bytes, bytes], limit: int) -> int:
    """How many bytes the body may have: what its sender says, else ``limit``."""
    declared = headers.get(b"content-length", b"")
    return min(int(declared), limit) if declared.isdigit() else limit


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The body; raises ``FhirError`` 413 beyond ``limit`` bytes and 415 if it is compressed."""
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > limit:
        raise too_large(limit)
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise FhirError(
            415,
            [Issue("not-supported", "Send the body without Content-Encoding")],
            "unsupported-media-type",
        )
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


def too_large(limit: int) -> FhirError:
    """413: the body, or what would become of it, has more bytes than ``limit``."""
    text = f"Content Too Large: at most {limit} bytes"
    return FhirError(413, [Issue("too-long", text)], "content-too-large")
