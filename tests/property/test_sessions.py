"""What holds for sessions of any messages, in any zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from threadwell.sessions import PolicyOptions, Sent
from threadwell.sessions.policies import BUILT_IN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
ZONES = ["UTC", "America/Chicago", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]
OPTIONS = st.builds(
    lambda zone, hours: PolicyOptions(zone=ZoneInfo(zone), gap=timedelta(hours=hours)),
    st.sampled_from(ZONES),
    st.integers(1, 60),
)


@st.composite
def some_messages(draw: st.DrawFn) -> list[Sent]:
    start = draw(st.integers(5_000, 20_000)) * DAY_US
    times = draw(st.lists(st.integers(0, 10 * DAY_US), max_size=20))
    flags = draw(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=20, max_size=20))
    return sorted(
        Sent(start + time, str(n), f"t{n % 2}", True, *flags[n]) for n, time in enumerate(times)
    )


@given(some_messages(), OPTIONS)
def test_a_day_is_the_day_of_all_its_messages(messages, options):
    sessions = BUILT_IN["per-day"](messages, options)
    for session in sessions:
        for message in session.messages:
            local = (EPOCH + timedelta(microseconds=message.at)).astimezone(options.zone)
            assert local.date().isoformat() == session.mark
            assert message.at < session.closes
    assert sum(len(session.messages) for session in sessions) == len(messages)


@given(some_messages(), OPTIONS)
def test_gaps_are_between_sessions_and_never_within(messages, options):
    sessions = BUILT_IN["inactivity-gap"](messages, options)
    for session in sessions:
        assert all(b.at - a.at <= options.gap_us for a, b in pairwise(session.messages))
    for one, next_ in pairwise(sessions):
        assert next_.messages[0].at - one.messages[-1].at > options.gap_us
    assert [message for session in sessions for message in session.messages] == messages


@given(some_messages(), OPTIONS)
def test_explicit_sessions_are_opened_and_end_with_what_closes(messages, options):
    for session in BUILT_IN["explicit"](messages, options):
        assert session.messages[0].opens
        assert not any(message.closes for message in session.messages[:-1])
        assert all(b.at - a.at <= options.gap_us for a, b in pairwise(session.messages))


@given(some_messages(), OPTIONS, st.sampled_from(sorted(BUILT_IN)), st.data())
def test_a_later_message_never_changes_a_session_that_was_over(messages, options, policy, data):
    if policy == "per-thread":  # one session, reopened by whatever follows
        return
    until = data.draw(st.integers(0, len(messages)))
    known = messages[:until]
    now = known[-1].at if known else 0
    over = [s for s in BUILT_IN[policy](known, options) if s.closes <= now]
    every = BUILT_IN[policy](messages, options)
    kept = [session for session in over if session in every]
    # A message of the very instant in which a session closed may still belong to it.
    assert [s for s in over if s not in kept and s.closes < now] == []
