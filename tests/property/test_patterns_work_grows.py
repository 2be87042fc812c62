"""No regular expression goes back and forth over a text: its steps grow as the text does.

Every pattern that a module of Threadwell keeps is tried by the methods that the module calls, over
texts made of what the pattern itself speaks of, again and again. Steps are counted (see
``backtracking``), so the outcome is the same on any machine.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import pytest

import threadwell
from tests.property.backtracking import TooManySteps, steps

METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
#: Steps a character that nobody asks about; above, a text of three times the length may take about
#: three times as many.
FEW, SHORT, TIMES = 40, 200, 3
#: Patterns that meet texts of the program's own only.
OWN = {"stores.postgres.migrate", "fhir.fhirpath.parse"}


class Used(NamedTuple):
    """A pattern, where it is kept (``module.NAME``), and how its module uses it."""

    name: str
    pattern: re.Pattern[Any]
    methods: tuple[str, ...]


def used(part: str) -> list[Used]:
    """Those of a part of Threadwell: a module, or a package with all that is in it."""
    whole = importlib.import_module(f"threadwell.{part}")
    inner = pkgutil.walk_packages(getattr(whole, "__path__", ()), f"{whole.__name__}.")
    out = []
    for full in [whole.__name__, *(found.name for found in inner)]:
        name = full.removeprefix("threadwell.")
        if name.endswith("__main__") or name in OWN:
            continue
        module = importlib.import_module(full)
        patterns = [
            (called, pattern)
            for called, kept in vars(module).items()
            if not called.startswith("__")
            for pattern in _patterns_in(kept)
        ]
        if not patterns:
            continue
        calls = _calls(Path(str(module.__file__)).read_text("utf-8"))
        out += [
            Used(f"{name}.{called}", pattern, tuple(sorted(calls.get(called, {"match"}))))
            for called, pattern in patterns
        ]
    return out


def _patterns_in(kept: Any) -> list[re.Pattern[Any]]:
    """A pattern, or those of a table."""
    if isinstance(kept, re.Pattern):
        return [kept]
    some = list(kept.values()) if isinstance(kept, dict) else kept
    return (
        [found for one in some for found in _patterns_in(one)]
        if isinstance(some, list | tuple | frozenset)
        else []
    )


def _calls(source: str) -> dict[str, set[str]]:
    """The methods that a module calls on what it has in upper case, by name."""
    out: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in METHODS
            and isinstance(node.value, ast.Name)
        ):
            out.setdefault(node.value.id, set()).add(node.attr)
    return out


def spoken_of(pattern: re.Pattern[Any]) -> list[str]:
    """Characters that a pattern tells apart, those that are no letters first."""
    out: dict[str, None] = {}

    def look(value: Any) -> None:
        if isinstance(value, tuple) and len(value) == 2 and value[0] in (c.LITERAL, c.NOT_LITERAL):
            out[chr(value[1])] = None
        elif isinstance(value, tuple) and len(value) == 2 and value[0] is c.RANGE:
            out[chr(value[1][0])] = None
        elif isinstance(value, tuple) and len(value) == 2 and value[0] is c.CATEGORY:
            kind = str(value[1]).rpartition("_")[2]
            out[{"DIGIT": "1", "SPACE": " ", "WORD": "a"}.get(kind, "-")] = None
        elif isinstance(value, list | tuple | parser.SubPattern):
            for one in value:
                look(one)

    look(parser.parse(pattern.pattern, pattern.flags))
    some = sorted(out, key=str.isalpha)
    return some[:7]


def texts(pattern: re.Pattern[Any]) -> list[str]:
    """What is said again and again: the pattern's own characters, two of them, how it begins."""
    some = list(dict.fromkeys([*spoken_of(pattern), " ", "a", "1", "\n"]))
    head = itertools.takewhile(
        lambda one: one[0] is c.LITERAL, parser.parse(pattern.pattern, pattern.flags)
    )
    begins = "".join(chr(one[1]) for one in head)
    units = [*some, *map("".join, itertools.permutations(some[:4], 2))]
    return [*units, *([begins, begins + "a"] if len(begins) > 1 else [])]


#: Nothing of Threadwell is loaded to find the tests: every process that runs some looks for all.
PARTS = sorted({one.name for one in pkgutil.iter_modules(threadwell.__path__)} - {"__main__"})


def test_patterns_are_found() -> None:
    found = [one for part in PARTS for one in used(part)]
    assert len(found) > 200
    assert any(len(one.methods) > 1 for one in found)


@pytest.mark.parametrize("part", PARTS)
def test_steps_grow_with_the_text_only(part: str) -> None:
    assert [told for one in used(part) for told in _grow_faster(one)] == []


def _grow_faster(one: Used) -> Iterator[tuple[object, ...]]:
    """The ways in which a pattern's steps grow faster than a text."""
    for unit, how in itertools.product(texts(one.pattern), one.methods):
        try:
            few = _steps(one.pattern, how, unit, SHORT)
            if few <= FEW * SHORT:
                continue
            less = _steps(one.pattern, how, unit, SHORT * TIMES)
            more = _steps(one.pattern, how, unit, SHORT * TIMES * TIMES)
        except TooManySteps:
            yield one.name, how, unit
            continue
        if more >= less * TIMES * 1.3:
            yield one.name, how, unit, few, less, more


@pytest.mark.parametrize("part", PARTS)
def test_no_pattern_holds_on_to_a_group(part: str) -> None:
    """Python 3.11.2, which Debian has, loses matches of a group that holds on to them."""
    held = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+")
    assert [one.name for one in used(part) if held.search(_source(one.pattern))] == []


def _source(pattern: re.Pattern[Any]) -> str:
    """The pattern, without its classes of characters."""
    raw = pattern.pattern
    return re.sub(
        r"\[\^?\]?(?:[^\]\\]|\\.)*\]", "x", raw if isinstance(raw, str) else raw.decode("latin-1")
    )


def _steps(
    pattern: re.Pattern[Any], how: str, unit: str, length: int, most: int = 3_000_000
) -> int:
    text: str | bytes = (unit * length)[:length] + "\x00"
    if isinstance(pattern.pattern, bytes):
        text = str(text).encode("latin-1", "replace")
    return steps(pattern, how, text, most)


@pytest.mark.parametrize(
    ("pattern", "how", "unit"),
    [
        (r"[^=]*=", "sub", "a"),
        (r'(?:[^",]|"(?:[^"\\]|\\.)*")+', "finditer", '"\\'),
        (r"\s*$", "search", " "),
        (r"(?:a|a)*b", "match", "a"),
        (r"\d+\d+x", "match", "1"),
    ],
)
def test_those_that_go_back_and_forth_are_told(pattern: str, how: str, unit: str) -> None:
    seen = [_grown(re.compile(pattern), how, unit, length) for length in (40, 120, 360)]
    assert seen[2] == 0 or seen[2] > seen[1] * TIMES * 1.3


def _grown(pattern: re.Pattern[Any], how: str, unit: str, length: int) -> int:
    try:
        return _steps(pattern, how, unit, length, 300_000)
    except TooManySteps:
        return 0


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)(b|c)?\1", "aabaa"),
        (r"(?<=x)y(?!z)", "xyzxya"),
        (r"\bfoo\b|ba{2,3}?r", "a foo baaar"),
        (r"(?i)ä[^b-d]*+e", "xÄxxe"),
        (r"(?P<q>[\"'])(?:(?!(?P=q)).)*(?P=q)", "say 'a\"b' now"),
        (r"^b$", "a\nb\nc"),
        (r"(?m)^b$", "a\nb\nc"),
        (r"(?>a|ab)c", "abc ac"),
        (r"(?s).{2,4}?c", "a\nbc"),
        (r"(x)?(?(1)y|z)", "z xy"),
    ],
)
def test_it_finds_what_re_finds(pattern: str, text: str) -> None:
    from tests.property.backtracking import Walk

    found = re.compile(pattern).search(text)
    assert Walk(re.compile(pattern), text, 10_000).search() == (found.span() if found else (-1, -1))
