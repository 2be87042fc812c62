"""A unit by its UCUM code: what it is worth, of which dimension (unitsofmeasure.org, the grammar).

Worths are fractions, so nothing is rounded: a gram is a thousand milligrams. Units that somebody
agreed upon for one assay (``[iU]``) are dimensions of their own, as is an amount of substance:
none of them is turned into another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import TypeAlias

from threadwell.fhir.quantities.table import OFFSETS, PREFIXES, UNITS

#: The code system.
UCUM = "http://unitsofmeasure.org"

#: Letters that a code may have, and brackets within each other.
MAX_LETTERS, MAX_NESTED = 200, 8
#: Bits of what a unit may be worth.
_MOST = 1000
_KELVIN = "K1"
#: What has no end in digits (a minute's sixtieth) is cut where nobody looks.
_DIGITS = Context(prec=250)


class NoUnit(ValueError):
    """It is no code of a unit that is known; the message says why."""


@dataclass(frozen=True, slots=True)
class Unit:
    """``worth`` times what its ``dimension`` is measured in, from ``zero`` on.

    Only units of the same dimension can be compared; ``""`` is a plain number.
    """

    dimension: str
    worth: Fraction
    zero: Fraction = Fraction(0)


def unit(code: str) -> Unit:
    """The unit; raises ``NoUnit``."""
    found = _unit(code)
    if isinstance(found, str):
        raise NoUnit(found)
    return found


def find_unit(code: str) -> Unit | None:
    """The unit, ``None`` where it is not known."""
    found = _unit(code)
    return None if isinstance(found, str) else found


@lru_cache(maxsize=4096)
def _unit(code: str) -> Unit | str:
    if code in OFFSETS:
        step, zero = OFFSETS[code]
        return Unit(_KELVIN, Fraction(step), Fraction(zero))
    if not code or len(code) > MAX_LETTERS:
        return f"a unit has 1 to {MAX_LETTERS} letters"
    try:
        worth, powers = _Reader(code).read()
    except NoUnit as error:
        return str(error)
    return Unit(_dimension(powers), worth)


def common(value: Decimal, of: Unit) -> Decimal:
    """A value in what its dimension is measured in: the same for the same quantity."""
    if not value.is_finite():
        return value
    found = Fraction(value) * of.worth + of.zero
    return _DIGITS.divide(Decimal(found.numerator), Decimal(found.denominator))


def _dimension(powers: Mapping[str, int]) -> str:
    return ".".join(f"{name}{power}" for name, power in sorted(powers.items()) if power)


#: What a term is worth, and the powers of its dimensions.
_Read: TypeAlias = tuple[Fraction, Counter[str]]


class _Reader:
    """Reads one code from its left to its right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open = 0

    def read(self) -> _Read:
        found = self._term()
        if self._at < len(self._text):
            raise NoUnit("a bracket is closed that was not opened")
        return found

    def _term(self) -> _Read:
        worth, powers = Fraction(1), Counter[str]()
        sign = 1
        if self._peek() == "/":
            self._at += 1
            sign = -1
        while True:
            of, by = self._component()
            worth *= of**sign
            for name, power in by.items():
                powers[name] += sign * power
            if max(worth.numerator, worth.denominator).bit_length() > _MOST:
                raise NoUnit("it is too large, or too small")
            following = self._peek()
            if following not in {".", "/"}:
                return worth, powers
            self._at += 1
            sign = 1 if following == "." else -1

    def _component(self) -> _Read:
        if self._peek() == "(":
            self._open += 1
            if self._open > MAX_NESTED:
                raise NoUnit(f"more than {MAX_NESTED} brackets are open")
            self._at += 1
            found = self._term()
            if self._peek() != ")":
                raise NoUnit("a bracket is not closed")
            self._at += 1
            self._open -= 1
            self._annotation()
            return found
        if self._annotation():
            return Fraction(1), Counter()
        return self._simple()

    def _simple(self) -> _Read:
        match = _SIMPLE.match(self._text, self._at)
        if not match or not match[0]:
            raise NoUnit("a unit is missing" if self._at == len(self._text) else "a sign is wrong")
        self._at = match.end()
        if match["number"]:
            if not int(match["number"]):
                raise NoUnit("nothing is measured in none of it")
            found: _Read = Fraction(int(match["number"])), Counter()
        else:
            found = _named(match["name"])
        if match["power"]:
            power = int(match["power"])
            worth, powers = found
            if max(worth.numerator, worth.denominator).bit_length() * abs(power) > _MOST:
                raise NoUnit("it is too large, or too small")
            found = worth**power, Counter({name: n * power for name, n in powers.items()})
        self._annotation()
        return found

    def _annotation(self) -> bool:
        match = _ANNOTATION.match(self._text, self._at)
        if not match:
            return False
        self._at = match.end()
        return True

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]


_ANNOTATION = re.compile(r"\{[!-z|~]*\}")
_SIMPLE = re.compile(
    r"(?P<number>\d{1,9})(?![*^\d])"
    r"|(?P<name>10[*^]|(?:\[[^\[\]\s]+\]|[A-Za-z%'_])(?:\[[^\[\]\s]+\]|[A-Za-z%'_])*)"
    r"(?P<power>[+-]?\d{1,2}(?!\d))?"
)


@cache
def _known() -> dict[str, tuple[bool, str]]:
    found: dict[str, tuple[bool, str]] = {}
    for line in UNITS.split("\n"):
        if line:
            code, _, rest = line.partition(" ")
            is_metric = rest.startswith("*")
            found[code] = is_metric, rest.removeprefix("*").strip()
    return found


@cache
def _atom(code: str) -> _Read:
    _, meaning = _known()[code]
    if not meaning:
        return Fraction(1), Counter({code: 1})
    number, _, of = meaning.partition(" ")
    if not of and "/" in number and not number.replace("/", "").isdigit():
        number, of = "1", f"/{number.partition('/')[2]}"
    worth, powers = _Reader(of).read() if of else (Fraction(1), Counter[str]())
    return Fraction(number) * worth, powers


def _named(name: str) -> _Read:
    known = _known()
    if name in known:
        return _atom(name)
    if name in OFFSETS:
        return Fraction(OFFSETS[name][0]), Counter({"K": 1})
    for prefix, (base, power) in PREFIXES.items():
        rest = name.removeprefix(prefix)
        if rest != name and rest in OFFSETS and rest == "Cel":
            return Fraction(base) ** power, Counter({"K": 1})
        if rest != name and rest in known and known[rest][0]:
            worth, powers = _atom(rest)
            return worth * Fraction(base) ** power, powers
    raise NoUnit(f"{name!r} is no unit that is known here")
