"""The policy cuts at Mondays of the care time zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from threadwell_per_week import per_week

from threadwell.sessions import PolicyOptions, Sent

ZONE = ZoneInfo("America/New_York")
OPTIONS = PolicyOptions(ZONE)


def sent(id_: str, *when: int) -> Sent:
    at = datetime(*when, tzinfo=ZONE)  # type: ignore[arg-type, misc]
    return Sent(int(at.timestamp()) * 1_000_000, id_, "a thread")


def test_a_week_ends_on_sunday_at_midnight() -> None:
    messages = [sent("1", 2025, 3, 3, 9), sent("2", 2025, 3, 9, 23, 59), sent("3", 2025, 3, 10, 0)]
    first, second = per_week(messages, OPTIONS)
    assert (first.mark, [m.id for m in first.messages]) == ("2025-W10", ["1", "2"])
    assert (second.mark, [m.id for m in second.messages]) == ("2025-W11", ["3"])
    assert first.closes == messages[2].at


@given(st.lists(st.integers(0, 2_000_000_000), unique=True))
def test_every_message_is_in_one_session(seconds: list[int]) -> None:
    messages = sorted(Sent(second * 1_000_000, str(second), "a thread") for second in seconds)
    sessions = per_week(messages, OPTIONS)
    assert [m for session in sessions for m in session.messages] == messages
    assert len({session.mark for session in sessions}) == len(sessions)
    assert all(session.messages[-1].at < session.closes for session in sessions)
