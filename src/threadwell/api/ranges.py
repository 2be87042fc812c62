"""Part of some bytes, as players of sound and film ask for it (RFC 9110 §14)."""

from __future__ import annotations

import re

from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import Headed
from threadwell.fhir.outcome import Issue

_RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def in_range(request: Request, answer: Answer) -> Answer:
    """The part of a good answer that ``Range`` asks for, as 206; else all of it.

    Several ranges are answered with the whole, as is a condition (``If-Range``) that is not the
    date of the answer: our entity tags are weak, and parts of two versions must not be joined.
    Raises 416 for a range that begins behind the end.
    """
    headers = [*answer.headers, (b"accept-ranges", b"bytes")]
    found = _RANGE.fullmatch(request.headers.get(b"range", b"").replace(b" ", b""))
    given = dict(answer.headers)
    condition = request.headers.get(b"if-range")
    if (
        found is None
        or not any(found.groups())
        or request.method != "GET"
        or (condition is not None and condition != given.get(b"last-modified"))
    ):
        return answer._replace(headers=headers)
    length = len(answer.body)
    begin, end = (int(part) if part else None for part in found.groups())
    if begin is None:
        first, last = length - min(length, end or 0), length - 1
    else:
        first, last = begin, length - 1 if end is None else min(end, length - 1)
        if end is not None and end < begin:
            return answer._replace(headers=headers)
    if first >= length:
        error = Headed(416, [Issue("value", "Range begins behind the end of the content")])
        error.headers = [(b"content-range", b"bytes */%d" % length)]
        raise error
    headers.append((b"content-range", b"bytes %d-%d/%d" % (first, last, length)))
    return Answer(206, headers, answer.body[first : last + 1])
