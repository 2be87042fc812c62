"""URLs that open one version of a Binary until they expire, made and checked.

Whoever has such a URL may fetch those bytes: its signature stands for the token. One that was made
for somebody whose policy may end names them (``For``), and opens the file while they see it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import quote, unquote

#: Seconds that a URL is good for, at least.
LIFE = 3600
#: URLs made within the same stretch of seconds are equal, so that browsers may cache what they got.
BUCKET = 900

_SIGNED = re.compile(
    r"https?://[^?#]+/storage/(?P<path>(?P<id>[0-9a-f\-]{36})/[0-9a-f\-]{36})"
    r"\?Expires=(?P<expires>\d+)(?:&For=(?P<who>[^&]+))?&Signature=(?P<signature>[0-9a-f]{64})"
)


class Signer:
    """Makes and checks URLs below ``{base}/storage/``."""

    def __init__(self, base: str, secret: bytes) -> None:
        self._base = base
        self._secret = secret

    def url(self, id_: str, version_id: str, now: int, who: str = "") -> str:
        """The URL of one version of a Binary; ``now`` in seconds since 1970.

        ``who`` is a reference: the URL opens what they see. Without one it opens it in any case.
        """
        expires = (now // BUCKET + 1) * BUCKET + LIFE
        path = f"{id_}/{version_id}"
        named = f"&For={quote(who, safe='')}" if who else ""
        signature = self._signature(path, str(expires), who)
        return f"{self._base}/storage/{path}?Expires={expires}{named}&Signature={signature}"

    def allows(self, path: str, expires: str, signature: str, now: int, who: str = "") -> bool:
        """Did we sign ``<id>/<version>`` for ``who`` until ``expires``, and is that to come?"""
        return self._signed(path, expires, signature, who) and int(expires) > now

    def binary(self, url: str) -> str | None:
        """The id of the Binary behind a URL that we signed, by whatever name of ours, and expired
        or not.
        """
        match = _SIGNED.fullmatch(url)
        if match is None:
            return None
        who = unquote(match["who"] or "")
        if not self._signed(match["path"], match["expires"], match["signature"], who):
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

    def _signed(self, path: str, expires: str, signature: str, who: str) -> bool:
        ours = self._signature(path, expires, who)
        return hmac.compare_digest(ours.encode(), signature.encode())

    def _signature(self, path: str, expires: str, who: str) -> str:
        named = f"&{who}" if who else ""
        text = f"{path}?{expires}{named}".encode()
        return hmac.digest(self._secret, text, hashlib.sha256).hex()
