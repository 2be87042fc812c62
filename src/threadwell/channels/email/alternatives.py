"""What the plain text of a mail lost: looks of words, which only its HTML has, are put into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from threadwell.messages.looks import HIDDEN, mark, pieces, without_marks

NOT_PLACED = "some words of its HTML are struck, raised or lowered; its plain text may not show it"

#: What programs write otherwise in the two forms, none of it a word.
_PASSED = re.compile(r"[\s<>*|•·]+")
_PASSED_ONE = re.compile(r"[\s<>*|•·]")
#: How many characters before and behind a word tell which one it is.
_NEAR = ((24, 24), (12, 12), (6, 6), (24, 2), (2, 24))
_BEFORE, _WORDS = 6, 24
#: How plain texts show a look themselves: Thunderbird's ``10^9``, and what people type.
_SHOWN_BY = ("^", "^(", "_", "_(", "~", "~~", "-", "--")
#: How many are looked for, among how many characters in all; how often one of them may be there.
_MOST_RUNS, _MOST_CHARACTERS, _MOST_TIMES = 500, 20_000_000, 50


def with_looks(plain: str, marked: str) -> tuple[str, bool]:
    """A plain text with marks where the same words of its HTML have a look, and whether all have.

    ``marked`` is the text of the HTML (``html_with_marks``). A look is placed only where the words
    around it tell for certain which words it is of; nothing else of the plain text is changed.
    """
    plain = without_marks(plain)
    html, looks = _squeezed(marked)
    runs = list(_runs(looks))
    if not runs:
        return plain, True
    bare = _PASSED.sub("", plain)
    if bare == html:
        return _marked(plain, looks), True
    most = min(_MOST_RUNS, _MOST_CHARACTERS // (len(bare) + len(html) + 1))
    found, whole = [0] * len(bare), len(runs) <= most
    for begin, end, look in runs[:most]:
        at = _place(html, bare, begin, end)
        if at >= 0:
            found[at : at + end - begin] = [look] * (end - begin)
        elif not _is_shown(html, bare, begin, end):
            whole = False
    return _marked(plain, found), whole


def _squeezed(marked: str) -> tuple[str, list[int]]:
    """The characters that count of a text with marks, and how each of them looks."""
    out: list[str] = []
    looks: list[int] = []
    for look, piece in pieces(marked):
        if look & HIDDEN:
            continue
        bare = _PASSED.sub("", piece)
        out.append(bare)
        looks += [look] * len(bare)
    return "".join(out), looks


def _runs(looks: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Where words look otherwise than most: begin, end, and how."""
    at = 0
    for look, those in groupby(looks):
        end = at + sum(1 for _ in those)
        if look:
            yield at, end, look
        at = end


def _place(html: str, bare: str, begin: int, end: int) -> int:
    """Where the words of the HTML from ``begin`` to ``end`` stand in the plain text; else -1."""
    for before, behind in _NEAR:
        first = max(begin - before, 0)
        words = html[first : end + behind]
        there, here = _times(html, words), _times(bare, words)
        if len(there) == len(here) <= _MOST_TIMES:
            return here[there.index(first)] + begin - first
    return -1


def _times(text: str, words: str) -> list[int]:
    """Where words stand in a text, be it within each other; no more than are looked at."""
    out: list[int] = []
    at = text.find(words)
    while at >= 0 and len(out) <= _MOST_TIMES:
        out.append(at)
        at = text.find(words, at + 1)
    return out


def _is_shown(html: str, bare: str, begin: int, end: int) -> bool:
    """Whether the plain text has a sign of its own for it."""
    before = html[max(begin - _BEFORE, 0) : begin]
    words = html[begin : min(end, begin + _WORDS)]
    return any(f"{before}{sign}{words}" in bare for sign in _SHOWN_BY)


def _marked(plain: str, looks: Sequence[int]) -> str:
    """A plain text with marks; ``looks`` are of those of its characters that count.

    Each line is marked by itself, within what is no word of it: the signs of a quotation.
    """
    out: list[str] = []
    at = before = begin = last = 0
    for place, character in enumerate(plain):
        look = before
        if not _PASSED_ONE.match(character):
            look = looks[at]
            at += 1
        elif character == "\n":
            look = 0
        if look != before:
            out.append(plain[begin:last])
            out.append(mark(0) if before else "")
            out.append(plain[last:place])
            out.append(mark(look) if look else "")
            before, begin = look, place
        if look or not before:
            last = place + 1 if not _PASSED_ONE.match(character) or not look else last
    out.append(plain[begin:last])
    out.append(mark(0) if before else "")
    return "".join([*out, plain[last:]])
