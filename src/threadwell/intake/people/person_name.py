"""The parts of a person's name in a row of a table, whichever cells they stand in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from threadwell.intake.people.cells import several
from threadwell.messages.spreadsheet import says_nothing

#: ``William "Will"``, ``William (Will)``: a name by which somebody is called.
_CALLED = re.compile(
    '[("\u201c\u201e\u00ab]([^()"\u201c\u201d\u00ab\u00bb]{1,60})[)"\u201d\u201c\u00bb]'
)
#: ``William 'Will'``, ``William aka Will``; not the apostrophe of ``O'Neil``.
_QUOTED = re.compile(
    "(?:^|(?<=\\s))['\u2018\u201a]([^'\u2018\u2019]{1,60})['\u2018\u2019](?=\\s|$)"
)
_AKA = re.compile(
    r"\s(?:aka|a\.k\.a\.|a/k/a|known as|called|goes by|genannt|dit|dite|alias)\s+(\S.*)$",
    re.IGNORECASE,
)
_SHORTEST_NICKNAME = 2
_NONE = frozenset({"-", "--", "\u2013", "\u2014", "n/a", "na", "none", "no", "."})

#: Titles that are no given name of anybody; with a full stop or without.
_TITLES = frozenset(
    (
        *("dr", "dra", "prof", "mr", "mrs", "ms", "miss", "mx", "rev", "hon", "sir"),
        *("herr", "frau", "fr", "hr", "mme", "mlle", "dott", "dott.ssa", "sig", "sig.ra"),
        *("med", "dipl", "ing", "lic", "sra", "srta", "mevr", "dhr", "doctor", "professor"),
    )
)
#: Titles that are names of people, too, unless a full stop stands behind them.
_WITH_STOP = frozenset(("med", "dipl", "ing", "lic", "hon", "fr", "hr", "sig", "sra"))
_GENERATIONS = frozenset(("jr", "sr", "ii", "iii", "iv"))
_DEGREES = frozenset(
    (
        *("md", "do", "rn", "np", "pa", "phd", "dds", "dmd", "lpn", "cnm", "aprn", "fnp", "mph"),
        *("pa-c", "np-c", "fnp-c", "msn", "bsn", "dnp", "psyd", "lcsw", "pharmd", "faap", "esq"),
    )
)


class PersonName(NamedTuple):
    """A name told apart. ``nicknames`` are those that somebody is called by."""

    family: str
    given: tuple[str, ...]
    prefix: tuple[str, ...]
    suffix: tuple[str, ...]
    nicknames: tuple[str, ...]


def name_of(row: Mapping[str, str]) -> PersonName:
    """The name of a row, by the names of its columns.

    Titles before a name and generations or degrees behind it (``Dr. Sato``, ``Whitlow Jr.``) are
    its prefix and suffix. ``Whitlow, William`` in the one cell of family and given name that is
    filled is both. A name in quotation marks or brackets, after a slash or *aka* is one to be
    called by, and so is a later given name that is the beginning of the first (``William;Will``).
    """
    before = several(row["prefix"])
    behind = several(row["suffix"])
    family, given = row["family"], row["given"]
    family, titles, suffixes = _bare(family)
    before, behind = _joined(before, titles), _joined(behind, suffixes)
    if not given and (parts := _last_first(family)):
        family, given = parts
    given, titles, suffixes = _bare(given)
    before, behind = _joined(before, titles), _joined(behind, suffixes)
    if not family and (parts := _last_first(given)):
        family, given = parts
        given, titles, suffixes = _bare(given)
        before, behind = _joined(before, titles), _joined(behind, suffixes)
    names, called = _given(given)
    called += _nicknames(row["nickname"])
    known = {name.lower() for name in names}
    nicknames = dict.fromkeys(name for name in called if name.lower() not in known)
    middle = [] if _is_nothing(row["middle"]) else several(row["middle"])
    return PersonName(family, (*names, *middle), tuple(before), tuple(behind), tuple(nicknames))


def _given(cell: str) -> tuple[list[str], list[str]]:
    """The given names of a cell, and those by which somebody is called."""
    called = [one.strip() for one in (*_CALLED.findall(cell), *_QUOTED.findall(cell))]
    rest = _QUOTED.sub(" ", _CALLED.sub(" ", cell))
    if match := _AKA.search(rest):
        called += _nicknames(match[1])
        rest = rest[: match.start()]
    names: list[str] = []
    for one in several(rest, "[;,\n]"):
        name, *others = [" ".join(part.split()) for part in one.split("/")]
        names.append(name)
        called += filter(None, others)
    names = [name for name in names if name]
    first, *others = names or [""]
    short = [
        name
        for name in others
        if len(name) >= _SHORTEST_NICKNAME and first.lower().startswith(name.lower())
    ]
    return [name for name in names if name not in short], [*called, *short]


def _nicknames(cell: str) -> list[str]:
    if _is_nothing(cell):
        return []
    bare = (
        one.strip(" ()\"'\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb")
        for one in several(cell, "[;,/\n]")
    )
    return [one for one in bare if one and not _is_nothing(one)]


def _is_nothing(cell: str) -> bool:
    return says_nothing(cell) or cell.strip().lower() in _NONE


def _bare(name: str) -> tuple[str, list[str], list[str]]:
    """A name without its titles and suffixes, and those. Something of the name stays."""
    before: list[str] = []
    behind: list[str] = []
    words = name.split(" ")
    while len(words) > 1 and _is_title(words[0]):
        before.append(words.pop(0))
    while len(words) > 1 and _is_suffix(words[-1], after_comma=words[-2].endswith(",")):
        behind.insert(0, words.pop())
        words[-1] = words[-1].rstrip(",")
    bare = " ".join(words).strip()
    return (bare, before, behind) if bare else (name, [], [])


def _is_title(word: str) -> bool:
    plain = word.lower().rstrip(".")
    return plain in _TITLES and (word.endswith(".") or plain not in _WITH_STOP)


def _is_suffix(word: str, *, after_comma: bool) -> bool:
    plain = word.lower().rstrip(".").replace(".", "")
    if plain in _GENERATIONS:
        # "Ii" is a name, in Finland and in Japan.
        return plain in ("jr", "sr") or word.isupper()
    # "Van, Do" is a name, and "Van, DO" an osteopath.
    return after_comma and plain in _DEGREES and sum(c.isupper() for c in word) > 1


def _last_first(cell: str) -> tuple[str, str] | None:
    """``Whitlow, William`` as family and given name."""
    family, comma, given = (one.strip() for one in cell.partition(","))
    return (family, given) if comma and family and given and ";" not in cell else None


def _joined(texts: list[str], more: list[str]) -> list[str]:
    known = {text.lower().rstrip(".") for text in texts}
    return [*texts, *(one for one in more if one.lower().rstrip(".") not in known)]
