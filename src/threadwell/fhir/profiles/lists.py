"""How many values there are of an element, and which slices they are of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from threadwell.fhir.profiles.places import Place, within
from threadwell.fhir.profiles.said import Matcher, Run, Test
from threadwell.fhir.profiles.tree import Node

#: Looks at all values of an element together; the path is that of the element.
OfList: TypeAlias = Callable[[Sequence[Place], Run, str], None]


class Slice:
    """A slice: what is of it, how many there may be, and what each must be."""

    __slots__ = ("inner", "least", "matches", "most", "name", "tests")

    def __init__(
        self,
        node: Node,
        matches: Matcher,
        tests: dict[str, Test],
        inner: OfList | None,
    ) -> None:
        self.name = node.slice
        self.least, self.most = node.least, node.most
        self.matches, self.tests, self.inner = matches, tests, inner


def members(
    name: str,
    label: str,
    least: int,
    most: int | None,
    by_type: dict[str, Test],
    slices: OfList | None,
) -> Test:
    """The check of a member of a value, ``name``, which messages call ``label``."""
    label = label.removesuffix("[x]")

    def check(place: Place, run: Run) -> None:
        found = list(within(place, name))
        run.look(len(found))
        if len(found) < least:
            run.say("required", _few(least), f"{place.path}.{label}")
        if most is not None and len(found) > most:
            run.say("structure", _many(most), f"{place.path}.{label}")
        if by_type:
            for one in found:
                test = by_type.get(one.type) or by_type.get("Resource")
                if test is not None:
                    test(one, run)
        if slices is not None:
            slices(found, run, f"{place.path}.{label}")

    return check


def sliced(slices: list[Slice], rules: str, *, in_order: bool) -> OfList:
    """The check of a list that is sliced: each value is of the first slice that it fits."""

    def check(places: Sequence[Place], run: Run, path: str) -> None:
        counts = [0] * len(slices)
        inner: list[list[Place]] = [[] for _ in slices]
        last, is_over = 0, False
        for place in places:
            at = next((at for at, one in enumerate(slices) if one.matches(place, run)), None)
            if at is None:
                is_over = True
                is_part = rules == "parts" and ":" not in str(place.value.get("url"))
                if rules == "closed" or is_part:
                    run.say("structure", "It is of none of the profile's slices", place.path)
                continue
            counts[at] += 1
            inner[at].append(place)
            if rules == "openAtEnd" and is_over:
                run.say("structure", "What is of no slice must come last", place.path)
            if in_order and at < last:
                run.say("structure", "It is not in the order of the slices", place.path)
            last = max(at, last)
            test = slices[at].tests.get(place.type) or slices[at].tests.get("Resource")
            if test is not None:
                test(place, run)
        for one, count, found in zip(slices, counts, inner, strict=True):
            if count < one.least:
                run.say("required", f"Slice {one.name}: {_few(one.least)}", path)
            if one.most is not None and count > one.most:
                run.say("structure", f"Slice {one.name}: {_many(one.most)}", path)
            if one.inner is not None:
                one.inner(found, run, path)

    return check


def all_of(tests: Sequence[Test | None]) -> Test | None:
    """Those of the tests that are there, as one."""
    found = [test for test in tests if test is not None]
    return all_of_these(found) if found else None


def all_of_these(tests: Sequence[Test]) -> Test:
    """All of the tests as one; there is at least one."""
    if len(tests) == 1:
        return tests[0]

    def check(place: Place, run: Run) -> None:
        for test in tests:
            test(place, run)

    return check


def _few(least: int) -> str:
    return "Missing required property" if least == 1 else f"There must be at least {least}"


def _many(most: int) -> str:
    return "The profile allows none" if most == 0 else f"The profile allows at most {most}"
