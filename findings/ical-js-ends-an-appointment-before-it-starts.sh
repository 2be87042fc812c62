#!/usr/bin/env bash
# ical.js takes the wrong side of both changes of the clock.
#
# Package    ical.js 2.2.1 (npm), with the VTIMEZONE of New York in the calendar itself
# Expected   RFC 5545 §3.3.5: a time that the clock skips has the offset of before, so 02:30 on 10 March 2024 is
#            07:30 UTC; a time that comes twice is the first one, so 01:30 on 3 November is 05:30 UTC. Where a
#            rule makes a skipped time, that occurrence is left out (§3.3.10)
# Seen       the skipped one has the offset of after: 06:30 UTC, which is half past one. So an appointment from
#            01:30 for half an hour ends at 06:00 UTC, before it starts. A time that comes twice is the second
#            one, and a weekly 02:30 comes at 01:30 that day. The machine's zone makes no difference
# So         turn wall times into instants by a library of zones, and check that a period ends after it starts
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts ical.js@2.2.1 >>npm.log 2>&1
cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import ICAL from 'ical.js';

const change = (name, from, to, first, month, day) => [
  `BEGIN:${name}`,
  `TZOFFSETFROM:${from}`,
  `TZOFFSETTO:${to}`,
  `DTSTART:${first}`,
  `RRULE:FREQ=YEARLY;BYMONTH=${month};BYDAY=${day}`,
  `END:${name}`,
];
const calendar = (start, ...more) => [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//example//clinic//EN',
  'BEGIN:VTIMEZONE',
  'TZID:America/New_York',
  ...change('DAYLIGHT', '-0500', '-0400', '20070311T020000', 3, '2SU'),
  ...change('STANDARD', '-0400', '-0500', '20071104T020000', 11, '1SU'),
  'END:VTIMEZONE',
  'BEGIN:VEVENT',
  'UID:1@example.org',
  'DTSTAMP:20240101T000000Z',
  `DTSTART;TZID=America/New_York:${start}`,
  'DURATION:PT30M',
  ...more,
  'END:VEVENT',
  'END:VCALENDAR',
];
const event = (...lines) => {
  const parsed = new ICAL.Component(ICAL.parse(calendar(...lines).join('\r\n')));
  return new ICAL.Event(parsed.getFirstSubcomponent('vevent'));
};
const utc = (time) => time.toJSDate().toISOString().slice(0, 16);
const seen = (start, expected) => {
  const { startDate, endDate } = event(start);
  console.log(start, 'is', utc(startDate), 'to', utc(endDate), 'UTC');
  assert.deepEqual([utc(startDate), utc(endDate)], expected);
};
seen('20240310T003000', ['2024-03-10T05:30', '2024-03-10T06:00']);
seen('20240310T013000', ['2024-03-10T06:30', '2024-03-10T06:00']);
seen('20240310T023000', ['2024-03-10T06:30', '2024-03-10T07:00']);
seen('20241103T013000', ['2024-11-03T06:30', '2024-11-03T07:00']);

const weekly = event('20240303T023000', 'RRULE:FREQ=WEEKLY;COUNT=3').iterator();
const weeks = [weekly.next(), weekly.next(), weekly.next()].map(utc);
console.log('weekly at 02:30:', ...weeks);
assert.deepEqual(weeks, ['2024-03-03T07:30', '2024-03-10T06:30', '2024-03-17T06:30']);
JS
for zone in UTC Asia/Tokyo America/New_York; do TZ=$zone node seen.mjs; done
