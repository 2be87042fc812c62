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

    # Many searches are remembered with their links: kept is what the first page of each needs.
    __slots__ = ("_base", "_first", "_next", "_params", "_rest", "_size")

    def __init__(self, base: str, params: Params, size: int) -> None:
        self._base, self._params, self._size = base, tuple(params), size
        before, after = self._around()
        self._first = encode(f"{before}{after}")
        self._next = b',{"relation":"next","url":%s' % encode(f"{before}&_cursor=")[:-1]
        self._rest = encode(after)[1:-1] + b'"}]'

    def of_first(self, last: Place | None) -> bytes:
        """Links of the page that a search begins with; behind its ``last`` match there are more."""
        first = self._first
        parts = [b'[{"relation":"self","url":', first, b'},{"relation":"first","url":', first]
        if last is None:
            parts.append(b"}]")
        else:
            parts += (b"}", self._next, write_cursor(Cursor(last)).encode(), self._rest)
        return b"".join(parts)

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
        links.append(("first", self._skipping(0)))
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
        before, after = self._around()
        return f"{before}&_cursor={text}{after}"

    def _skipping(self, offset: int) -> str:
        if not offset:
            return "".join(self._around())
        pairs = sorted([*self._kept(), ("_offset", f"_offset={offset}")], key=itemgetter(0))
        return f"{self._base}?{'&'.join([text for _, text in pairs])}"

    def _kept(self) -> list[tuple[str, str]]:
        """The parameters but those of the place, in the order of their names, as a URL has them."""
        kept = [
            (name, f"{_quoted(name)}={_quoted(value)}")
            for name, value in self._params
            if name not in _PLACE
        ]
        kept.append(("_count", f"_count={self._size}"))
        # Those of one name stay in their order.
        kept.sort(key=itemgetter(0))
        return kept

    def _around(self) -> tuple[str, str]:
        """A page's URL before and behind its ``_cursor``."""
        kept = self._kept()
        before = "&".join([text for name, text in kept if name <= "_cursor"])
        after = "".join([f"&{text}" for name, text in kept if name > "_cursor"])
        return f"{self._base}?{before}", after


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=":/,-._~$")
