"""Answers of programs stand in sessions, and make none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from threadwell.sessions import NEVER, PolicyOptions, Sent, Session, with_automatic
from threadwell.sessions.policies.inactivity_gap import inactivity_gap

_HOUR = 3_600_000_000
OPTIONS = PolicyOptions(gap=timedelta(hours=3))


def typed(hour: int) -> Sent:
    return Sent(hour * _HOUR, f"m{hour:02}", "t")


def auto(hour: int) -> Sent:
    return Sent(hour * _HOUR, f"a{hour:02}", "t", automatic=True)


@pytest.mark.parametrize(
    ("messages", "wanted"),
    [
        # None by itself, and none before the first word.
        ([auto(1)], []),
        ([auto(1), typed(2)], ["m02"]),
        ([typed(1), auto(2)], ["m01 a02"]),
        # It keeps no session going: the gap is counted from the last word.
        ([typed(1), auto(3), typed(5)], ["m01 a03", "m05"]),
        ([typed(1), auto(4), typed(9)], ["m01", "m09"]),
        ([typed(1), auto(2), typed(3)], ["m01 a02 m03"]),
        ([typed(1), typed(9), auto(10), auto(20)], ["m01", "m09 a10"]),
    ],
    ids=str,
)
def test_by_the_gap(messages: list[Sent], wanted: list[str]) -> None:
    found = inactivity_gap([one for one in messages if not one.automatic], OPTIONS)
    sessions = with_automatic(found, messages)
    assert [" ".join(one.id for one in each.messages) for each in sessions] == wanted
    assert [each.mark for each in sessions] == [each.mark for each in found]


def test_a_session_that_nobody_has_written_in_takes_none() -> None:
    opened = Session("act", (), NEVER, opened=True)
    assert with_automatic([opened], [auto(1)]) == [opened]
