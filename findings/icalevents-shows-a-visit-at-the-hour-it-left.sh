#!/usr/bin/env bash
# icalevents shows a visit at the hour from which it was moved, and none that has begun the evening before.
#
# Package    icalevents 0.3.1, the events of a calendar between two days
# Expected   an event with RECURRENCE-ID replaces that one of the series (RFC 5545, §3.8.4.4), also if it now lies in
#            another month; RDATE adds one (§3.8.5.2); RANGE=THISANDFUTURE moves all that follow (§3.2.13). What
#            overlaps the asked days is told, in a series as alone
# Seen       a visit of 11 March that was moved to May is told for 11 March, if one asks for March; if one asks for the
#            year, it is right. RDATE adds none. With THISANDFUTURE only one visit is moved, the next are told an hour
#            early. A night in hospital (22:00 to 6:00) is told to whoever asks for the second day if it stands alone,
#            but not if it recurs. Nothing is raised or logged
# So         ask for a year around the days that you want, and choose among the answers; read RDATE yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check icalevents==0.3.1
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime

from icalevents.icalevents import events

WEEKLY = "DTSTART:20240304T140000Z|DURATION:PT30M|RRULE:FREQ=WEEKLY;COUNT=4"
MOVED = "RECURRENCE-ID:20240311T140000Z|DTSTART:20240502T160000Z|DURATION:PT30M"
LATER = "RECURRENCE-ID;RANGE=THISANDFUTURE:20240311T140000Z|DTSTART:20240311T150000Z|DURATION:PT30M"
NIGHT = "DTSTART:20240304T220000Z|DURATION:PT8H"
MARCH = (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))
YEAR = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
DAY = (datetime(2024, 3, 5, tzinfo=UTC), datetime(2024, 3, 6, tzinfo=UTC))
NEXT = (datetime(2024, 3, 12, tzinfo=UTC), datetime(2024, 3, 13, tzinfo=UTC))


def starts(asked: tuple[datetime, datetime], *written: str) -> list[str]:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//clinic//EN"]
    for one in written:
        lines += ["BEGIN:VEVENT", "UID:1@clinic.example", "DTSTAMP:20240101T000000Z", "SUMMARY:Visit"]
        lines += [*one.split("|"), "END:VEVENT"]
    text = "\r\n".join([*lines, "END:VCALENDAR", ""])
    found = events(string_content=text.encode(), start=asked[0], end=asked[1])
    return [one.start.astimezone(UTC).strftime("%m-%d %H:%M") for one in sorted(found)]


for named, asked, written, expected in (
    ("series in March", MARCH, [WEEKLY], ["03-04 14:00", "03-11 14:00", "03-18 14:00", "03-25 14:00"]),
    ("moved to May, the year", YEAR, [WEEKLY, MOVED], ["03-04 14:00", "03-18 14:00", "03-25 14:00", "05-02 16:00"]),
    ("moved to May, in March", MARCH, [WEEKLY, MOVED], ["03-04 14:00", "03-11 14:00", "03-18 14:00", "03-25 14:00"]),
    ("all later by an hour", MARCH, [WEEKLY, LATER], ["03-04 14:00", "03-11 15:00", "03-18 14:00", "03-25 14:00"]),
    ("RDATE", MARCH, [NIGHT + "|RDATE:20240306T220000Z"], ["03-04 22:00"]),
    ("a night, its second day", DAY, [NIGHT], ["03-04 22:00"]),
    ("nights, the second day", NEXT, [NIGHT + "|RRULE:FREQ=WEEKLY;COUNT=3"], []),
):
    found = starts(asked, *written)
    print(f"{named:24}", ", ".join(found) or "none")
    assert found == expected, (named, found)
print("OK: as described")
PYTHON
