"""Binaries by presigned URL: whoever has the URL may fetch those bytes until it expires.

Resources keep ``Attachment.url`` as ``Binary/<id>``; on its way out it becomes such a URL, and one
that is written back becomes ``Binary/<id>`` again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from threadwell.api.exchange import Answer, Request
from threadwell.api.oauth.access import forbidden
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import not_found
from threadwell.stores.contract import Key, Stored

if TYPE_CHECKING:
    from threadwell.api.context import Context

#: Seconds that a URL is good for, at least.
LIFE = 3600
#: URLs made within the same stretch of seconds are equal, so that browsers may cache what they got.
BUCKET = 900

ATTACHED = b'"url":"Binary/'
_ATTACHED = re.compile(rb'"url":"Binary/([0-9a-f\-]{36})"')
_SIGNED = re.compile(
    r"https?://[^?#]+/storage/(?P<path>(?P<id>[0-9a-f\-]{36})/[0-9a-f\-]{36})"
    r"\?Expires=(?P<expires>\d+)&Signature=(?P<signature>[0-9a-f]{64})"
)
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
#: Content that a browser shows without running any of it.
_INERT = re.compile(r"(?!image/svg)(image|audio|video)/|text/plain|application/pdf")


class Signer:
    """Makes and checks URLs below ``{base}/storage/``."""

    def __init__(self, base: str, secret: bytes) -> None:
        self._base = base
        self._secret = secret

    def url(self, id_: str, version_id: str, now: int) -> str:
        """The URL of one version of a Binary; ``now`` in seconds since 1970."""
        expires = (now // BUCKET + 1) * BUCKET + LIFE
        path = f"{id_}/{version_id}"
        return (
            f"{self._base}/storage/{path}"
            f"?Expires={expires}&Signature={self._signature(path, str(expires))}"
        )

    def allows(self, path: str, expires: str, signature: str, now: int) -> bool:
        """Did we sign ``<id>/<version>`` until ``expires``, and is that still to come?"""
        return self._signed(path, expires, signature) and int(expires) > now

    def binary(self, url: str) -> str | None:
        """The id of the Binary behind a URL that we signed, by whatever name of ours, and expired
        or not.
        """
        match = _SIGNED.fullmatch(url)
        if match is None or not self._signed(match["path"], match["expires"], match["signature"]):
            return None
        return match["id"]

    def normalise(self, value: Any) -> None:
        """Turn our own URLs anywhere in ``value`` back into ``Binary/<id>``, in place."""
        if isinstance(value, list):
            for item in value:
                self.normalise(item)
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, str):
                    if name == "url" and (id_ := self.binary(item)):
                        value[name] = f"Binary/{id_}"
                else:
                    self.normalise(item)

    def _signed(self, path: str, expires: str, signature: str) -> bool:
        return hmac.compare_digest(self._signature(path, expires).encode(), signature.encode())

    def _signature(self, path: str, expires: str) -> str:
        text = f"{path}?{expires}".encode()
        return hmac.digest(self._secret, text, hashlib.sha256).hex()


async def presigned(context: Context, bodies: Sequence[bytes]) -> list[bytes]:
    """The bodies with each attachment that is a Binary of ours under a URL that opens it."""
    ids = {match[1].decode() for body in bodies for match in _ATTACHED.finditer(body)}
    keys = [Key("Binary", id_) for id_ in ids]
    found = await context.store.read_many(context.project, keys)
    now = context.clock() // 1000

    def url(match: re.Match[bytes]) -> bytes:
        binary = found.get(Key("Binary", match[1].decode()))
        if binary is None or binary.deleted:
            return match[0]
        return b'"url":"%s"' % context.signer.url(binary.id, binary.version_id, now).encode()

    return [_ATTACHED.sub(url, body) for body in bodies]


async def storage(context: Context, request: Request) -> Answer:
    """``GET storage/<id>/<version>?Expires=…&Signature=…``: the bytes, without a token."""
    _, id_, version_id = request.path.split("/")
    given = parse_qs(request.query)
    expires, signature = given.get("Expires", [""])[0], given.get("Signature", [""])[0]
    now = context.clock() // 1000
    if not context.signer.allows(f"{id_}/{version_id}", expires, signature, now):
        raise forbidden()
    stored = await context.store.read_version(context.project, "Binary", id_, version_id)
    content = await context.store.content(context.project, id_, version_id)
    if stored is None or content is None:
        raise not_found()
    answer = raw(stored, content)
    # One version never changes, and whoever has the URL may see it for as long.
    cache = b"private, max-age=%d, immutable" % (int(expires) - now)
    return Answer(200, [*answer.headers, (b"cache-control", cache)], answer.body)


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
