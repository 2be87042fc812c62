"""Comments in header fields (RFC 5322 §3.2.2): what stands in round brackets, which may nest."""

from __future__ import annotations

import re

_MARKS = re.compile(r"[()\"\\]")


def without_comments(text: str) -> str:
    """``text`` with a space in the place of each comment.

    A bracket that is never closed is no comment; what is in quotes or behind a ``\\`` is text.
    """
    if "(" not in text:
        return text
    out: list[str] = []
    depth = end = begun = skip = 0
    quoted = False
    for mark in _MARKS.finditer(text):
        at, sign = mark.start(), mark[0]
        if at < skip:
            continue
        if sign == "\\":
            skip = at + 2
        elif sign == '"' and not depth:
            quoted = not quoted
        elif quoted:
            continue
        elif sign == "(":
            begun = begun if depth else at
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                out += [text[end:begun], " "]
                end = at + 1
    out.append(text[end:])
    return "".join(out)
