"""The steps that a backtracking engine takes over a text: what a regular expression costs.

``re`` tells nobody how far it goes back and forth, and a clock tells more about the machine. So
the pattern is read as ``re`` reads it, and walked as ``re`` walks it: each comparison of a
character is a step. Captured text and back references are kept; what matches is what ``re`` finds.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Then = Callable[[int], int]
"""What is to match from a place on: the end of the match, or below zero."""
Node = Callable[[int, Then], int]

_NO = -1
_DEEP = 200_000


class TooManySteps(Exception):
    """The pattern took more steps than it may."""


class Walk:
    """One pattern over one text; ``steps`` counts up to ``most``."""

    def __init__(self, pattern: re.Pattern[Any], text: str | bytes, most: int) -> None:
        raw = pattern.pattern
        self.text = text if isinstance(text, str) else text.decode("latin-1")
        self.ascii = isinstance(text, bytes)
        self.flags = pattern.flags
        self.most = most
        self.steps = 0
        self.groups: dict[int, tuple[int, int]] = {}
        tree = parser.parse(raw, pattern.flags & ~re.UNICODE if self.ascii else pattern.flags)
        self.root = self._sequence(list(tree), self.flags)

    def match(self, at: int = 0, *, whole: bool = False) -> int:
        """Where the match from that place on ends, or below zero."""
        self.groups = {}
        end = len(self.text)
        return self.root(at, lambda i: i if not whole or i == end else _NO)

    def search(self, at: int = 0) -> tuple[int, int]:
        """Where the first match begins and ends, or below zero."""
        for start in range(at, len(self.text) + 1):
            self._step()
            if (end := self.match(start)) >= 0:
                return start, end
        return _NO, _NO

    def find_all(self) -> None:
        """Look for every match, as ``sub``, ``split`` and ``finditer`` do."""
        at = 0
        while at <= len(self.text):
            start, end = self.search(at)
            if start < 0:
                return
            at = end if end > start else end + 1

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.most:
            raise TooManySteps

    def _sequence(self, items: list[Any], flags: int) -> Node:
        nodes = [self._node(op, value, flags) for op, value in items]
        if len(nodes) == 1:
            return nodes[0]

        def run(i: int, then: Then, at: int = 0) -> int:
            if at == len(nodes):
                return then(i)
            return nodes[at](i, lambda j: run(j, then, at + 1))

        return run

    def _node(self, op: Any, value: Any, flags: int) -> Node:
        if op in (c.LITERAL, c.NOT_LITERAL, c.IN, c.ANY):
            return self._character(_character(op, value, flags, ascii_=self.ascii))
        if op is c.AT:
            return self._place(value, flags)
        if op is c.BRANCH:
            return self._branch([self._sequence(list(one), flags) for one in value[1]])
        if op is c.SUBPATTERN:
            group, more, less, inside = value
            return self._group(group, self._sequence(list(inside), (flags | more) & ~less))
        if op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            return self._repeat(op, value, flags)
        if op is c.ATOMIC_GROUP:
            return self._atomic(self._sequence(list(value), flags))
        if op in (c.ASSERT, c.ASSERT_NOT):
            return self._assertion(op is c.ASSERT, value, flags)
        if op is c.GROUPREF:
            return self._back(value)
        if op is c.GROUPREF_EXISTS:
            yes, no = (self._sequence(list(one or ()), flags) for one in value[1:])
            return lambda i, then: (yes if value[0] in self.groups else no)(i, then)
        raise NotImplementedError(str(op))

    def _character(self, fits: Callable[[str], bool]) -> Node:
        def run(i: int, then: Then) -> int:
            self._step()
            return then(i + 1) if i < len(self.text) and fits(self.text[i]) else _NO

        return run

    def _branch(self, nodes: list[Node]) -> Node:
        def run(i: int, then: Then) -> int:
            for node in nodes:
                self._step()
                if (end := node(i, then)) >= 0:
                    return end
            return _NO

        return run

    def _group(self, group: int | None, node: Node) -> Node:
        if group is None:
            return node

        def run(i: int, then: Then) -> int:
            before = self.groups.get(group)

            def close(j: int) -> int:
                self.groups[group] = (i, j)
                return then(j)

            if (end := node(i, close)) < 0:
                self.groups.pop(group, None)
                if before is not None:
                    self.groups[group] = before
            return end

        return run

    def _repeat(self, op: Any, value: Any, flags: int) -> Node:
        least, most, inside = value
        items = list(inside)
        if len(items) == 1 and items[0][0] in (c.LITERAL, c.NOT_LITERAL, c.IN, c.ANY):
            fits = _character(*items[0], flags, ascii_=self.ascii)
            return self._run_of(op, least, most, fits)
        node = self._sequence(items, flags)
        if op is c.POSSESSIVE_REPEAT:
            return self._possessive(least, most, node)
        lazy = op is c.MIN_REPEAT

        def run(i: int, then: Then, count: int = 0) -> int:
            def again(j: int) -> int:
                # An empty turn leads nowhere.
                return _NO if j == i and count >= least else run(j, then, count + 1)

            self._step()
            if lazy and count >= least and (end := then(i)) >= 0:
                return end
            if count < most and (end := node(i, again)) >= 0:
                return end
            return then(i) if not lazy and count >= least else _NO

        return run

    def _run_of(self, op: Any, least: int, most: int, fits: Callable[[str], bool]) -> Node:
        """A repeated character: ``re`` runs over them in a loop, and goes back one by one."""

        def run(i: int, then: Then) -> int:
            top = min(len(self.text), i + most) if most is not c.MAXREPEAT else len(self.text)
            at = i
            if op is c.MIN_REPEAT:
                while True:
                    if at - i >= least and (end := then(at)) >= 0:
                        return end
                    self._step()
                    if at >= top or not fits(self.text[at]):
                        return _NO
                    at += 1
            while at < top and fits(self.text[at]):
                self._step()
                at += 1
            if op is c.POSSESSIVE_REPEAT:
                return then(at) if at - i >= least else _NO
            while at - i >= least:
                self._step()
                if (end := then(at)) >= 0:
                    return end
                at -= 1
            return _NO

        return run

    def _possessive(self, least: int, most: int, node: Node) -> Node:
        def run(i: int, then: Then) -> int:
            count = 0
            while count < most:
                self._step()
                end = node(i, lambda j: j)
                if end < 0 or (end == i and count >= least):
                    break
                i, count = end, count + 1
            return then(i) if count >= least else _NO

        return run

    def _atomic(self, node: Node) -> Node:
        def run(i: int, then: Then) -> int:
            end = node(i, lambda j: j)
            return then(end) if end >= 0 else _NO

        return run

    def _assertion(self, wanted: bool, value: Any, flags: int) -> Node:
        direction, inside = value
        node, (low, _) = self._sequence(list(inside), flags), inside.getwidth()

        def run(i: int, then: Then) -> int:
            self._step()
            start = i if direction > 0 else i - low
            found = start >= 0 and node(start, lambda j: j) >= 0
            return then(i) if found is wanted else _NO

        return run

    def _back(self, group: int) -> Node:
        def run(i: int, then: Then) -> int:
            if group not in self.groups:
                return _NO
            said = self.text[slice(*self.groups[group])]
            for _ in said:
                self._step()
            return then(i + len(said)) if self.text.startswith(said, i) else _NO

        return run

    def _place(self, where: Any, flags: int) -> Node:
        text, lines = self.text, bool(flags & re.MULTILINE)

        def here(i: int) -> bool:
            if where in (c.AT_BEGINNING, c.AT_BEGINNING_STRING):
                first = i == 0
                return first or (lines and where is c.AT_BEGINNING and text[i - 1] == "\n")
            if where in (c.AT_END, c.AT_END_STRING):
                last = i == len(text)
                before_last = where is c.AT_END and text[i:] == "\n"
                return last or before_last or (lines and where is c.AT_END and text[i] == "\n")
            edge = (i > 0 and _is_word(text[i - 1], self.ascii)) != (
                i < len(text) and _is_word(text[i], self.ascii)
            )
            return edge is (where is c.AT_BOUNDARY)

        def run(i: int, then: Then) -> int:
            self._step()
            return then(i) if here(i) else _NO

        return run


def steps(pattern: re.Pattern[Any], how: str, text: str | bytes, most: int) -> int:
    """The steps that ``pattern`` takes, used by its method ``how``; raises ``TooManySteps``."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEEP)
    try:
        walk = Walk(pattern, text, most)
        if how in ("match", "fullmatch"):
            walk.match(whole=how == "fullmatch")
        elif how == "search":
            walk.search()
        else:
            walk.find_all()
    finally:
        sys.setrecursionlimit(limit)
    return walk.steps


def _character(op: Any, value: Any, flags: int, *, ascii_: bool) -> Callable[[str], bool]:
    """Whether a character is one that the node stands for."""
    plain = ascii_ or bool(flags & re.ASCII)
    if op is c.ANY:
        return (lambda _: True) if flags & re.DOTALL else lambda one: one != "\n"
    if op in (c.LITERAL, c.NOT_LITERAL):
        items, wanted = [(c.LITERAL, value)], op is c.LITERAL
    else:
        wanted = value[0][0] is not c.NEGATE
        items = value if wanted else value[1:]
    known: dict[str, bool] = {}

    def fits(one: str) -> bool:
        if one not in known:
            forms = {one, one.lower(), one.upper()} if flags & re.IGNORECASE else {one}
            known[one] = any(_is(form, *item, plain) for form in forms for item in items) is wanted
        return known[one]

    return fits


def _is(one: str, op: Any, value: Any, plain: bool) -> bool:
    if len(one) != 1:
        return False
    if op is c.LITERAL:
        return ord(one) == value
    if op is c.RANGE:
        return bool(value[0] <= ord(one) <= value[1])
    name = str(value)
    kind = {"DIGIT": one.isdigit(), "SPACE": one.isspace(), "WORD": _is_word(one, plain)}
    if plain:
        kind["DIGIT"], kind["SPACE"] = one in "0123456789", one in " \t\n\r\f\v"
    else:
        kind["DIGIT"] = unicodedata.category(one) == "Nd"
    return kind[name.rpartition("_")[2]] is not ("NOT" in name)


def _is_word(one: str, plain: bool) -> bool:
    return one == "_" or (one.isalnum() and (not plain or one.isascii()))
