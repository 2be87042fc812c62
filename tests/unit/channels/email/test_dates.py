"""When a mail was sent, from good dates and bad."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels.email import dates
from threadwell.channels.email.dates import find_dates

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2024, 6, 1, tzinfo=UTC)
NINE = datetime(2024, 4, 10, 9, 0, tzinfo=UTC)
AT_FIVE = datetime(2024, 4, 10, 5, tzinfo=UTC).replace(tzinfo=None)
TOP = "from mx.example.net by clinic.example.org; Wed, 10 Apr 2024 09:00:20 +0000"
FIRST = "from phone by mx.example.net (x; y) id 7; Wed, 10 Apr 2024 09:00:00 +0000 (UTC)"


@pytest.mark.parametrize(
    ("value", "sent", "notes"),
    [
        ("Wed, 10 Apr 2024 09:00:00 +0000", NINE, []),
        ("10 Apr 2024 05:00:00 -0400", NINE, []),
        ("Wed, 10 Apr 2024 09:00:00 -0000", NINE, []),
        ("Wed, 10 Apr 2024 09:00:00 GMT", NINE, []),
        ("Wed, 10 Apr 2024 05:00:00 EDT", NINE, []),
        ("Wed, 10 Apr 2024 5:00 -0400 (EDT)", NINE, []),
        ("Wed, 10 Apr 2024 09(morning):  00 : 00 +0000", NINE, []),
        ("Wed 10 Apr 24 09:00:00 +0000", NINE, []),
        ("Wed,10 Apr 2024 09:00:00 +0000", NINE, []),
        ("Wed Apr 10 09:00:00 2024 +0000", NINE, []),
        ("2024-04-10T09:00:00Z", NINE, []),
        ("2024-04-10T11:00:00+02", NINE, []),
        ("2024-04-10T11:00:00+02:00", NINE, []),
        ("2024-04-10T11:00:00 +0200", NINE, []),
        ("2024-04-10T11:00+02:00[Europe/Berlin]", NINE, []),
        ("2024-04-10T09:00Z", NINE, []),
        ("2024-04-10 09:00:00 UTC", NINE, []),
        ("2024/04/10 09:00:00 UTC", NINE, []),
        ("2024-4-10 9:00 GMT", NINE, []),
        ("20240410T090000Z", NINE, []),
        ("20240410T0900Z", NINE, []),
        ("20240410090000Z", NINE, []),
        ("2024-04-10T09:00:00.25Z", NINE.replace(microsecond=250_000), []),
        ("2024-04-10T09:00:00,250Z", NINE.replace(microsecond=250_000), []),
        ("Wed, 10 Apr 2024 04:00:00 GMT-0500", NINE, []),
        ("Wed, 10 Apr 2024 04:00:00 GMT-05:00", NINE, []),
        ("Wed, 10 Apr 2024 04:00:00 GMT-5", NINE, []),
        ("Wed, 10 Apr 2024 11:00:00 UTC+2", NINE, []),
        ("Wed, 10 Apr 2024 11:00:00 UT +0200", NINE, []),
        ("Wed, 10 Apr 2024 04:00:00 -05", NINE, []),
        ("Wed, 10 Apr 2024 04:00:00 -5", NINE, []),
        ("Wed, 10 Apr 2024 04:00:00 -500", NINE, []),
        ("Wed, 10 Apr 2024 04:00:00 \u22120500", NINE, []),
        ("Wed, 10 Apr 2024 11:00:00 +02:00", NINE, []),
        ("Wed, 10 Apr 2024 14:30:00 +0530", NINE, []),
        ("Wed, 10 Apr 2024 11:00:00 +0200 (Mitteleuropäische Sommerzeit)", NINE, []),
        ("Wed, 10 Apr 2024 04:00:00 EST -0500", NINE, []),
        ("Wed Apr 10 2024 05:00:00 GMT-0400 (Eastern Daylight Time)", NINE, []),
        ("Wed, 10 Apr 2024 (a day (of many)) 09:00:00 GMT", NINE, []),
        ('Wed, 10 Apr 2024 09:00:00 +0000 (a \\) "bracket)', NINE, []),
        ("Wed, 10 Apr 2024 9:00:00 AM +0000", NINE, []),
        ("Wed, 10 Apr 2024 10:00:00 PM +1300", NINE, []),
        ("Wed, 10 Apr 2024 10:00 p.m. +1300", NINE, []),
        ("10 Apr 2024 12:00:00 AM -0900", NINE, []),
        ("10 Apr 2024 12:00:00 PM +0300", NINE, []),
        ("10 Apr 2024 22:00:00 PM +1300", NINE, []),
        ("April 10, 2024 9:00 AM UTC", NINE, []),
        ("Wednesday, April 10, 2024 at 9:00:00 AM GMT", NINE, []),
        ("Wednesday, 10th April 2024 09:00 GMT", NINE, []),
        ("10-Apr-2024 09:00:00 +0000", NINE, []),
        ("10-APR-24 09:00:00 GMT", NINE, []),
        ("Wed, 10 Apr 124 09:00:00 +0000", NINE, []),
        ("Wed, 10 Apr 99 09:00:00 +0000", NINE.replace(year=1999), []),
        ("Wed Apr 10 05:00:00 EDT 2024", NINE, []),
        ("Wed Apr 10 09:00:00 +0000 2024", NINE, []),
        ("Wed Apr 10 09:00:00 UTC 24", NINE, []),
        ("Wed Apr 10 05:00:00 2024", NINE, [dates.NO_ZONE]),
        ("Wed Apr 10 11:00:00 MESZ 2024", NINE, []),
        ("10.04.2024 09:00:00 +0000", NINE, []),
        ("Wed Apr 10 05:00:00 GMT-04:00 2024", NINE, []),
        ("Wed, 10-Apr-2024 09:00:00 GMT", NINE, []),
        ("Wed, 10 Apr 2024 09:00:00AM +0000", NINE, []),
        ("Wed, 10 Apr 2024 05:00:00 \u20130400", NINE, []),
        ('"Wed, 10 Apr 2024 05:00:00 -0400"', NINE, []),
        ("Di, 10 Okt 2023 09:00:00 +0000", NINE.replace(year=2023, month=10), []),
        ("mer. 10 avr. 2024 11:00:00 +0200", NINE, []),
        ("dom, 10 dic 2023 09:00:00 +0000", NINE.replace(year=2023, month=12), []),
        ("10 août 2023 09:00:00 +0000", NINE.replace(year=2023, month=8), []),
        ("Wed, 10 Apr 2024 05:00:00 -04:00:00", NINE, []),
        ("Wed, 10 Apr 2024 05:00:00 -00400", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00 0400", NINE, [dates.NO_ZONE]),
        ("10/04/2024 09:00:00 +0000", None, []),
        ("15/04/2024 09:00:00 +0000", NINE.replace(day=15), []),
        ("4/15/2024, 9:00:00 AM UTC", NINE.replace(day=15), []),
        ("4/4/2024 09:00:00 UTC", NINE.replace(day=4), []),
        ("Tue, 9 Apr 2024 24:00:00 +1500", datetime(2024, 4, 10, 4, tzinfo=UTC), [dates.NO_ZONE]),
        ("Wed, 9 Apr 2024 24:00:00 -0900", NINE, []),
        ("Wed, 10 Apr 2024 9:0:0 +0000", NINE, []),
        ("Wed, 10 Apr 2024 9:0 +0000", NINE, []),
        ("Wed, 10 Apr 2024 09.00.00 +0000", NINE, []),
        ("ke, 10 huhti 2024 klo 12.00 +0300", NINE, []),
        ('Wed, 10 Apr 2024 09:00:00 "GMT"', NINE, []),
        ("Wed, 10 Apr 2024 10:00:00 BST", NINE, [dates.UNSURE_ZONE]),
        ("Wed, 10 Apr 2024 14:30:00 IST", NINE, [dates.UNSURE_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00 Q", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00 Eastern Standard Time", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00 America/New_York", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00 Etc/GMT+4", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024", NINE.replace(hour=4), [dates.NO_TIME]),
        ("Wed, 10 Apr 2024 05:00:00 +9999", NINE, [dates.NO_ZONE]),
        ("2024-04-10 11:00:00 +0200", NINE, []),
        ("2024-04-10 05:00", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00 XYZT", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 09:00:60 +0000", NINE.replace(second=59), []),
        ("Sat, 1 Jan 2050 00:00:00 +0000", datetime(2050, 1, 1, tzinfo=UTC), [dates.IN_THE_FUTURE]),
        ("1 Jan 1970 00:00:00 +0000", datetime(1970, 1, 1, tzinfo=UTC), [dates.TOO_OLD]),
    ],
)
def test_date_field(value: str, sent: datetime | None, notes: list[str]) -> None:
    found = find_dates(value, [], "", NEW_YORK, NOW)
    assert (found.sent, found.notes) == (sent, notes)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "Wed, 31 Feb 2024 09:00:00 +0000",
        "Wed, 10 Apr 2024 25:00:00 +0000",
        "Wed, 10 Foo 2024 09:00:00 +0000",
        "10 Apr 99999 09:00:00 +0000",
        "Wed, 10 Apr 2024 09:00:00 +9999",
        "Wed, 10 Apr 2024",
        "10/04/2024 09:00",
        "Wed, 10 Apr 2024 09:60:00 +0000",
        "10 Marx 2024 09:00:00",
        "1 Jan 1970 00:00:00 +0000",
    ],
)
def test_without_a_usable_date_the_first_server_tells(value: str) -> None:
    found = find_dates(value, [TOP, FIRST], "", NEW_YORK, NOW)
    assert (found.sent, found.notes) == (NINE, [dates.FROM_RECEIVED])


def test_then_the_mailbox_file_tells() -> None:
    line = "From ana@example.org Wed Apr 10 05:00:00 2024"
    found = find_dates("", ["by nobody"], line, NEW_YORK, NOW)
    assert (found.sent, found.notes) == (NINE, [dates.FROM_LINE])


@pytest.mark.parametrize(
    "line",
    [
        "From 17@xxx Wed Apr 10 09:00:00 +0000 2024",
        "From ana@example.org Wed Apr 10 05:00:00 EDT 2024 remote from mill",
        "From ana@example.org Wed Apr 10 05:00:00 2024 -0400",
        "From ana@example.org Wed, 10 Apr 2024 11:00:00 +0200",
        "From may@example.org 10 Apr 2024 09:00:00 GMT",
        "From 2024@example.org 2024-04-10T09:00:00Z",
    ],
)
def test_the_offset_of_a_from_line_counts(line: str) -> None:
    found = find_dates("", [], line, NEW_YORK, NOW)
    assert (found.sent, found.notes) == (NINE, [dates.FROM_LINE])


@pytest.mark.parametrize(
    ("zone", "letters", "hour", "notes"),
    [
        ("Europe/London", "BST", 10, []),
        ("Asia/Kolkata", "IST", 14, []),
        ("Europe/Berlin", "IST", 14, [dates.UNSURE_ZONE]),
        ("America/Halifax", "ADT", 6, []),
        ("Asia/Karachi", "PKT", 14, []),
    ],
)
def test_letters_of_the_practices_own_zone_are_sure(
    zone: str, letters: str, hour: int, notes: list[str]
) -> None:
    minute = 30 if letters == "IST" else 0
    found = find_dates(f"10 Apr 2024 {hour}:{minute:02}:00 {letters}", [], "", ZoneInfo(zone), NOW)
    assert (found.sent, found.notes) == (NINE, notes)


def test_nothing_tells() -> None:
    assert find_dates("", [], "From - Foo 99 05:00:00 2024", NEW_YORK, NOW).sent is None


@pytest.mark.parametrize(
    ("date", "line", "wall"),
    [
        ("Wed, 10 Apr 2024 05:00:00", "", AT_FIVE),
        ("Wed, 10 Apr 2024 05:00:00 XYZT", "", AT_FIVE),
        ("Wed, 10 Apr 2024 05:00:00 EDT", "", None),
        ("Wed, 10 Apr 2024 05:00:00 BST", "", None),
        ("", "From - Wed Apr 10 05:00:00 2024", AT_FIVE),
        ("", "From - Wed Apr 10 05:00:00 +0000 2024", None),
    ],
)
def test_the_time_of_the_wall_where_no_zone_is_known(date, line, wall) -> None:
    assert find_dates(date, [], line, NEW_YORK, NOW).wall == wall


def test_received_is_the_topmost() -> None:
    assert find_dates("", [TOP, FIRST], "", NEW_YORK, NOW).received == NINE.replace(second=20)
    assert find_dates("", ["by nobody", FIRST], "", NEW_YORK, NOW).received is None


def test_an_uncertain_time_of_receipt_is_none() -> None:
    assert find_dates("", ["by x; Wed, 10 Apr 2024 09:00:00"], "", NEW_YORK, NOW).received is None


def test_a_comment_may_hold_a_semicolon() -> None:
    received = ["by x; Wed, 10 Apr 2024 09:00:00 +0000 (UTC; summer)"]
    assert find_dates("", received, "", NEW_YORK, NOW).received == NINE
