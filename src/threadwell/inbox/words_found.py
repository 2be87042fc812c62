"""Messages found by words, days and patients, the newest first, page after page to the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.fold import fold
from threadwell.fhir.search.query import (
    DateFilter,
    Filter,
    MissingFilter,
    Query,
    ReferenceFilter,
    Sort,
    TokenFilter,
)
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import name_of
from threadwell.inbox.reader import Reader, id_in
from threadwell.intake.reports.wanted import Wanted, bounds
from threadwell.stores.contract import Key
from threadwell.stores.scanning import scan

#: The messages of a page, and how many are looked through for one.
PAGE = 50
LOOKED_THROUGH = 20_000
#: As much of a text as a list shows, and of that before the first word that was found.
_MOST_TEXT, _BEFORE = 200, 60

_LIVE = TokenFilter(
    "status",
    (TokenMatch(None, "entered-in-error"), TokenMatch(None, "preparation")),
    negate=True,
)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which messages are sought; what is empty leaves it open.

    All the ``words`` stand in one message, whatever their case and accents. It is about one of the
    ``patients`` (ids), and was sent on one of the days from ``since`` to ``until``.
    """

    words: str = ""
    patients: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


class Piece(NamedTuple):
    """A piece of a text, and whether it is one of the words that were sought."""

    sought: bool
    text: str


@dataclass(frozen=True, slots=True)
class MessageFound:
    """A message to choose among several; ``href`` is the page of its session, ``""`` for none.

    ``about`` is the patient's name where the sender is somebody else.
    """

    id: str
    sender: str
    about: str
    when: str
    pieces: list[Piece]
    href: str


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page of messages. ``before`` leads on: it is a time in microseconds, 0 at the end.

    ``looked`` is how many were looked through for it.
    """

    messages: list[MessageFound]
    before: int
    looked: int


async def find_messages(
    reader: Reader, sought: Sought, dates: Dates, *, before: int = 0
) -> FoundPage:
    """The page of the messages sought that were sent before a time, 0 for the newest."""
    words = [fold(word) for word in sought.words.split()]
    found: list[Resource] = []
    looked, last = 0, ""
    async for stored in scan(
        reader.view, reader.project, await _query(reader, sought, dates.zone, before)
    ):
        sent, text = _said(stored.body)
        # Messages of one moment stay on one page: the next one begins before that moment.
        is_full = len(found) >= PAGE or looked >= LOOKED_THROUGH
        if is_full and _time(sent) != (at := _time(last)):
            return FoundPage(await _shown(reader, found, words, dates), at, looked)
        looked, last = looked + 1, sent
        said = fold(text)
        if all(word in said for word in words):
            found.append(decode(stored.body))
    return FoundPage(await _shown(reader, found, words, dates), 0, looked)


def marked(text: str, words: Sequence[str]) -> list[Piece]:
    """A text on one line, around the first of those folded words, which are told from the rest."""
    text = " ".join(text.split())
    # Each folded letter, and the place of the one that it comes from.
    letters = [(letter, at) for at, one in enumerate(text) for letter in fold(one)]
    folded = "".join(letter for letter, _ in letters)
    spans = [
        (letters[one.start()][1], letters[one.end() - 1][1] + 1)
        for one in re.finditer(
            "|".join(map(re.escape, sorted(words, key=len, reverse=True))), folded
        )
        if one.end() > one.start()
    ]
    first = spans[0][0] if spans else 0
    start = 0 if first <= _BEFORE else text.rfind(" ", 0, first - _BEFORE) + 1
    end = min(len(text), start + _MOST_TEXT)
    out, at = [Piece(False, "… ")] if start else [], start
    for low, high in spans:
        if at <= low < end:
            out += [Piece(False, text[at:low]), Piece(True, text[low:high])]
            at = high
    out.append(Piece(False, text[at:end] + (" …" if end < len(text) else "")))
    return [one for one in out if one.text]


async def _query(reader: Reader, sought: Sought, zone: ZoneInfo, before: int) -> Query:
    filters: list[Filter] = [MissingFilter("part-of", missing=False), _LIVE]
    since, until = bounds(Wanted(since=sought.since, until=sought.until), zone)
    high = min(filter(None, (until, before)), default=0)
    if since is not None:
        filters.append(DateFilter("sent", (DateMatch(Prefix.SA, since, since),)))
    if high:
        filters.append(DateFilter("sent", (DateMatch(Prefix.LT, high, high),)))
    if sought.patients:
        names = [ReferenceMatch("Patient", id_, "") for id_ in sought.patients]
        of = ",".join(f"Patient/{id_}" for id_ in sought.patients)
        groups = await reader.search_all("Group?", member=of)
        names += [ReferenceMatch("Group", one["id"], "") for one in groups]
        filters.append(ReferenceFilter("subject", tuple(names)))
    return Query("Communication", tuple(filters), (Sort("sent", descending=True),))


async def _shown(
    reader: Reader, children: Sequence[Resource], words: Sequence[str], dates: Dates
) -> list[MessageFound]:
    headers = await _read(reader, map(_header, children))
    await reader.learn(one.get("sender") for one in children)
    await reader.learn(one.get("subject") for one in children)
    return [_one(reader, one, headers.get(_header(one), {}), words, dates) for one in children]


def _one(
    reader: Reader, child: Resource, header: Resource, words: Sequence[str], dates: Dates
) -> MessageFound:
    sender = name_of(child.get("sender"), reader) if child.get("sender") else "Unknown"
    about = name_of(child["subject"], reader) if id_in(child.get("subject"), "Patient") else ""
    return MessageFound(
        child["id"],
        sender,
        about if about != sender else "",
        dates.text(child.get("sent")),
        marked(_text(child), words) or [Piece(False, "An attachment")],
        _href(child["id"], header),
    )


def _href(id_: str, header: Resource) -> str:
    session = id_in(header.get("encounter"), "Encounter")
    return f"/sessions/{session}#m-{id_}" if session else ""


async def _read(reader: Reader, ids: Iterable[str]) -> dict[str, Resource]:
    keys = [Key("Communication", id_) for id_ in dict.fromkeys(ids) if id_]
    found = await reader.view.read_many(reader.project, keys) if keys else {}
    return {
        key.id: decode(found[key].body) for key in keys if key in found and not found[key].deleted
    }


def _header(child: Resource) -> str:
    return id_in(next(iter(child.get("partOf") or ()), None), "Communication")


def _text(child: Resource) -> str:
    return "\n".join(one.get("contentString", "") for one in child.get("payload") or ())


class _Payload(msgspec.Struct):
    said: str = msgspec.field(default="", name="contentString")


class _Said(msgspec.Struct):
    """As much of a message as most of those need that are looked through."""

    sent: str = ""
    payload: list[_Payload] = []


_SAID = msgspec.json.Decoder(_Said)


def _said(body: bytes) -> tuple[str, str]:
    """When a message was sent, as it is written, and its text."""
    try:
        said = _SAID.decode(body)
    except msgspec.ValidationError:
        child = decode(body)
        return str(child.get("sent", "")), _text(child)
    return said.sent, "\n".join([one.said for one in said.payload])


def _time(sent: str) -> int:
    try:
        return parse_fhir_time(sent)
    except ValueError:
        return 0
