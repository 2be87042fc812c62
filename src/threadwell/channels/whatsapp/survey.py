"""The first pass over an export: its dates, its people, and which of its dated lines are messages.

A line with a date is not always a message: it may be a notice of WhatsApp, or a line of a log that
somebody pasted with its dates. WhatsApp's own lines follow each other in time, and its notices are
known sentences; what is neither is kept with the message before, or held.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from threadwell.channels.channel import ReadOptions
from threadwell.channels.whatsapp.attachments import UNKNOWN_TYPE
from threadwell.channels.whatsapp.body import APP_MARK, read_body
from threadwell.channels.whatsapp.chat_name import chat_name
from threadwell.channels.whatsapp.dates import Inferred, infer_order, read_date
from threadwell.channels.whatsapp.lines import DatedLine, Header, lines
from threadwell.channels.whatsapp.notices import is_notice, joined, plain
from threadwell.channels.whatsapp.participants import NAME, YOU, Participants, address_of
from threadwell.channels.whatsapp.senders import (
    NEVER,
    TOLERANCE,
    Tally,
    senders,
    split_name,
)
from threadwell.messages import Attachment

_DAY = 24 * 60
#: All but letters and digits.
_LETTERS = re.compile(r"[\W_]+")
_NO_TIME = -1
#: The name of a group, at the end of a notice that gives or changes it.
_TITLE = re.compile(
    '["\u201c\u201e\u00ab]\\s?([^"\u201c\u201d\u201e\u00ab\u00bb\n]{1,100}?)\\s?["\u201c\u201d\u00bb]\\.?\\s*\\Z'
)


class Kind(IntEnum):
    """What a dated line is."""

    MESSAGE = 0
    NOTICE = 1
    #: More of the message before.
    TEXT = 2
    #: Nothing that can be told for certain.
    HELD = 3


@dataclass(frozen=True, slots=True)
class Survey:
    """What the whole of an export teaches.

    ``title`` is what the thread is called. ``known`` are the names, in small
    letters, that anybody in the chat has. ``kinds`` has a ``Kind`` for each dated line. ``own``
    are the names of the practice, none where nobody has told them. ``other`` is the other side in a
    chat of two, ``None`` in a group, or where it is not known who is who.
    """

    title: str
    dates: Inferred
    participants: Participants
    known: frozenset[str]
    kinds: bytearray
    own: frozenset[str]
    other: str | None
    is_group: bool

    def is_somebody(self, name: str) -> bool:
        """Whether a name in small letters is of somebody in the chat, or of a stranger to all."""
        return name in self.known or name.startswith(("+", "~"))


def survey(path: Path, encoding: str, options: ReadOptions) -> Survey:
    """Read an export once, and decide what each of its dated lines is."""
    seen, folder = _Seen(), path.parent
    for dated, is_alone in _dated_lines(path, encoding):
        seen.add(dated.header, is_alone, folder)
    # A pasted line may have its date in another order; it seldom has a sender.
    dates = infer_order(seen.written or seen.days, seen.separator, options.country)
    seen.reckon(dates)
    chat = chat_name(path)
    chat = chat._replace(name=seen.name_like(chat.name))
    own = frozenset(name for name in seen.tally.names if _is_own(name, options))
    group = seen.group(chat.name if chat.certain else "", own)
    only = chat.certain and not group and seen.has_spoken(chat.name)
    sure = {*own, *([chat.name] if only else seen.unmistakable())}
    people = senders(seen.tally, sure, only)
    title = chat.name if chat.certain else group or seen.title or chat.name
    spoken = [name for name in seen.tally.names if name in people and seen.has_spoken(name)]
    if only and not own:
        own = frozenset(name for name in spoken if name != chat.name)
    others = [name for name in spoken if name not in own]
    knows = only or bool(own) or any(one.value.startswith(f"{NAME}:") for one in options.owner)
    is_group = (
        bool(group)
        or len(others) > (1 if knows else 2)
        or (chat.certain and bool(others) and chat.name not in others)
    )
    other = next(iter(others), title) if knows and not is_group else None
    learned = Survey(
        title=other or title,
        dates=dates,
        participants=Participants.of(spoken, other or title, options),
        known=frozenset(name.casefold() for name in (*people, title, YOU)),
        kinds=bytearray(len(seen.tally.who)),
        own=own,
        other=other,
        is_group=is_group,
    )
    _judge(learned, seen, people, group, only)
    _join_late(learned, seen)
    return learned


@dataclass(slots=True)
class _Seen:
    """What the lines say, gathered; of the texts only those that may be notices."""

    tally: Tally = field(default_factory=Tally)
    days: dict[tuple[str, str, str], int] = field(default_factory=dict)
    written: dict[tuple[str, str, str], None] = field(default_factory=dict)
    day: array[int] = field(default_factory=lambda: array("l"))
    minute: array[int] = field(default_factory=lambda: array("h"))
    notices: dict[int, str] = field(default_factory=dict)
    separator: str = ""
    title: str = ""
    first: str = ""

    def add(self, header: Header, is_alone: bool, folder: Path) -> None:
        self.separator = header.shape.separator
        time = header.time
        self.day.append(self.days.setdefault(header.numbers, len(self.days)))
        self.minute.append(_NO_TIME if time is None else time.hour * 60 + time.minute)
        named = split_name(header.rest)
        if named is None:
            if is_notice(header.rest):
                self.notices[len(self.day) - 1] = header.rest
                if quoted := _TITLE.search(header.rest):
                    self.title = plain(quoted[1])
            self.tally.add(None, False)
            return
        if named.text.startswith(APP_MARK) and is_notice(named.text):
            self.notices[len(self.day) - 1] = named.text
        if not named.weak:
            self.written[header.numbers] = None
        by_app = is_alone and named.text.startswith(APP_MARK)
        by_app = by_app and read_body(named.text, folder, _unopened).by_app
        if len(self.day) == 1 and by_app:
            self.first = named.name
        self.tally.add(named, by_app)

    def reckon(self, dates: Inferred) -> None:
        """Give every line its time, now that the order of the dates is known."""
        ordinals = [
            day.toordinal() if (day := read_date(numbers, dates.order)) else None
            for numbers in self.days
        ]
        for number, minute in zip(self.day, self.minute, strict=True):
            ordinal = ordinals[number]
            absent = ordinal is None or minute == _NO_TIME
            self.tally.when.append(NEVER if absent else (ordinal or 0) * _DAY + minute)

    def has_spoken(self, name: str) -> bool:
        return self.tally.spoke.get(self.tally.names.get(name, NEVER), 0) > 0

    def name_like(self, title: str) -> str:
        """The name in the lines that a title means, which no file can be called: ``A/B``."""
        meant = _LETTERS.sub("", title).casefold()
        if title in self.tally.names or not meant:
            return title
        alike = (one for one in self.tally.names if _LETTERS.sub("", one).casefold() == meant)
        return next(alike, title)

    def unmistakable(self) -> list[str]:
        """Names that nothing but a person has."""
        return [name for name in self.tally.names if name == YOU or name.startswith(("+", "~"))]

    def group(self, title: str, own: frozenset[str]) -> str:
        """The group that an iPhone names as the sender of its notices; ``""`` if there is none.

        It never writes, and somebody who is not of the practice does.
        """
        name = title if title in self.tally.names else self.first
        if not name or self.has_spoken(name) or name in own:
            return ""
        names = list(self.tally.names)
        others = (names[n] for n in self.tally.spoke if n in self.tally.strong)
        return name if any(one not in own and one != name for one in others) else ""


def _dated_lines(path: Path, encoding: str) -> Iterator[tuple[DatedLine, bool]]:
    """The dated lines, and of each whether no other line belongs to it."""
    last: DatedLine | None = None
    is_alone = True
    for line, dated in lines(path, encoding):
        if dated is None:
            is_alone = is_alone and not line.strip()
            continue
        if last is not None:
            yield last, is_alone
        last, is_alone = dated, True
    if last is not None:
        yield last, is_alone


def _judge(learned: Survey, seen: _Seen, people: frozenset[str], group: str, only: bool) -> None:
    """Decide of each dated line what it is."""
    tally, kinds = seen.tally, learned.kinds
    names = list(tally.names)
    # Whose every line may be WhatsApp's own: what it says decides when it is read.
    silent = {n for n in range(len(names)) if n not in tally.spoke}
    persons = {n for n, name in enumerate(names) if name in people} | silent
    title = tally.names.get(group, NEVER)
    after = _next_times(tally, persons)
    before: int | None = None
    for place, (who, when) in enumerate(zip(tally.who, tally.when, strict=True)):
        if who in persons:
            kinds[place] = Kind.NOTICE if who == title else Kind.MESSAGE
            before = when if when != NEVER else before
            continue
        later = after[place]
        fits = when != NEVER and (before is None or when >= before - TOLERANCE)
        fits = fits and (later == NEVER or when <= later + TOLERANCE)
        notice = seen.notices.get(place)
        if notice is not None and fits and is_notice(notice, learned.is_somebody):
            kinds[place] = Kind.NOTICE
        elif fits or (who >= 0 and not only):
            kinds[place] = Kind.HELD
        else:
            kinds[place] = Kind.TEXT
    _join(kinds, tally, only)


def _next_times(tally: Tally, persons: set[int]) -> array[int]:
    """For each line, when the next one of ``persons`` was written; ``NEVER`` where none follows."""
    out = array("q", [NEVER]) * len(tally.who)
    following = NEVER
    for place in range(len(out) - 1, -1, -1):
        out[place] = following
        if tally.who[place] in persons and tally.when[place] != NEVER:
            following = tally.when[place]
    return out


def _join_late(learned: Survey, seen: _Seen) -> None:
    """Who came to a group later, as its notices say, received nothing of what was before."""
    names = {name.casefold(): name for name in learned.participants.by_name}
    for place, notice in seen.notices.items():
        if learned.kinds[place] not in (Kind.NOTICE, Kind.MESSAGE):
            continue
        for new in joined(notice, learned.is_somebody):
            name = names.get(new)
            if name is not None and seen.tally.first[seen.tally.names[name]] > place:
                learned.participants.join(name, place)


def _join(kinds: bytearray, tally: Tally, only: bool) -> None:
    """What lies beside a pasted line was pasted with it; but nothing goes on from a notice."""
    start = 0
    while start < len(kinds):
        end = start + 1
        while end < len(kinds) and kinds[end] not in (Kind.MESSAGE, Kind.NOTICE):
            end += 1
        run = range(start + 1, end)
        pasted = any(kinds[place] == Kind.TEXT for place in run)
        for place in run:
            if kinds[start] != Kind.MESSAGE:
                kinds[place] = Kind.HELD
            elif pasted and (only or tally.who[place] < 0):
                kinds[place] = Kind.TEXT
        if kinds[start] == Kind.TEXT:  # There is no message before it.
            kinds[start] = Kind.HELD
        start = end


def _is_own(name: str, options: ReadOptions) -> bool:
    address = address_of(name, options.country)
    return name == YOU or any(address.key == one.key for one in options.owner)


def _unopened(name: str, _folder: Path) -> Attachment:
    return Attachment(name, UNKNOWN_TYPE, None)
