#!/usr/bin/env bash
# ts-ics sets the last day of a month one day early, a visit of the last Friday to midnight, and loses a first visit.
#
# Package    ts-ics 2.4.6 (on node 22.23.3 from npm), iCalendar in TypeScript; TZ=UTC
# Expected   BYMONTHDAY=-1 is a month's last day, and days that a month has not are left out, so that a series from the 31st
#            has no February (RFC 5545, §3.3.10). Each visit is at the hour of the first, by the clock of its TZID
#            (§3.8.5.3), also if that day is another one in UTC. BYDAY limits days, and COUNT says how many visits there
#            are. A comma behind a backslash is a letter of a category (§3.3.11)
# Seen       -1 gives the 30th of January, the 27th of February and the 30th of March. From the 31st come the 28ths of
#            February, March and April. The last Friday at 13:30 is at 00:00. Nine o'clock in New York is ten o'clock once
#            its clocks go forward. Of three Wednesdays at half past nine in the evening there are two, without the first; of
#            six weekdays five. `follow-up\,early` is two categories, and the first ends with a backslash. No error
# So         read with it at most, and expand series with another library (rrule-temporal has these right)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 ts-ics@2.4.6
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { convertIcsCalendar, extendByRecurrenceRule } from 'ts-ics';

const HEAD = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:seen', 'BEGIN:VEVENT', 'UID:1', 'DTSTAMP:20260101T000000Z'];
const read = (...lines) => {
  const text = [...HEAD, ...lines, 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n');
  return convertIcsCalendar(undefined, text).events[0];
};
const look = (start, rule, ...expected) => {
  const visit = read(`DTSTART${start}`, `RRULE:FREQ=${rule}`);
  const times = extendByRecurrenceRule(visit.recurrenceRule, { start: visit.start.date });
  const found = times.map((time) => time.toISOString().slice(5, 16));
  console.log(rule.padEnd(40), ...found);
  assert.deepEqual(found, expected);
};
const MORNING = ':20260105T133000Z';
look(MORNING, 'WEEKLY;BYDAY=MO;COUNT=2', '01-05T13:30', '01-12T13:30');
look(MORNING, 'MONTHLY;BYMONTHDAY=-1;COUNT=3', '01-30T13:30', '02-27T13:30', '03-30T13:30');
look(':20260131T130000Z', 'MONTHLY;COUNT=4', '01-31T13:00', '02-28T13:00', '03-28T13:00', '04-28T13:00');
look(MORNING, 'MONTHLY;BYDAY=-1FR;COUNT=3', '01-30T00:00', '02-27T00:00', '03-27T00:00');
const weekdays = ['05', '06', '07', '08', '09'].map((day) => `01-${day}T13:30`);
look(MORNING, 'DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=6', ...weekdays);
const NEW_YORK = ';TZID=America/New_York:2026';
// Nine o'clock there is 14:00 UTC on the 7th, and 13:00 from the 8th on.
look(`${NEW_YORK}0307T090000`, 'DAILY;COUNT=3', '03-07T14:00', '03-08T14:00', '03-09T14:00');
// 21:30 on the 4th is 02:30 UTC on the 5th, a Thursday.
look(`${NEW_YORK}0304T213000`, 'WEEKLY;BYDAY=WE;COUNT=3', '03-11T02:30', '03-18T02:30');
const { categories, summary } = read('SUMMARY:5 mg\\, twice', 'CATEGORIES:follow-up\\,early,lab', `DTSTART${MORNING}`);
console.log(categories);
assert.deepEqual(categories, ['follow-up\\', 'early', 'lab']);
assert.equal(summary, '5 mg, twice');
JAVASCRIPT
TZ=UTC node_modules/node/bin/node seen.mjs
