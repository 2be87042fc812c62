"""Days and times, as countries write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from threadwell.inbox.dates import Dates

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = datetime(2024, 3, 5, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "text", "whole"),
    [
        ("US", "Mar 4, 2024, 11:05 PM", "Monday, March 4, 2024"),
        ("CA", "Mar 4, 2024, 11:05 PM", "Monday, March 4, 2024"),
        ("GB", "4 Mar 2024, 23:05", "Monday, 4 March 2024"),
        ("DE", "4 Mar 2024, 23:05", "Monday, 4 March 2024"),
        ("AU", "4 Mar 2024, 11:05 PM", "Monday, 4 March 2024"),
        ("SE", "2024-03-04, 23:05", "Monday, 2024-03-04"),
        ("KR", "2024-03-04, 11:05 PM", "Monday, 2024-03-04"),
    ],
)
def test_a_moment_is_written_as_the_country_does(country: str, text: str, whole: str) -> None:
    dates = Dates(NEW_YORK, country)
    assert dates.text(NIGHT) == dates.text("2024-03-05T04:05:00Z") == text
    assert dates.whole_day(NIGHT.astimezone(NEW_YORK)) == whole


@pytest.mark.parametrize(
    ("country", "text"),
    [
        *(("US", text) for text in ("Mar 4, 2024", "3/4/2024", "03-04-24", "march 4 2024")),
        *(("GB", text) for text in ("4 Mar 2024", "4/3/2024", "04.03.24")),
        *(("SE", text) for text in ("2024-03-04", "2024/3/4", "4 mar 2024", "4/3/2024")),
        *((country, "2024-03-04") for country in ("US", "GB", "DE")),
        *((country, "4 March 2024") for country in ("US", "GB", "DE")),
    ],
)
def test_a_day_is_read_in_the_order_of_the_country(country: str, text: str) -> None:
    assert Dates(NEW_YORK, country).read(text) == date(2024, 3, 4)


@pytest.mark.parametrize(
    "text", ["", "soon", "4th", "13/13/2024", "2/30/2024", "Mar 2024", "٣/٤/٢٠٢٤"]
)
def test_what_is_no_day_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        Dates(NEW_YORK).read(text)


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "12:30 AM"), (9, "9:30 AM"), (12, "12:30 PM"), (23, "11:30 PM")]
)
def test_noon_and_midnight(hour: int, text: str) -> None:
    assert Dates(ZoneInfo("UTC")).clock(datetime(2024, 1, 1, hour, 30, tzinfo=UTC)) == text


@pytest.mark.parametrize(
    ("start", "end", "us", "gb"),
    [
        (
            "2024-03-04T14:00:00Z",
            "2024-03-04T18:20:00Z",
            "Mar 4, 2024, 9:00 AM – 1:20 PM",
            "4 Mar 2024, 09:00 – 13:20",
        ),
        (
            "2024-03-04T14:00:00Z",
            "2024-03-04T14:00:30Z",
            "Mar 4, 2024, 9:00 AM",
            "4 Mar 2024, 09:00",
        ),
        (
            "2024-03-04T14:00:00Z",
            "2024-03-06T14:00:00Z",
            "Mar 4, 2024 – Mar 6, 2024",
            "4 Mar 2024 – 6 Mar 2024",
        ),
        ("2024-03-04T14:00:00Z", "", "since Mar 4, 2024, 9:00 AM", "since 4 Mar 2024, 09:00"),
        ("2024-03-04", "2024-03-04", "Mar 4, 2024", "4 Mar 2024"),
        ("2024-03", None, "since Mar 1, 2024", "since 1 Mar 2024"),
        (None, "2024-03-04", "no date", "no date"),
        ("9999-99-99", "", "no date", "no date"),
    ],
)
def test_spans(start: str | None, end: str | None, us: str, gb: str) -> None:
    assert Dates(NEW_YORK, "US").span(start, end) == us
    assert Dates(NEW_YORK, "GB").span(start, end) == gb


@pytest.mark.parametrize("what", [None, "", 5, "soon", "2024-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_has_no_words(what: object) -> None:
    assert Dates(NEW_YORK).text(what) == ""


def test_a_day_alone_has_no_time() -> None:
    assert Dates(NEW_YORK).text(date(2024, 3, 4)) == "Mar 4, 2024"
