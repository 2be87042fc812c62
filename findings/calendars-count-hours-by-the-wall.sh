#!/usr/bin/env bash
# Two calendar libraries count the hours of a duration by the clock on the wall.
#
# Packages   icalendar 7.3.2 with tzdata 2026.6 (PyPI), ical.js 2.2.1 (npm)
# Expected   days of a duration go by the calendar, and hours are hours (RFC 5545 §3.3.6: an exact duration):
#            PT8H from 23:00 in New York, the night of 3 November 2024, ends at 06:00, and PT24H from noon
#            on 9 March at 13:00 the next day
# Seen       07:00 and 12:00: nine hours and 23. A watch for eight hours after a dose, or an infusion over 24,
#            ends an hour late or early, and nothing tells. node-ical 0.27.2 is right
# So         add the duration to the start in UTC where it has a T, and by the calendar where it has none
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check icalendar==7.3.2 tzdata==2026.6
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund node@22.23.3 ical.js@2.2.1 node-ical@0.27.2 >>npm.log 2>&1
cat >head.ics <<'ICS'
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//clinic//EN
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE
ICS
event() { # NAME START DURATION
    {
        cat head.ics
        printf '%s\n' BEGIN:VEVENT "UID:$1@example.org" DTSTAMP:20240101T000000Z \
            "DTSTART;TZID=America/New_York:$2" "DURATION:$3" "SUMMARY:$1" END:VEVENT END:VCALENDAR
    } | sed 's/$/\r/' >"$1.ics"
}
event night 20241102T230000 PT8H
event infusion 20240309T120000 PT24H
event day 20240309T120000 P1D
cat >seen.py <<'PYTHON'
from datetime import UTC

from icalendar import Calendar

for name, expected in (
    ("night", "2024-11-03T12:00"),
    ("infusion", "2024-03-10T16:00"),
    ("day", "2024-03-10T16:00"),
):
    with open(f"{name}.ics", "rb") as file:
        [event] = Calendar.from_ical(file.read()).events
    end = event.end.astimezone(UTC)
    print("icalendar", name, event.duration, "lasts", end - event.start.astimezone(UTC))
    assert end.isoformat()[:16] == expected, end
PYTHON
PYTHONTZPATH="" venv/bin/python seen.py
cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import ICAL from 'ical.js';
import nodeIcal from 'node-ical';

const utc = (date) => date.toISOString().slice(0, 16);
const seen = (name, byIcalJs, byNodeIcal) => {
  const text = readFileSync(`${name}.ics`, 'utf8');
  const parsed = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent('vevent');
  const { startDate, endDate } = new ICAL.Event(parsed);
  const hours = (endDate.toJSDate() - startDate.toJSDate()) / 3600e3;
  console.log('ical.js  ', name, 'lasts', hours, 'hours');
  assert.equal(utc(endDate.toJSDate()), byIcalJs);
  const all = Object.values(nodeIcal.sync.parseICS(text));
  assert.equal(utc(all.find((one) => one.type === 'VEVENT').end), byNodeIcal);
};
seen('night', '2024-11-03T12:00', '2024-11-03T11:00');
seen('infusion', '2024-03-10T16:00', '2024-03-10T17:00');
JS
node_modules/node/bin/node seen.mjs
