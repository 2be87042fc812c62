"""Which of the names that stand before a colon are people, and which are a piece of a sentence.

Nothing marks the end of a name. ``Ana Prado cambió el asunto de "Cita: lunes" …`` is a notice, and
``BP: 150/95`` may be a line of a log that somebody pasted with its dates.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from threadwell.channels.whatsapp.notices import plain

#: How many minutes an export may lie out of the order of time by itself: clocks that are put back,
#: and notices that are written apart from the messages.
TOLERANCE = 90

#: The time of a line whose date or hour does not exist.
NEVER = -(2**62)

_QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\u300a\u300b')
_LONGEST_NAME = 100
_MOST_WORDS = 10
_NOBODY = -1


class Named(NamedTuple):
    """A text and the name that stands before it.

    ``weak`` where no blank follows the colon, as in a time or an address of the web: it is a name
    only if it is one elsewhere too.
    """

    name: str
    text: str
    weak: bool = False


@dataclass(slots=True)
class Tally:
    """The dated lines of an export: who stands before each, and when it was.

    ``spoke`` counts the lines of each name that WhatsApp has not written itself; ``first`` is where
    the first of them stands.
    ``when`` counts minutes, and is ``NEVER`` for a date or an hour that does not exist.
    """

    names: dict[str, int] = field(default_factory=dict)
    who: array[int] = field(default_factory=lambda: array("l"))
    when: array[int] = field(default_factory=lambda: array("q"))
    strong: set[int] = field(default_factory=set)
    spoke: dict[int, int] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)

    def add(self, named: Named | None, by_app: bool) -> None:
        """The next line; ``by_app`` where WhatsApp wrote what stands behind the name."""
        if named is None:
            self.who.append(_NOBODY)
            return
        number = self.names.setdefault(named.name, len(self.names))
        self.who.append(number)
        if not named.weak:
            self.strong.add(number)
        if not by_app:
            self.first.setdefault(number, len(self.who) - 1)
            self.spoke[number] = self.spoke.get(number, 0) + 1


def split_name(rest: str) -> Named | None:
    """Who wrote what, in the rest of a line behind its date; ``None`` where no name can be."""
    before, colon, text = rest.partition(": ")
    if colon:
        name = _name(before)
        return Named(name, text) if name else None
    before, colon, text = rest.partition(":")
    if colon and not text.startswith("//") and (name := _name(before)):
        return Named(name, text.lstrip("\r\n"), weak=True)
    return None


def senders(tally: Tally, sure: Collection[str], only: bool) -> frozenset[str]:
    """Those names of the lines that are people's.

    ``sure`` are; with ``only``, nobody else but the one who wrote most of the rest, as in a chat of
    two. Otherwise somebody is a person who wrote at a time that fits to what others wrote before
    and after, unless the name only goes on where another one ends.
    """
    known = [tally.names[name] for name in sure if name in tally.names]
    rest = [n for n in tally.spoke if n in tally.strong and n not in known]
    if only:
        missing = 2 - len([n for n in known if n in tally.spoke])
        if missing > 0 and rest:
            names = list(tally.names)
            fitting = _fitting(tally, rest) or set(rest)
            likely = [n for n in fitting if tally.spoke[n] > 1 or _looks_like_a_name(names[n])]
            known += sorted(likely, key=lambda n: (-tally.spoke[n], n))[:1]
        return _names(tally, known)
    seeds = {*known, *_fitting(tally, rest)} or set(rest)
    people = seeds | _between(tally, seeds, [n for n in rest if n not in seeds])
    named = _names(tally, people)
    once = {name for name, n in tally.names.items() if tally.spoke.get(n) == 1 and n not in known}
    return frozenset(name for name in named if name not in once or not _goes_on(name, named))


@lru_cache(maxsize=1024)
def _name(written: str) -> str:
    """The name that may stand so before a colon; ``""`` where it can be none."""
    if not 0 < len(written) <= _LONGEST_NAME or "\n" in written:
        return ""
    quotes = sum(character in _QUOTES for character in written)
    return "" if quotes % 2 or len(written.split()) > _MOST_WORDS else plain(written)


def _looks_like_a_name(name: str) -> bool:
    letters = [character for character in name if character.isalpha()]
    is_word = bool(letters) and not letters[0].islower()
    return is_word and not any(map(str.isdigit, name))


def _fitting(tally: Tally, candidates: Iterable[int]) -> set[int]:
    """Those who wrote a line that no earlier one is later than, and no later one earlier."""
    latest: list[int] = []
    so_far = NEVER
    for who, when in zip(tally.who, tally.when, strict=True):
        latest.append(so_far)
        if who != _NOBODY and when != NEVER:
            so_far = max(so_far, when)
    out: set[int] = set()
    wanted = set(candidates)
    earliest = -NEVER
    for at in range(len(tally.who) - 1, -1, -1):
        who, when = tally.who[at], tally.when[at]
        if who == _NOBODY or when == NEVER:
            continue
        in_order = latest[at] - TOLERANCE <= when <= earliest + TOLERANCE
        if who in wanted and in_order:
            out.add(who)
        earliest = min(earliest, when)
    return out


def _between(tally: Tally, seeds: Collection[int], candidates: Iterable[int]) -> set[int]:
    """Those of ``candidates`` who wrote a line that fits between two lines of ``seeds``."""
    wanted = set(candidates)
    if not wanted:
        return set()
    out: set[int] = set()
    waiting: list[tuple[int, int]] = []
    before: int | None = None
    for who, when in zip(tally.who, tally.when, strict=True):
        if when == NEVER:
            continue
        if who in seeds:
            out.update(one for one, then in waiting if then <= when + TOLERANCE)
            waiting.clear()
            before = when
        elif who in wanted and (before is None or when >= before - TOLERANCE):
            waiting.append((who, when))
    out.update(one for one, _ in waiting)
    return out


def _goes_on(name: str, people: Collection[str]) -> bool:
    """Whether a name goes on in small letters where the name of somebody of ``people`` ends.

    ``Ana Prado vaihtoi kuvauksen`` is no person beside ``Ana Prado``.
    """
    words = name.split(" ")
    for count in range(1, len(words) - 1):
        further = words[count:]
        is_sentence = further[0][:1].islower() or (
            not further[0][:1].isupper() and len(further) > 2
        )
        if is_sentence and " ".join(words[:count]) in people:
            return True
    return False


def _names(tally: Tally, numbers: Iterable[int]) -> frozenset[str]:
    names = list(tally.names)
    return frozenset(names[number] for number in numbers)
