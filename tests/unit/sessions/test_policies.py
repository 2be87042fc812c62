"""The contract that every session policy keeps, and what each of them divides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from threadwell.sessions import NEVER, PolicyOptions, Sent
from threadwell.sessions.policies import BUILT_IN, UnknownPolicy, find_policy, policy_names

NEW_YORK = PolicyOptions(
    zone=ZoneInfo("America/New_York"), gap=timedelta(hours=6), rest=timedelta(days=2)
)


def sent(text: str, id_: str = "", *, thread: str = "t", opens: bool = False, closes: bool = False):
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    microseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return Sent(microseconds, id_ or text, thread, True, opens, closes)


def when(at: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.isoformat(" ", "minutes").removesuffix("+00:00")


def divided(policy: str, messages: list[Sent], options: PolicyOptions = NEW_YORK):
    """Each session as its mark, its messages and when it closes."""
    return [
        (session.mark, [message.id for message in session.messages], when(session.closes))
        for session in BUILT_IN[policy](sorted(messages), options)
    ]


MESSAGES = [
    sent("2024-04-10 09:00", opens=True),
    sent("2024-04-10 12:00", thread="u"),
    sent("2024-04-10 12:00", "same instant", closes=True),
    sent("2024-04-11 03:59"),
    sent("2024-04-11 04:00", opens=True),
    sent("2024-05-01 00:00", thread="u"),
]


@pytest.mark.parametrize("policy", sorted(BUILT_IN))
@pytest.mark.parametrize("count", range(len(MESSAGES) + 1))
def test_sessions_are_disjoint_ordered_and_told_apart(policy, count):
    messages = sorted(MESSAGES[:count])
    sessions = BUILT_IN[policy](messages, NEW_YORK)
    placed = [message for session in sessions for message in session.messages]
    assert len(placed) == len(set(placed))
    assert set(placed) <= set(messages)
    assert [session.messages[0] for session in sessions] == sorted(
        session.messages[0] for session in sessions
    )
    assert all(list(session.messages) == sorted(session.messages) for session in sessions)
    assert all(session.closes >= session.messages[-1].at for session in sessions)
    assert len({session.mark for session in sessions}) == len(sessions)
    if policy != "explicit":
        assert sorted(placed) == messages


DAYS = [
    pytest.param(
        ["2024-04-11 03:59", "2024-04-11 04:00"],
        [
            ("2024-04-10", ["2024-04-11 03:59"], "2024-04-11 04:00"),
            ("2024-04-11", ["2024-04-11 04:00"], "2024-04-12 04:00"),
        ],
        id="midnight is the zone's",
    ),
    pytest.param(
        ["2024-03-10 05:00", "2024-03-11 03:59", "2024-03-11 04:00"],
        [
            ("2024-03-10", ["2024-03-10 05:00", "2024-03-11 03:59"], "2024-03-11 04:00"),
            ("2024-03-11", ["2024-03-11 04:00"], "2024-03-12 04:00"),
        ],
        id="a day of 23 hours",
    ),
    pytest.param(
        ["2024-11-03 04:00", "2024-11-03 05:30", "2024-11-03 06:30", "2024-11-04 04:59"],
        [
            (
                "2024-11-03",
                ["2024-11-03 04:00", "2024-11-03 05:30", "2024-11-03 06:30", "2024-11-04 04:59"],
                "2024-11-04 05:00",
            )
        ],
        id="a day of 25 hours",
    ),
]


@pytest.mark.parametrize(("times", "expected"), DAYS)
def test_per_day(times, expected):
    assert divided("per-day", [sent(time) for time in times]) == expected


@pytest.mark.parametrize(
    ("zone", "times", "expected"),
    [
        pytest.param(
            "America/St_Johns",
            # On 2006-10-29 the clocks went from 00:01 back to 23:01 of the day before.
            ["2006-10-29 02:29", "2006-10-29 02:30", "2006-10-29 03:00", "2006-10-29 03:30"],
            [("2006-10-28", 2), ("2006-10-29", 2)],
            id="a day that comes back after midnight",
        ),
        pytest.param(
            "America/Sao_Paulo",
            # On 2018-11-04 the clocks went from 00:00 on to 01:00.
            ["2018-11-04 02:59", "2018-11-04 03:00"],
            [("2018-11-03", 1), ("2018-11-04", 1)],
            id="a day without a midnight",
        ),
        pytest.param(
            "Pacific/Apia",
            # There was no 2011-12-30.
            ["2011-12-30 09:59", "2011-12-30 10:00"],
            [("2011-12-29", 1), ("2011-12-31", 1)],
            id="a day left out",
        ),
    ],
)
def test_per_day_where_clocks_are_odd(zone, times, expected):
    options = PolicyOptions(zone=ZoneInfo(zone))
    messages = [sent(time) for time in times]
    sessions = BUILT_IN["per-day"](messages, options)
    assert sorted((session.mark, len(session.messages)) for session in sessions) == expected
    assert all(session.closes > session.messages[-1].at for session in sessions)


def test_inactivity_gap_ends_after_more_than_the_gap():
    messages = [sent("2024-04-10 06:00"), sent("2024-04-10 12:00"), sent("2024-04-10 18:01")]
    assert divided("inactivity-gap", messages) == [
        ("2024-04-10 06:00", ["2024-04-10 06:00", "2024-04-10 12:00"], "2024-04-10 18:00"),
        ("2024-04-10 18:01", ["2024-04-10 18:01"], "2024-04-11 00:01"),
    ]


def test_per_thread_has_one_session_a_thread():
    messages = [sent("2024-04-10 06:00"), sent("2024-04-10 07:00", thread="u"), sent("2024-05-10")]
    assert divided("per-thread", messages) == [
        ("t", ["2024-04-10 06:00", "2024-05-10"], "2024-05-12 00:00"),
        ("u", ["2024-04-10 07:00"], "2024-04-12 07:00"),
    ]


EXPLICIT = [
    pytest.param([sent("2024-04-10 06:00")], [], id="nobody opens"),
    pytest.param(
        [
            sent("2024-04-10 06:00", "a"),
            sent("2024-04-10 07:00", "b", opens=True),
            sent("2024-04-10 08:00", "c", opens=True),
            sent("2024-04-10 09:00", "d", closes=True),
            sent("2024-04-10 10:00", "e"),
        ],
        [("b", ["b", "c", "d"], "2024-04-10 09:00")],
        id="from keyword to keyword",
    ),
    pytest.param(
        [sent("2024-04-10 06:00", "a", opens=True), sent("2024-04-10 12:01", "b", closes=True)],
        [("a", ["a"], "2024-04-10 12:00")],
        id="silence closes, and nothing is left to close",
    ),
    pytest.param(
        [sent("2024-04-10 06:00", "a", opens=True, closes=True), sent("2024-04-10 06:01", "b")],
        [("a", ["a"], "2024-04-10 06:00")],
        id="opened and closed by one message",
    ),
]


@pytest.mark.parametrize(("messages", "expected"), EXPLICIT)
def test_explicit(messages, expected):
    assert divided("explicit", messages) == expected


def test_the_last_day_never_ends():
    last = Sent(253_402_300_799_000_000, "last", "t")
    assert BUILT_IN["per-day"]([last], PolicyOptions())[0].closes == NEVER


def test_policies_are_found_by_name():
    assert {"explicit", "inactivity-gap", "per-day", "per-thread"} <= set(policy_names())
    assert find_policy("per-day") is BUILT_IN["per-day"]
    with pytest.raises(UnknownPolicy, match="there are: explicit, inactivity-gap"):
        find_policy("per-moon")


class EntryPoints:
    """Stands for an installed distribution with one policy."""

    names = ("all-in-one",)

    def __iter__(self):
        yield self

    def load(self):
        return BUILT_IN["per-thread"]


def test_a_policy_of_the_users_own_is_an_entry_point(monkeypatch):
    monkeypatch.setattr(
        "threadwell.sessions.policies.entry_points",
        lambda group, name="all-in-one": EntryPoints() if name == "all-in-one" else (),
    )
    assert "all-in-one" in policy_names()
    assert find_policy("all-in-one") is BUILT_IN["per-thread"]


class Broken(EntryPoints):
    """Stands for one whose package has a fault."""

    def load(self):
        raise ModuleNotFoundError("numpy")


def test_a_policy_that_cannot_be_loaded_is_named(monkeypatch):
    monkeypatch.setattr("threadwell.sessions.policies.entry_points", lambda **_: Broken())
    with pytest.raises(UnknownPolicy, match=r"'all-in-one' is installed.*\(ModuleNotFoundError\)"):
        find_policy("all-in-one")
