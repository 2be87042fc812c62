"""What the look of words means, in signs that a text can hold.

Formats keep apart from the words that some of them are struck, raised or lowered. A channel puts a
mark before the words (``mark``), which holds until the next one, and ``shown`` makes signs of the
marks: ``10⁹/L``, ``H₂O``, ``~~10 mg~~``. Nothing else of a text is touched, and ``without_looks``
finds the words again that stood there before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

#: How words look; they may be several at once, but raised and lowered.
RAISED, LOWERED, STRUCK, HIDDEN = 1, 2, 4, 8

#: The note on a message that has such signs in the place of looks.
NOTE = "what was struck, raised or lowered in it is shown by signs: ~~struck~~, 10⁹, H₂O"
#: The note on one of which hidden words are left out.
HID = "words in it that nobody saw were left out: its formatting hides them"

#: What no text can hold: Unicode keeps these for use within a program.
_FIRST = 0xFDD0
_MARK = re.compile("[\ufdd0-\ufddf]")
_MARK_OR_NOT = re.compile("([\ufdd0-\ufddf])")

_STRIKE = "~~"
#: Stands where two numbers would become one; narrow, and never at the end of a line.
_APART = "\u202f"
_ABOVE = dict(zip("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", strict=True))
_BELOW = dict(zip("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", strict=True))
_SUPER = str.maketrans({**_ABOVE, "−": "⁻"})
_SUB = str.maketrans({**_BELOW, "−": "₋"})
_RAISABLE = frozenset((*_ABOVE, "−", *_ABOVE.values()))
_LOWERABLE = frozenset((*_BELOW, "−", *_BELOW.values()))
#: Raised letters by which Romance languages count; as letters they would look like digits.
_INDICATORS = {"o": "º", "a": "ª"}
_ORDINALS = frozenset(
    (
        *("st", "nd", "rd", "th", "e", "er", "re", "ere", "ère", "eme", "ème", "me"),
        *("d", "de", "nde", "ds", "ste"),
    )
)
_ABBREVIATED = frozenset(("r", "re", "me", "mes", "lle", "lles", "tm", "sm"))
_SIGNS = frozenset("*†‡§¶#™®©°ºª'’\"")

_OVER = re.compile(r"([0-9]{1,9})([/⁄])([0-9]{1,9})")
#: A whole number before a fraction.
_MIXED = re.compile("(?<=[0-9])(?=[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,9}[/⁄][₀-₉])")
_BETWEEN = re.compile(
    f"{_APART}(?=[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,9}}[/⁄][₀-₉])|{_APART}(?={_STRIKE})|(?<={_STRIKE}){_APART}"
)
_BRACKETED = re.compile(r"[\^_](?:\(([^()\n]{0,4000})\)|\{([^{}\n]{0,4000})\})")
_FLAT = str.maketrans(
    {above: plain for plain, above in _ABOVE.items()}
    | {below: plain for plain, below in _BELOW.items()}
    | {"−": "-", "º": "o", "ª": "a"}
)


def mark(look: int) -> str:
    """What says in a text that the words behind it look like that, up to the next mark."""
    return chr(_FIRST + look)


def without_marks(text: str) -> str:
    """The words of a text without any marks in it."""
    return text if text.isascii() else _MARK.sub("", text)


def has_marks(text: str) -> bool:
    """Whether a mark stands in a text."""
    return not text.isascii() and _MARK.search(text) is not None


def with_struck(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """A text with marks where it is struck: from where to where, in the units of UTF-16."""
    text, end, out = without_marks(text), 0, []
    units = text.encode("utf-16-le", "surrogatepass")
    for first, behind in sorted(ranges):
        begin, last = max(between(units, first * 2), end), between(units, behind * 2)
        if begin < last:
            struck = units[begin:last].decode("utf-16-le", "surrogatepass")
            before = units[end:begin].decode("utf-16-le", "surrogatepass")
            out += [before, mark(STRUCK), struck, mark(0)]
            end = last
    return "".join([*out, units[end:].decode("utf-16-le", "surrogatepass")])


def between(units: bytes, place: int) -> int:
    """The end of a character of UTF-16 that is nearest before a place in it, in bytes."""
    place = min(place, len(units))
    is_within = units[place + 1 : place + 2] and 0xDC <= units[place + 1] <= 0xDF
    return max(place - 2, 0) if is_within else place


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """The words of a text with marks, each piece with how it looks; it begins without any look."""
    look = 0
    for piece in _MARK_OR_NOT.split(text):
        if piece and _MARK.match(piece):
            look = ord(piece) - _FIRST
        elif piece:
            yield look, piece


def shown(text: str) -> str:
    """A text with marks as it is recorded; one without any is as it was.

    Struck words have ``~~`` before and behind them, on each line. Raised and lowered numbers are
    written with the signs that Unicode has for them; what it has none for is ``^(…)`` and
    ``_(…)``, but for ordinals and signs, which are read as they are. Hidden words are left out.
    """
    if not has_marks(text):
        return text
    lines: list[list[tuple[int, str]]] = [[]]
    for look, piece in pieces(text):
        first, *others = piece.split("\n")
        lines[-1].append((look, first))
        lines += [[(look, one)] for one in others]
    return "\n".join([_line(one) for one in lines])


def told(text: str) -> tuple[str, tuple[str, ...]]:
    """A text with marks as it is recorded, and notes: that it has signs, that it lacks words."""
    if not has_marks(text):
        return text, ()
    seen, said = shown(text), "".join([one for look, one in pieces(text) if not look & HIDDEN])
    notes = (NOTE if seen != said else "", HID if said != without_marks(text) else "")
    return seen, tuple(filter(None, notes))


def earlier(text: str) -> str:
    """A text with marks as it was read by builds that knew nothing of looks.

    ``""`` where ``without_looks`` finds that in what is recorded: not where words are hidden, or
    somebody has typed such signs beside.
    """
    bare = without_marks(text)
    return bare if bare != text and without_looks(shown(text)) != bare else ""


def without_looks(text: str) -> str:
    """A text without the signs that ``shown`` has made, whoever has put them there."""
    if text.isascii():
        if _STRIKE not in text and "^" not in text and "_" not in text:
            return text
    else:
        text = _BETWEEN.sub("", text).translate(_FLAT)
    bare = _BRACKETED.sub(lambda found: found[1] or found[2] or "", text)
    return bare.replace(_STRIKE, "")


def _line(line: list[tuple[int, str]]) -> str:
    seen = [(look, piece) for look, piece in line if not look & HIDDEN]
    if not any(look for look, _ in seen):
        return "".join([piece for _, piece in seen])
    out: list[str] = []
    last, closed = "", False
    for struck, group in groupby(seen, key=lambda one: one[0] & STRUCK):
        text, before = "", last
        inner: list[str] = []
        for look, those in groupby(group, key=lambda one: one[0] & (RAISED | LOWERED)):
            text = _level(look, "".join([piece for _, piece in those]), before)
            inner.append(text)
            before = text[-1:] or before
        text = "".join(inner)
        bare = text.strip()
        if struck and bare:
            apart = _APART if text[0].isalnum() and last.isalnum() else ""
            text = text.replace(bare, f"{apart}{_STRIKE}{bare}{_STRIKE}", 1)
            out.append(text)
            last = text[-1] if text[-1].isspace() else bare[-1]
            closed = not text[-1].isspace()
        elif text:
            if closed and last.isalnum() and text[0].isalnum():
                out.append(_APART)
            out.append(text)
            last, closed = text[-1], False
    return _MIXED.sub(_APART, "".join(out))


def _level(look: int, text: str, before: str) -> str:
    """Words at their height; ``before`` is the character that they follow."""
    core = text.strip()
    if not look or not core:
        return text
    if text[0].isspace():
        before = ""
    level = _raised if look & RAISED else _lowered
    return text.replace(core, level(core, before.strip()), 1)


def _raised(core: str, before: str) -> str:
    if _RAISABLE.issuperset(core) and core.count("n") < 2:
        return core.translate(_SUPER)
    if over := _OVER.fullmatch(core):
        return f"{over[1].translate(_SUPER)}{over[2]}{over[3].translate(_SUB)}"
    letters = core.lower().rstrip(".")
    if letters in _INDICATORS and (before.isdigit() or before in ("n", "N")):
        return _INDICATORS[letters] + core[len(letters) :]
    natural = _ORDINALS if before.isdigit() else _ABBREVIATED if before.isalpha() else ()
    if not before or letters in natural or _SIGNS.issuperset(core):
        return core
    return _bracketed("^", core)


def _lowered(core: str, before: str) -> str:
    if _LOWERABLE.issuperset(core):
        return core.translate(_SUB)
    if not before or (core.isalpha() and not before.isdigit()) or _SIGNS.issuperset(core):
        return core
    return _bracketed("_", core)


def _bracketed(sign: str, core: str) -> str:
    if not {"(", ")"} & {*core}:
        return f"{sign}({core})"
    return core if {"{", "}"} & {*core} else f"{sign}{{{core}}}"
