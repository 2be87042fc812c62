"""The text of ``_filter`` → its tree (FHIR R4 search_filter.html).

``and`` and ``or`` are read from left to right, neither before the other.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

from threadwell.fhir.outcome import FhirError, Issue, invalid

#: Characters of an expression, comparisons in it, and how deep it nests.
MAX_TEXT = 20_000
MAX_TERMS = 100
MAX_NESTED = 20

OPERATORS = frozenset(
    {
        "eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po",
        "ss", "sb", "in", "ni", "re",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A parameter of a path, and what has to hold for what it leads to, if it says so."""

    name: str
    within: Tree | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """``path operator value``; ``quoted`` tells whether the value stood between quotes."""

    path: tuple[Part, ...]
    operator: str
    value: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Both:
    """Two that must both hold."""

    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Either:
    """Two of which one must hold."""

    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Not:
    """One that must not hold."""

    inner: Tree


Tree: TypeAlias = Term | Both | Either | Not


def parse_filter_text(text: str) -> Tree:
    """The tree of an expression; raises ``FhirError`` 400 that tells where it cannot be read."""
    if len(text) > MAX_TEXT:
        raise _too_costly(f"_filter has at most {MAX_TEXT:,} characters")
    parser = _Parser(text)
    tree = parser.expression(0)
    parser.end()
    return tree


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(?::[A-Z][A-Za-z]*(?=[.\[]))?")
_WORD = re.compile(r"[A-Za-z]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE = re.compile(r"[^\s\])]+")
_BLANK = re.compile(r"\s*")


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._terms = 0

    def expression(self, depth: int) -> Tree:
        if depth > MAX_NESTED:
            raise _too_costly(f"_filter nests at most {MAX_NESTED} levels deep")
        tree = self._one(depth)
        while (word := self._word()) in ("and", "or"):
            self._at += len(word)
            right = self._one(depth)
            tree = Both(tree, right) if word == "and" else Either(tree, right)
        return tree

    def end(self) -> None:
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("and, or, or the end")

    def _one(self, depth: int) -> Tree:
        if self._take("("):
            return self._closed(depth, ")")
        if self._word() == "not":
            before = self._at
            self._at += len("not")
            if self._take("("):
                return Not(self._closed(depth, ")"))
            self._at = before
        return self._term(depth)

    def _closed(self, depth: int, mark: str) -> Tree:
        tree = self.expression(depth + 1)
        if not self._take(mark):
            raise self._wrong(mark)
        return tree

    def _term(self, depth: int) -> Term:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise _too_costly(f"_filter has at most {MAX_TERMS} comparisons")
        self._skip()
        path = [self._part(depth)]
        while self._text[self._at : self._at + 1] == ".":
            self._at += 1
            path.append(self._part(depth))
        operator = self._word()
        if operator not in OPERATORS:
            raise self._wrong("an operator, such as eq")
        self._at += len(operator)
        return Term(tuple(path), operator, *self._value())

    def _part(self, depth: int) -> Part:
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise self._wrong("a search parameter")
        self._at = found.end()
        if self._text[self._at : self._at + 1] != "[":
            return Part(found[0])
        self._at += 1
        within = self._closed(depth, "]")
        if self._text[self._at : self._at + 1] != ".":
            raise self._wrong("a dot behind the brackets")
        return Part(found[0], within)

    def _value(self) -> tuple[str, bool]:
        self._skip()
        if found := _STRING.match(self._text, self._at):
            self._at = found.end()
            try:
                return str(json.loads(found[0], strict=False)), True
            except ValueError:
                raise self._wrong("a text as JSON has it") from None
        bare = _BARE.match(self._text, self._at)
        if bare is None or bare[0].startswith('"'):
            raise self._wrong("a value")
        self._at = bare.end()
        return bare[0], False

    def _word(self) -> str:
        self._skip()
        found = _WORD.match(self._text, self._at)
        return found[0] if found else ""

    def _take(self, mark: str) -> bool:
        self._skip()
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        assert found
        self._at = found.end()

    def _wrong(self, expected: str) -> FhirError:
        return invalid(f"_filter cannot be read at character {self._at + 1}: expected {expected}")


def _too_costly(text: str) -> FhirError:
    return FhirError(400, [Issue("too-costly", text)])
