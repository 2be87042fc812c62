"""A sorted table of entries as the bytes of an SQLite database, made without SQLite.

Whoever makes it needs no database, and the one that has the store need not look at an entry: SQLite
reads them from these bytes, at half of what it costs to bind their numbers to a statement. The form
is that of https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import Struct

#: What makes the table that the bytes hold.
TABLE = (
    "CREATE TABLE entry (key INTEGER, sort INTEGER, place INTEGER,"
    " PRIMARY KEY (key, sort, place)) WITHOUT ROWID"
)
#: Bytes of a page: the largest there is, so there are few, and at most three levels of them.
_PAGE = 65_536
#: How a cell begins: 24 bytes follow, of which 4 say that there are numbers of 8, 8 and 4 bytes
#: (sections 1.6 and 2.1).
_PREFIX = b"\x18\x04\x06\x06\x04"
_cell, _pointed = Struct(">5xqqi"), Struct(">9xqqi")
_WIDTH = _cell.size
#: Offsets of cells are numbers of 2 bytes; of pages, of 4.
_OFFSET, _POINTER = 2, 4
_LEAF_HEAD, _INNER_HEAD = 8, 12
_LEAF, _INNER, _TABLE_LEAF = 0x0A, 0x02, 0x0D
#: Entries of a page, and those that stand between the pages below one.
_IN_LEAF = (_PAGE - _LEAF_HEAD) // (_WIDTH + _OFFSET)
_IN_INNER = (_PAGE - _INNER_HEAD) // (_POINTER + _WIDTH + _OFFSET)

_page_head = Struct(">BHHHB")
_number = Struct(">I").pack
_key = Struct(">q").pack
_place = Struct(">qi")
#: Where an entry stands in the list of its key: by its sort, a signed 64-bit number, and its place,
#: one of 31 bits.
place = _place.pack


def in_order(places: list[bytes]) -> None:
    """Put the places (``place``) of one list in the order of their numbers."""
    places.sort()
    # As bytes they are sorted in a third of the time, but sorts below 0 come last.
    if places[-1][0] & 0x80:
        places.sort(key=_place.unpack)


def cells(keys: Iterable[int], lists: Mapping[int, Sequence[bytes]]) -> bytes:
    """The entries of an ``image``: of the lists with these keys, in order, their places, at least
    one each, in order.
    """
    found: list[bytes] = []
    for key in keys:
        head = _PREFIX + _key(key)
        found += (head, head.join(lists[key]))
    return b"".join(found)


def image(entries: bytes) -> bytes:
    """The bytes of a database with one ``TABLE`` of these entries (``cells``), none twice."""
    pages: list[bytes] = [b"", b""]  # the schema and the root, whose numbers are 1 and 2
    level: list[tuple[int, bytes]] = []  # each page but the last with the entry that follows it
    parts = list(_leaves(entries))
    if len(parts) == 1:
        pages[1] = _leaf(parts[0][0])
    else:
        for inside, follows in parts:
            pages.append(_leaf(inside))
            level.append((len(pages), follows))
        while len(level) > _IN_INNER:
            above: list[tuple[int, bytes]] = []
            for children in _shares(level, _IN_INNER):
                pages.append(_inner(children))
                above.append((len(pages), children[-1][1]))
            level = above
        pages[1] = _inner(level)
    pages[0] = _first(len(pages))
    return b"".join(pages)


def entries_in(made: bytes) -> Iterator[tuple[int, int, int]]:
    """The entries of an ``image``, page by page."""
    for start in range(_PAGE, len(made), _PAGE):
        kind, _, count, content, _ = _page_head.unpack_from(made, start)
        # An empty page says 0, for the size of a page is no number of 2 bytes.
        inside = made[start + content : start + _PAGE] if count else b""
        yield from (_cell if kind == _LEAF else _pointed).iter_unpack(inside)


def is_small(made: bytes) -> bool:
    """Whether all entries of an ``image`` are in one page."""
    return len(made) <= 2 * _PAGE


def _leaves(entries: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries of each page, and the one that stands between it and the next."""
    at, count = 0, len(entries) // _WIDTH
    while count - at > _IN_LEAF:
        # One goes up, and at least one follows it.
        end = at + min(_IN_LEAF, count - at - 2)
        yield entries[at * _WIDTH : end * _WIDTH], entries[end * _WIDTH : (end + 1) * _WIDTH]
        at = end + 1
    yield entries[at * _WIDTH :], b""


def _shares(level: Sequence[tuple[int, bytes]], most: int) -> Iterator[Sequence[tuple[int, bytes]]]:
    """The pages of a level, as many as possible to a page above them, and at least two."""
    at, count = 0, len(level)
    while count - at > most:
        size = min(most, count - at - 2)
        yield level[at : at + size]
        at += size
    yield level[at:]


def _leaf(entries: bytes) -> bytes:
    return _page(_LEAF, b"", entries, len(entries) // _WIDTH)


def _inner(children: Sequence[tuple[int, bytes]]) -> bytes:
    """Each child stands before the entry that follows it; the last is named by the page."""
    found = [_number(number) + follows for number, follows in children[:-1]]
    return _page(_INNER, _number(children[-1][0]), b"".join(found), len(found))


def _page(kind: int, right: bytes, content: bytes, cells: int, before: bytes = b"") -> bytes:
    """A page with so many cells of one size."""
    start = _PAGE - len(content)
    head = before + _page_head.pack(kind, 0, cells, start % _PAGE, 0) + right
    width = len(content) // cells if cells else 1
    offsets = Struct(f">{cells}H").pack(*range(start, start + width * cells, width))
    return head + offsets + bytes(start - len(head) - len(offsets)) + content


def _first(pages: int) -> bytes:
    """The page that every database begins with, and its schema: one row of one table."""
    name, sql = b"entry", TABLE.encode()
    # 5 columns; what is a text of so many bytes is said by twice its length and 13.
    texts = (b"table", name, name)
    types = [13 + 2 * len(one) for one in texts] + [1, 13 + 2 * len(sql)]
    said = b"".join(map(_varint, types))
    record = bytes([len(said) + 1]) + said + b"".join(texts) + b"\x02" + sql
    cell = _varint(len(record)) + b"\x01" + record
    head = Struct(">16sHBBBBBBIIIIIIIIIIII20xII").pack(
        b"SQLite format 3\0",
        1,  # the size of a page: 65,536
        *(1, 1, 0, 64, 32, 32),
        1,  # how often it was changed
        pages,
        *(0, 0),
        *(1, 4),  # its schema, and the form of that
        *(0, 0),
        1,  # UTF-8
        *(0, 0, 0),
        1,
        3_040_000,
    )
    return _page(_TABLE_LEAF, b"", cell, 1, head)


def _varint(number: int) -> bytes:
    """A number below 16,384 (section 1.6)."""
    return bytes([number]) if number < 0x80 else bytes([0x80 | number >> 7, number & 0x7F])
