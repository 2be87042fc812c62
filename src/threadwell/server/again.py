"""A request that is like the one before it on its connection, but for what it asks for.

Clients that keep a connection send the same headers with each GET. What the parser of HTTP made of
them the first time holds for each later request that ends with the very same bytes: then only the
first line is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

#: Bytes of headers that are kept, and of a request that is read so.
MOST_KEPT, _MOST = 2048, 8192
#: Headers by which there is more to a request than its head, or a connection goes on otherwise.
_TELLING = frozenset(
    {b"connection", b"content-length", b"expect", b"transfer-encoding", b"upgrade"}
)
_KEPT = (b"connection", b"keep-alive")
_END = b"\r\n\r\n"
#: What begins with two slashes names a host in some readers' eyes; the parser decides of that.
_LINE = re.compile(
    rb"GET (/(?:[\w.\-~%!$&'()*+,;=:@][\w.\-~%!$&'()*+,;=:@/]*)?)"
    rb"(?:\?([\w.\-~%!$&'()*+,;=:@/?|]*))? HTTP/1\.1",
    re.ASCII,
)
_BREAKING = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
#: Whether a value of a header would not stay on its line.
breaks_lines = _BREAKING.search


class Learnt(NamedTuple):
    """The ``rest`` of a request behind its first line, and its ``headers``."""

    rest: bytes
    headers: list[tuple[bytes, bytes]]

    def asked(self, data: bytes) -> tuple[str, bytes, bytes] | None:
        """The path, as it is meant and as it came, and the query of a request that ends with
        ``rest``; ``None`` where that is for the parser to tell.
        """
        if len(data) > _MOST:
            return None
        line = _LINE.fullmatch(data, 0, len(data) - len(self.rest))
        if line is None:
            return None
        raw, query = line.groups(b"")
        path = raw.decode("ascii")
        return unquote(path) if "%" in path else path, raw, query


def learnt(data: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Learnt | None:
    """What there is to know again of one whole request, which had these headers; if anything."""
    at = data.find(b"\r\n")
    if (
        _LINE.fullmatch(data, 0, at) is None
        or data.find(_END) != len(data) - len(_END)
        or len(data) - at > MOST_KEPT
        or any(name in _TELLING and (name, value.lower()) != _KEPT for name, value in headers)
    ):
        return None
    return Learnt(data[at:], list(headers))
