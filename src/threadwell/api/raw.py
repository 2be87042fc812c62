"""A Binary's bytes as an answer of their own."""

from __future__ import annotations

import re

from threadwell.api.exchange import Answer
from threadwell.fhir.json import decode
from threadwell.stores.contract import Stored

_HEADER_SAFE = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
#: Content that a browser shows without running any of it.
_INERT = re.compile(r"(?!image/svg)(image|audio|video)/|text/plain|application/pdf")


def raw(stored: Stored, content: bytes) -> Answer:
    """A Binary's bytes under its own content type, kept from running as part of our pages."""
    content_type = decode(stored.body).get("contentType", "")
    if not _HEADER_SAFE.fullmatch(content_type):
        content_type = "application/octet-stream"
    headers = [
        (b"content-type", content_type.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if not _INERT.match(content_type):
        headers.append((b"content-security-policy", b"default-src 'none'; sandbox"))
    return Answer(200, headers, content)
