"""A file of rules is read, or each of its mistakes is told with its line and field."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.encounters.times import microseconds
from threadwell.intake.hours import OpeningHours
from threadwell.intake.rulebook.reading import BadRules, read_rules
from threadwell.intake.rulebook.ruleset import Event
from threadwell.intake.rules.judging import has_words

NEW_YORK = ZoneInfo("America/New_York")
HOUR = 3_600_000_000
#: A rule of four lines, and one that lacks what it does.
GOOD = '[[rule]]\nname = "a"\nwhen.event = "message"\nthen.tag = "x"\n'
WAITS = '[[rule]]\nname = "a"\nwhen.event = "unanswered"\nthen.remind = true\n'


def test_a_file_says_all_there_is_to_say() -> None:
    found = read_rules(
        """
        # Comments stay with the file.
        [answers]
        since = 2026-11-28
        within = "1d2h"
        pool = "urn:pools|nurses|Nurses"
        away = true

        [hours]
        mon-fri = "08:00-12:00, 13:00-17:00"
        sat = "09:00-24:00"
        closed = [2026-12-25]

        [[rule]]
        name = "late"
        when = { event = "unanswered", after = "90m", channel = ["twilio", "email"] }
        unless.claimed = true
        unless.patient = "new"
        [rule.then]
        priority = "urgent"
        remind = true
        note = '''
        when = nothing of this is a field
        '''
        """,
        NEW_YORK,
    )
    [rule] = found.rules
    assert (rule.event, rule.after_us, rule.when.channels) == (
        Event.UNANSWERED,
        90 * 60_000_000,
        ("twilio", "email"),
    )
    assert (rule.unless.claimed, rule.unless.patient, rule.then.remind) == (True, "new", True)
    assert (found.pool.code, found.pool.display, found.away) == ("nurses", "Nurses", True)
    assert found.since == microseconds(datetime(2026, 11, 28, tzinfo=NEW_YORK))
    tracking = found.tracking(None)
    assert tracking is not None
    assert tracking.within_us == 26 * HOUR


def test_the_skeleton_is_right() -> None:
    skeleton = Path(__file__).parents[3] / "docs" / "recipes" / "skeletons" / "rules.toml"
    found = read_rules(skeleton.read_text("utf-8"), NEW_YORK)
    assert {one.event for one in found.rules} == {Event.MESSAGE, Event.THREAD, Event.UNANSWERED}


MISTAKES = {
    "no TOML": ("name = ", "line 1"),
    "an unknown table": ("[rules]\n", "line 1: rules is not known here"),
    "an unknown field": (GOOD + 'whne.x = "y"\n', "line 5: rule[1].whne is not known here"),
    "in an inline table": (
        '[[rule]]\nname = "a"\nwhen = {event = "mesage"}\nthen.tag = "x"\n',
        "line 3: rule[1].when.event 'mesage' is none of message",
    ),
    "the second rule": (
        GOOD + GOOD.replace('"a"', '"B!"'),
        "line 6: rule[2].name 'B!' is not lower-case",
    ),
    "two of one name": (GOOD + GOOD, "line 6: rule[2].name is 'a', as that of another"),
    "no name": (GOOD.replace('name = "a"', ""), "line 1: rule[1].name is missing"),
    "no event": (GOOD.replace('when.event = "message"', ""), "rule[1].when.event is missing"),
    "nothing to do": (GOOD.replace('then.tag = "x"', ""), "rule[1].then is missing"),
    "for how long": (WAITS, "line 3: rule[1].when.after is missing"),
    "for too little": (
        WAITS.replace("then", 'when.after = "soon"\nthen'),
        "line 4: rule[1].when.after 'soon' is no length",
    ),
    "a length for what does not wait": (
        GOOD + 'when.after = "4h"\n',
        "line 5: rule[1].when.after is for the event unanswered",
    ),
    "another type": (GOOD + "then.remind = 1\n", "line 5: rule[1].then.remind is true or false"),
    "a pool": (GOOD + 'then.pool = "nurses"\n', "line 5: rule[1].then.pool 'nurses' is not"),
    "hours": ('[hours]\nmon = "9-5"\n', "line 2: hours.mon '9-5' is no span"),
    "hours backwards": ('[hours]\nmon = "17:00-09:00"\n', "line 2: hours.mon"),
    "hours that overlap": ('[hours]\nmon = "08:00-12:00, 11:00-13:00"\n', "line 2: hours.mon"),
    "a day that is none": ('[hours]\nmoon = "09:00-17:00"\n', "line 2: hours.moon is no day"),
    "never open": ('[hours]\nmon = ""\n', "never open"),
    "reply to what is over": (
        GOOD.replace("message", "session-closed") + 'then.reply = "x"\n',
        "rule[1].then neither closes nor replies",
    ),
    "who replies nothing": (GOOD + 'then.as = "Practitioner/1"\n', "line 5: rule[1].then.as"),
    "a patient who replies": (
        GOOD + 'then.reply = "x"\nthen.as = "Patient/1"\n',
        "line 6: rule[1].then.as",
    ),
    "rule is no list": ("[rule]\nname = 1\n", "line 1: rule is written [[rule]]"),
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.values(), ids=MISTAKES.keys())
def test_each_mistake_is_told_with_its_line_and_field(text: str, told: str) -> None:
    with pytest.raises(BadRules) as caught:
        read_rules(text, NEW_YORK)
    assert any(told in problem for problem in caught.value.problems), caught.value.problems


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(BadRules) as caught:
        read_rules('[answers]\nwithin = "x"\n[[rule]]\nname = "A"\n', NEW_YORK)
    lines = [one.partition(":")[0] for one in caught.value.problems]
    assert sorted(lines) == ["line 2", "line 3", "line 3", "line 4"]


def at(text: str) -> int:
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC))


OFFICE = OpeningHours(
    dict.fromkeys(range(5), ((8 * 60, 12 * 60), (13 * 60, 17 * 60))),
    NEW_YORK,
    frozenset({date(2024, 7, 4)}),
)
DUE = {
    "within the morning": ("2024-07-01 09:00", 2, "2024-07-01 11:00"),
    "over noon": ("2024-07-01 11:00", 2, "2024-07-01 14:00"),
    "over night": ("2024-07-01 16:00", 2, "2024-07-02 09:00"),
    "from the night": ("2024-07-01 22:00", 1, "2024-07-02 09:00"),
    "over a closed day": ("2024-07-03 16:30", 1, "2024-07-05 08:30"),
    "over a weekend": ("2024-07-05 16:00", 2, "2024-07-08 09:00"),
    "over the clock's change": ("2024-03-08 16:00", 2, "2024-03-11 09:00"),
    "a whole week": ("2024-06-03 08:00", 40, "2024-06-07 17:00"),
}


@pytest.mark.parametrize(("began", "hours", "due"), DUE.values(), ids=DUE.keys())
def test_time_passes_only_while_somebody_is_there(began: str, hours: int, due: str) -> None:
    assert OFFICE.after(at(began), hours * HOUR) == at(due)


MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2026, 1, 1))  # noqa: DTZ001 - made UTC below


@given(MOMENTS, st.integers(1, 60), st.integers(1, 60))
def test_two_lengths_one_after_the_other_are_their_sum(
    began: datetime, one: int, other: int
) -> None:
    start = microseconds(began.replace(tzinfo=UTC))
    minute = 60_000_000
    both = OFFICE.after(OFFICE.after(start, one * minute), other * minute)
    assert both == OFFICE.after(start, (one + other) * minute)
    # It ends while somebody is there, if only just.
    assert OFFICE.is_open(both - 1)
    assert (one + other) * minute <= both - start
    assert both - start < timedelta(days=6) / timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("A REFILL, please", ("refill",), True),
        ("refilling it", ("refill",), False),
        ("my  blood\npressure", ("blood pressure",), True),
        ("Café?", ("cafe",), True),
        ("a+b", ("a+b",), True),
        ("", ("x",), False),
    ],
)
def test_words_are_whole_whatever_their_case(
    text: str, words: tuple[str, ...], found: bool
) -> None:
    assert has_words(text, words) is found
