"""How what a request has seen is noted before it is answered: no more work than has to be.

A note says the same as a ``Record``. What names the versions is put together by type, and each
version comes as often as it was looked at; who drains the notes makes records of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from typing import TypeAlias, cast

import msgspec

from threadwell.audit.record import Record, Touched, Who, decode_record
from threadwell.audit.spool import NOWHERE, Pen
from threadwell.stores.contract import Matches, Stored

#: A type, and the ids and versions of resources of it, each with a blank between two: neither may
#: have one (FHIR R4 §2.24.0.1).
Group = tuple[str, str, str]


class _Note(msgspec.Struct, frozen=True, array_like=True):
    """What ``note`` writes, in its order."""

    at: int
    act: str
    by: Who
    status: int
    asked: str
    query: str
    request: str
    more: bool
    #: What was seen, or where in its file the line stands that has just that.
    seen: tuple[Group, ...] | int = ()
    hidden: bool = False


class _Written(msgspec.Struct):
    """What is seen on a page, as it is noted, and the place of a line that has it."""

    groups: msgspec.Raw
    place: int = NOWHERE


class _Told(msgspec.Struct, frozen=True, array_like=True, tag="told"):
    """What ``told`` writes: of each of those who were told, what they had asked for."""

    at: int
    act: str
    touched: Touched
    by: tuple[tuple[Who, tuple[str, ...]], ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Note).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_TOLD = b'["told",'
_DIGITS = 12
_ID, _VERSION = itemgetter(1), itemgetter(2)


#: The line that stands at an offset of a file; what is no line of a note where there is none.
LineAt: TypeAlias = Callable[[int], bytes]


def nowhere(_: int) -> bytes:
    """Of what is in no file."""
    return b""


def note(
    at: int,
    act: str,
    by: Who,
    status: int,
    asked: str,
    query: str,
    request: str,
    seen: Sequence[Stored],
    more: bool = False,
    hidden: bool = False,
) -> bytes:
    """The note of a ``Record`` of these, in a line without its end; ``seen`` was only looked at."""
    groups = [seen[0][:3]] if len(seen) == 1 else _grouped(seen)
    if hidden:
        return _encode((at, act, _of(by), status, asked, query, request, more, groups, True))
    return _encode((at, act, _of(by), status, asked, query, request, more, groups))


def note_again(
    at: int,
    act: str,
    by: Who,
    asked: str,
    query: str,
    request: str,
    matches: Matches,
    pen: Pen,
) -> None:
    """Keep the note of a search that was answered with a page which may be shown again.

    What is on it is put together once, and written once in a file.
    """
    known = matches.worked
    if not isinstance(known, _Written):
        known = matches.worked = _Written(msgspec.Raw(_encode(_grouped(matches))))
    head = (at, act, _of(by), 200, asked, query, request, False)
    line = _encode((*head, 0))
    # There are no more digits than these in an offset.
    place = pen.beside(known.place, len(line) + _DIGITS)
    if place >= 0:
        pen.keep(b"%s%d]" % (line[:-2], place))
    else:
        known.place = pen.keep(_encode((*head, known.groups)))


def told(at: int, act: str, touched: Touched, to: Iterable[tuple[Who, str]]) -> bytes:
    """The note of as many ``Record``s as there are in ``to``, each with what was asked for: they
    were all told of one version.
    """
    asked: dict[Who, list[str]] = {}
    for by, what in to:
        asked.setdefault(by, []).append(what)
    return _encode(("told", at, act, touched, [(_of(by), one) for by, one in asked.items()]))


def read_notes(line: bytes, line_at: LineAt) -> list[Record]:
    """The records that a line is of, which was made here or by ``encode_record``.

    ``line_at`` has the lines of its file. Raises ``msgspec.MsgspecError`` for anything else.
    """
    if not line.startswith(_TOLD):
        return [read_note(line, line_at)]
    note = _decode_told(line)
    return [
        Record(at=note.at, act=note.act, by=by, asked=one, touched=(note.touched,))
        for by, asked in note.by
        for one in asked
    ]


def read_note(line: bytes, line_at: LineAt = nowhere) -> Record:
    """The record that a line is of, which ``note`` or ``encode_record`` has made.

    Raises ``msgspec.MsgspecError`` for anything else.
    """
    if not line.startswith(b"["):
        return decode_record(line)
    told = _decode(line)
    seen = told.seen
    if isinstance(seen, int):
        seen = _decode(line_at(seen)).seen
        if isinstance(seen, int):
            raise msgspec.ValidationError("the line that is named names another one")
    return Record(
        at=told.at,
        act=told.act,
        by=told.by,
        status=told.status,
        asked=told.asked,
        query=told.query,
        request=told.request,
        touched=_touched(seen),
        more=told.more,
        hidden=told.hidden,
    )


def _grouped(seen: Sequence[Stored]) -> list[Group]:
    if not seen:
        return []
    types, ids, versions, *_ = zip(*seen, strict=True)
    if types.count(types[0]) == len(types):
        return [(types[0], " ".join(ids), " ".join(versions))]
    found = []
    for type_ in sorted(set(types)):
        mine = [one for one in seen if one[0] == type_]
        found.append((type_, " ".join(map(_ID, mine)), " ".join(map(_VERSION, mine))))
    return found


def _touched(seen: Sequence[Group]) -> tuple[Touched, ...]:
    # A version that was looked at twice was seen once.
    found: list[tuple[str, str, str]] = []
    for type_, ids, versions in seen:
        names, numbers = ids.split(" "), versions.split(" ")
        if len(names) != len(numbers):
            raise msgspec.ValidationError("not every id has a version")
        found += zip(repeat(type_), names, numbers, strict=False)
    # Plain triples, which are written as they are; whoever reads them adds that they were seen.
    return cast(tuple[Touched, ...], tuple(dict.fromkeys(found)))


@lru_cache(maxsize=1024)
def _of(by: Who) -> msgspec.Raw:
    # The same people ask again and again.
    return msgspec.Raw(_encode(by))
