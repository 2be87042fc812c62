"""Links between the pages of a search, serialised as a Bundle has them (FHIR R4 §3.1.1.3, §2.36).

Most of each is the same for every page of a search: it is worked out once, and what differs, the
place where a page begins, is put in between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import quote

from threadwell.fhir.json import encode
from threadwell.fhir.search.cursor import Cursor, write_cursor
from threadwell.fhir.search.query import Place

Params = Sequence[tuple[str, str]]

#: Text that stands for itself in a URL: most parameters, and checked faster than quoted.
_PLAIN = re.compile(r"[A-Za-z0-9:/,\-._~$]*")
#: What says which page is asked for.
_PLACE = frozenset({"_count", "_offset", "_cursor"})


class Around(NamedTuple):
    """What links between pages are made of: how many matches were skipped, where the page
    ``begins`` if it goes on from another, where its matches stand, and whether there are more in
    its direction.
    """

    offset: int
    begins: Cursor | None
    first: Cursor | None
    last: Cursor | None
    more: bool


class PageLinks:
    """The links of a search at the URL ``base`` with ``params``, on pages of ``size`` matches."""

    __slots__ = (
        "_after",
        "_base",
        "_before",
        "_begin",
        "_first",
        "_kept",
        "_next",
        "_rest",
        "_size",
    )

    def __init__(self, base: str, params: Params, size: int) -> None:
        kept = [
            (name, f"{_quoted(name)}={_quoted(value)}")
            for name, value in params
            if name not in _PLACE
        ]
        kept.append(("_count", f"_count={size}"))
        # In the order of their names; those of one name stay in theirs.
        kept.sort(key=itemgetter(0))
        before = "&".join([text for name, text in kept if name <= "_cursor"])
        after = "".join([f"&{text}" for name, text in kept if name > "_cursor"])
        self._base, self._kept, self._size = base, kept, size
        self._before = f"{base}?{before}"
        self._after = after
        first = f"{before}{after}"
        self._first = f"{base}?{first}"
        whole = encode(self._first)
        self._begin = b'[{"relation":"self","url":%s},{"relation":"first","url":%s}' % (
            whole,
            whole,
        )
        self._next = b',{"relation":"next","url":%s' % encode(f"{self._before}&_cursor=")[:-1]
        self._rest = encode(after)[1:-1] + b'"}]'

    def of_first(self, last: Place | None) -> bytes:
        """Links of the page that a search begins with; behind its ``last`` match there are more."""
        if last is None:
            return self._begin + b"]"
        return b"".join((self._begin, self._next, write_cursor(Cursor(last)).encode(), self._rest))

    def serialised(self, around: Around) -> bytes:
        """Links to this page, the first, and those that lie before and behind it.

        Pages that follow go on from the last match, whatever is written meanwhile.
        """
        offset, begins, first, last, more = around
        links: list[tuple[str, str]] = []
        if begins is not None:
            links.append(("self", self._beyond(begins, back=begins.back)))
        else:
            links.append(("self", self._skipping(offset)))
        links.append(("first", self._first))
        is_back = begins is not None and begins.back
        # Before the page that one came back from there is always one.
        if last is not None and (more or is_back):
            links.append(("next", self._beyond(last)))
        if offset:
            links.append(("previous", self._skipping(max(0, offset - self._size))))
        elif first is not None and (more if is_back else begins is not None):
            links.append(("previous", self._beyond(first, back=True)))
        return encode([{"relation": relation, "url": url} for relation, url in links])

    def _beyond(self, cursor: Cursor, *, back: bool = False) -> str:
        text = write_cursor(cursor._replace(back=back))
        return f"{self._before}&_cursor={text}{self._after}"

    def _skipping(self, offset: int) -> str:
        if not offset:
            return self._first
        pairs = sorted([*self._kept, ("_offset", f"_offset={offset}")], key=itemgetter(0))
        return f"{self._base}?{'&'.join([text for _, text in pairs])}"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=":/,-._~$")
