"""The invariants of R4 on one value, compiled when its type is first met (FHIR R4 §5.1.0.12).

What a valid value costs is a look at whether it has any of the members that an invariant speaks
of; most are about members that are seldom there.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.definitions.constraints import Constraint, constraint, constraints
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.parse import parse
from threadwell.fhir.fhirpath.top import NO_TOP, Top
from threadwell.fhir.fhirpath.tree import Binary, Call, Context, Member, Node, Root, This, Typed
from threadwell.fhir.fhirpath.truth import truth
from threadwell.fhir.fhirpath.values import json_names
from threadwell.fhir.validation.problem import MOST, Check, Problem
from threadwell.fhir.validation.rules import RULES

#: Those that are checked where what they speak of is read, in code of their own.
ELSEWHERE = frozenset({"ele-1", "ext-1", "dom-2", "dom-3", "ref-1", "sqty-1", "txt-1", "txt-2"})

#: Functions whose argument is about each item that they look at.
_PER_ITEM = {"where", "select", "all"}


def broken(path: str, key: str) -> Problem:
    """The constraint of that key does not hold."""
    return Problem("invariant", constraint(path, key).text)


class _Invariant(NamedTuple):
    """``steps`` lead from the value to what the condition is about; ``looks_up`` tells whether it
    is about more than that.

    Without any of ``names`` it holds anyway; ``None`` is to look at it always.
    """

    names: frozenset[str] | None
    steps: tuple[str, ...]
    looks_up: bool
    holds: Truth
    problem: Problem


class Invariants:
    """The invariants of a type that its own values can be held against.

    ``names`` are the JSON members without which all of them hold, ``None`` if there are none such.
    """

    def __init__(self, type_: str) -> None:
        self._own, self._below = [*_own(type_)], [*_below(type_)]
        self._looks_up = bool(self._below) or any(one.looks_up for one in self._own)
        told = [invariant.names for invariant in (*self._own, *self._below)]
        self.names = None if None in told else frozenset().union(*filter(None, told))

    def problems(self, value: dict[str, Any]) -> list[Problem] | None:
        """Those that do not hold of a value of which all else is right."""
        found: list[Problem] | None = None
        top = Top(value) if self._looks_up else NO_TOP
        for names, _, _, holds, problem in self._own:
            if (names is None or not names.isdisjoint(value)) and not holds(value, top):
                found = [*(found or ()), problem]
        for _, steps, _, holds, problem in self._below:
            for path, item in _reached(value, steps):
                if not holds(item, top):
                    found = found or []
                    found.append(problem.under(path))
                    if len(found) >= MOST:
                        return found
        return found

    def suspected(self, value: dict[str, Any]) -> list[Problem]:
        """As above of a value that has other mistakes, as far as it can be told in spite of them.

        What a mistake has made unreadable is not held against the invariants: it has been told of.
        """
        with suppress(AttributeError, LookupError, TypeError, ValueError):
            return self.problems(value) or []
        return []


def narrowed(check: Check, path: str, type_: str) -> Check:
    """The check of an element, with the constraints that it has beyond those of its type."""
    named = [c for c in constraints(path) if c.key not in ELSEWHERE]
    if type_ == path or not named:
        return check
    trees = [parse(c.expression) for c in named]
    texts = [Problem("invariant", c.text) for c in named]
    tests = [(truth(tree, type_), text) for tree, text in zip(trees, texts, strict=True)]
    looks_up = any(_of_resource(tree) or _has_context(tree) for tree in trees)

    def check_both(value: Any) -> list[Problem] | None:
        problems = check(value)
        if problems is None:
            top = Top(value) if looks_up else NO_TOP
            problems = [problem for holds, problem in tests if not holds(value, top)]
        return problems or None

    return check_both


def _own(type_: str) -> Iterable[_Invariant]:
    for rule in RULES.get(type_, ()):
        if not rule.steps:
            yield _Invariant(rule.names, (), False, rule.holds, rule.problem)
    for told in constraints(type_):
        tree = parse(told.expression) if told.key not in ELSEWHERE else None
        if tree is None or (type_ not in RESOURCE_TYPES and _of_resource(tree)):
            continue
        yield _compiled(told, tree, (), type_, type_)


def _below(type_: str) -> Iterable[_Invariant]:
    """Those of backbone elements that speak of the whole resource: only it can tell."""
    if type_ not in RESOURCE_TYPES:
        return
    for rule in RULES.get(type_, ()):
        if rule.steps:
            yield _Invariant(rule.names, rule.steps, True, rule.holds, rule.problem)
    for path in load("constraints"):
        if not path.startswith(f"{type_}."):
            continue
        for told in constraints(path):
            tree = parse(told.expression) if told.key not in ELSEWHERE else This()
            if _of_resource(tree):
                yield _compiled(told, tree, tuple(path.split(".")[1:]), path, type_)


def _compiled(
    told: Constraint, tree: Node, steps: tuple[str, ...], type_: str, top: str
) -> _Invariant:
    holds = truth(tree, type_, top)
    names: frozenset[str] | None = frozenset(steps[:1])
    if not steps:
        spoken = _spoken_of(tree)
        names = None
        if spoken is not None and holds({}, Top({})):
            names = frozenset().union(*(json_names(type_, name) for name in spoken))
    looks_up = _of_resource(tree) or _has_context(tree)
    return _Invariant(names, steps, looks_up, holds, Problem("invariant", told.text))


def _of_resource(tree: Node) -> bool:
    """Whether the condition is about more than the element that it stands at."""
    match tree:
        case Root() | Call(_, "resolve"):
            return True
        case _:
            return any(_of_resource(node) for node in _inner(tree))


def _spoken_of(tree: Node) -> set[str] | None:
    """The members that a condition looks at; ``None`` where it may look at any."""
    match tree:
        case This() | Root() | Context():
            return None
        case Member(This(), name) if name[0].islower():
            return {name}
        case Member(Member(This(), type_), name) if type_[0].isupper():
            return {name}
        case Call(base, name) if name in _PER_ITEM:
            inner = [base]
            if any(_of_resource(node) or _has_context(node) for node in tree.arguments):
                return None
        case _:
            inner = _inner(tree)
    told = [_spoken_of(node) for node in inner]
    return None if None in told else set().union(*filter(None, told))


def _has_context(tree: Node) -> bool:
    return isinstance(tree, Context) or any(_has_context(node) for node in _inner(tree))


def _inner(tree: Node) -> list[Node]:
    match tree:
        case Member(base) | Typed(base):
            return [base]
        case Call(base, _, arguments):
            return [base, *arguments]
        case Binary(left, _, right):
            return [left, right]
        case _:
            return []


def _reached(value: Any, steps: tuple[str, ...]) -> Iterable[tuple[str, Any]]:
    """Each value that the steps lead to, with its path."""
    if not steps:
        yield "", value
        return
    found = value.get(steps[0], ())
    listed = isinstance(found, list)
    for index, item in enumerate(found if listed else [found] if found else []):
        for path, inner in _reached(item, steps[1:]):
            yield f".{steps[0]}{f'[{index}]' if listed else ''}{path}", inner
