"""What several members put into the index together is remembered, of those that came last."""

from __future__ import annotations

from typing import Any, cast

import pytest

from threadwell.fhir.resource import Resource
from threadwell.stores.sql import together
from threadwell.stores.sql.members import Finder, MemberEntries
from threadwell.stores.sql.together import Together


class _Counting:
    """Puts one key in, and tells of which elements it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def gather(self, element: Any, _: Resource, into: MemberEntries) -> None:
        self.asked.append(element)
        into.places.append(element)


@pytest.mark.parametrize(
    ("elements", "asked"),
    [
        ([1, 1, 1], [1]),
        # The last three, and the three before them: here up to the moment when 1 comes again.
        ([1, 2, 3, 4, 5, 6, 1, 6, 5, 2], [1, 2, 3, 4, 5, 6, 2]),
        # Who comes again stays, however many come once.
        ([1, 2, 3, 4, 1, 5, 6, 7, 1, 8, 9, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ([1, 2, 3, 4, 5, 6, 7, 1], [1, 2, 3, 4, 5, 6, 7, 1]),
    ],
)
def test_those_that_came_last_are_remembered(
    elements: list[int], asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "_MOST", 3)
    counting = _Counting()
    tried = Together({"a": cast(Finder, counting)})
    for one in elements:
        assert tried.find({"a": one}, {}).places == [one]
    assert counting.asked == asked
