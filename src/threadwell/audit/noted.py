"""How what a request has seen is noted before it is answered: no more work than has to be.

A note says the same as a ``Record``. What names the versions is put together by type, and each
version comes as often as it was looked at; who drains the notes makes records of them. In a file
whose lines can name each other, who asks is written once, and so is a page that is shown again.
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
    #: Who, or where in its file the line stands that has them (``_Introduced``).
    by: Who | int
    status: int
    asked: str
    query: str
    request: str
    more: bool
    #: What was seen, or where in its file the line stands that has just that; or the version, where
    #: ``asked`` names the resource and nothing else was seen.
    seen: tuple[Group, ...] | int | str = ()
    hidden: bool = False


class _Introduced(msgspec.Struct, frozen=True, array_like=True, tag="by"):
    """Who asks, for other lines to name."""

    by: Who


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


#: A line of what a ``_Note`` has, in its order: for who has no need of ``note``.
encode_note = _encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Note).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_decode_introduced = msgspec.json.Decoder(_Introduced).decode
_TOLD, _INTRODUCED = b'["told",', b'["by",'
_ID, _VERSION = itemgetter(1), itemgetter(2)


#: The line that stands at an offset of a file; what is no line of a note where there is none.
LineAt: TypeAlias = Callable[[int], bytes]


def nowhere(_: int) -> bytes:
    """Of what is in no file."""
    return b""


def note(
    pen: Pen,
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
) -> None:
    """Keep the note of a ``Record`` of these; ``seen`` was only looked at."""
    groups = _grouped(seen)
    whose = pen.known.get(by)
    if whose is None:
        whose = _introduced(pen, by)
    if whose >= 0:
        line = _encode((at, act, whose, status, asked, query, request, more, groups, hidden))
        if pen.keep_beside(line) >= 0:
            return
    pen.keep(_encode((at, act, _of(by), status, asked, query, request, more, groups, hidden)))


def note_again(
    pen: Pen, at: int, act: str, by: Who, asked: str, query: str, request: str, matches: Matches
) -> None:
    """Keep the note of a search that was answered with a page which may be shown again.

    What is on it is put together once, and written once in a file.
    """
    known = matches.worked
    if not isinstance(known, _Written):
        known = matches.worked = _Written(msgspec.Raw(_encode(_grouped(matches))))
    whose = pen.known.get(by)
    if whose is None:
        whose = _introduced(pen, by)
    page = pen.beside(known.place)
    if page >= 0 and whose >= 0:
        line = _encode((at, act, whose, 200, asked, query, request, False, page))
        if pen.keep_beside(line) >= 0:
            return
    line = _encode((at, act, _of(by), 200, asked, query, request, False, known.groups))
    known.place = pen.keep(line)


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
    if line.startswith(_INTRODUCED):
        return []
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
    seen, by = told.seen, told.by
    if isinstance(by, int):
        by = _read_introduced(line_at(by))
    if isinstance(seen, int):
        seen = _decode(line_at(seen)).seen
        if isinstance(seen, int | str):
            raise msgspec.ValidationError("the line that is named names another one")
    if isinstance(seen, str):
        type_, _, id_ = told.asked.partition("/")
        seen = ((type_, id_, seen),)
    return Record(
        at=told.at,
        act=told.act,
        by=by,
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


def _introduced(pen: Pen, by: Who) -> int:
    """Where in the file that is under way a line has who asks; ``NOWHERE`` if none can."""
    return pen.introduce(by, _encode(("by", _of(by))))


@lru_cache(maxsize=64)
def _read_introduced(line: bytes) -> Who:
    # One line is named by many.
    return _decode_introduced(line).by


@lru_cache(maxsize=1024)
def _of(by: Who) -> msgspec.Raw:
    # The same people ask again and again.
    return msgspec.Raw(_encode(by))
