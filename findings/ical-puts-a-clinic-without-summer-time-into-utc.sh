#!/usr/bin/env bash
# ical takes a clinic in Arizona for one in Greenwich, and leaves a visit that was moved at its old hour.
#
# Package    ical 14.3.1 with python-dateutil 2.9.0.post0, pydantic 2.13.4 and tzdata 2026.6, iCalendar in Python
# Expected   a VTIMEZONE may have one STANDARD part and no rule: its offset holds from its DTSTART on (RFC 5545, §3.6.5),
#            and Outlook writes zones without summer time so. RECURRENCE-ID names the visit of a series that another
#            VEVENT replaces (§3.8.4.4), with RANGE=THISANDFUTURE also those behind it (§3.2.13). DTSTART is the first
#            visit of a series that RDATE alone makes (§3.8.5.2)
# Seen       nine o'clock of "US Mountain Standard Time" is 09:00 UTC, seven hours early, and of "India Standard Time" five
#            and a half late. With a rule in that part, which changes nothing, it is right. In a series in UTC the visit
#            that was moved is there twice, at its new hour and its old one; with TZID once. Behind THISANDFUTURE the
#            visits keep their old hours. The first visit before an RDATE is lost. Nothing is raised or logged
# So         compare the offset of each start with the one in its VTIMEZONE, and expand a series with another library
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check ical==14.3.1 python-dateutil==2.9.0.post0 \
  pydantic==2.13.4 tzdata==2026.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
from zoneinfo import ZoneInfo

from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream

CLINIC = ZoneInfo("America/New_York")


def read(*lines: str) -> Calendar:
    text = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:seen", *lines, "END:VCALENDAR", "")
    return IcsCalendarStream.calendar_from_ics("\r\n".join(text))


def visit(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT")


def offset(zone: str, hours: str, *rule: str) -> str:
    """The start of a visit at nine, in a zone of one offset."""
    part = (f"TZOFFSETFROM:{hours}", f"TZOFFSETTO:{hours}", *rule)
    standard = ("BEGIN:STANDARD", "DTSTART:16010101T000000", *part, "END:STANDARD")
    calendar = read(
        *("BEGIN:VTIMEZONE", f"TZID:{zone}", *standard, "END:VTIMEZONE"),
        *visit(f"DTSTART;TZID={zone}:20260601T090000", "SUMMARY:visit"),
    )
    found = calendar.events[0].dtstart.isoformat()
    print(zone, hours, *rule, "is", found)
    return found


assert offset("US Mountain Standard Time", "-0700") == "2026-06-01T09:00:00+00:00"
assert offset("India Standard Time", "+0530") == "2026-06-01T09:00:00+00:00"
RULE = "RRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=1MO"
assert offset("India Standard Time", "+0530", RULE) == "2026-06-01T09:00:00+05:30"


def times(*lines: str) -> list[str]:
    found = [f"{one.dtstart.astimezone(CLINIC):%d. %H:%M}" for one in read(*lines).timeline_tz(CLINIC)]
    print(*found, sep=", ")
    return found


ZONED = (";TZID=America/New_York:20260601T090000", ";TZID=America/New_York:20260602T090000")
UTC = (":20260601T130000Z", ":20260602T130000Z")
MOVED = "DTSTART;TZID=America/New_York:20260605T100000"
for (first, second), expected in (
    (ZONED, ["01. 09:00", "03. 09:00", "05. 10:00"]),
    (UTC, ["01. 09:00", "02. 09:00", "03. 09:00", "05. 10:00"]),
):
    moved = MOVED if first == ZONED[0] else "DTSTART:20260605T140000Z"
    series = visit(f"DTSTART{first}", "RRULE:FREQ=DAILY;COUNT=3")
    assert times(*series, *visit(f"RECURRENCE-ID{second}", moved)) == expected
later = visit(
    "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260602T090000",
    "DTSTART;TZID=America/New_York:20260602T110000",
)
series = visit(f"DTSTART{ZONED[0]}", "RRULE:FREQ=DAILY;COUNT=3")
assert times(*series, *later) == ["01. 09:00", "02. 11:00", "03. 09:00"]
alone = visit(f"DTSTART{ZONED[0]}", "RDATE;TZID=America/New_York:20260610T090000")
assert times(*alone) == ["10. 09:00"]
PYTHON
