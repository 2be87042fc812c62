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
        ("2024-04-10 11:00:00 +0200", NINE, []),
        ("2024-04-10 05:00", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 05:00:00 XYZT", NINE, [dates.NO_ZONE]),
        ("Wed, 10 Apr 2024 09:00:60 +0000", NINE.replace(second=59), []),
        ("Sat, 1 Jan 2050 00:00:00 +0000", datetime(2050, 1, 1, tzinfo=UTC), [dates.IN_THE_FUTURE]),
        ("1 Jan 1970 00:00:00 +0000", datetime(1970, 1, 1, tzinfo=UTC), [dates.TOO_OLD]),
    ],
)
def test_date_field(value: str, sent: datetime, notes: list[str]) -> None:
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


def test_nothing_tells() -> None:
    assert find_dates("", [], "From - Foo 99 05:00:00 2024", NEW_YORK, NOW).sent is None


def test_received_is_the_topmost() -> None:
    assert find_dates("", [TOP, FIRST], "", NEW_YORK, NOW).received == NINE.replace(second=20)
    assert find_dates("", ["by nobody", FIRST], "", NEW_YORK, NOW).received is None
