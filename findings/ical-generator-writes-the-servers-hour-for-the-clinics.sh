#!/usr/bin/env bash
# ical-generator sets a visit at nine in New York to one o'clock there, if the server's clock is in UTC.
#
# Package    ical-generator 10.2.0 (on node 22.23.3 from npm), iCalendar from objects
# Expected   a Date is a moment, and 13:00 UTC on 1 June 2026 is nine o'clock in New York. With `timezone` it is written with
#            that zone, and is the same moment on each machine; a start is with TZID, in UTC, or of no zone, and EXDATE is
#            as the start is (RFC 5545, §3.3.5, §3.8.5.1). DTSTAMP is in UTC (§3.8.7.2)
# Seen       on a server in UTC the event's `timezone` makes DTSTART;TZID=America/New_York:20260601T130000, four hours late;
#            on one in Tokyo 22:00 of that zone. Its page says that a time must match the zone, and a Date has none. With
#            the calendar's `timezone` the start has no zone at all, beside an EXDATE with one, and DTSTAMP has no Z: a
#            patient in Denver sees the number for her own clock. Without `timezone` all is in UTC and right. No error
# So         give no `timezone` beside a Date, or a time of Luxon's in that zone
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 ical-generator@10.2.0
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import ical from 'ical-generator';

const look = (calendar, visit, ...expected) => {
  const written = ical(calendar);
  const one = written.createEvent({ id: '1', start: new Date('2026-06-01T13:00:00Z'), summary: 'visit', ...visit });
  one.repeating({ freq: 'DAILY', count: 3, exclude: [new Date('2026-06-02T13:00:00Z')] });
  const lines = written.toString().split('\r\n');
  const found = lines.filter((line) => /^(DTSTART|EXDATE)/.test(line));
  console.log(process.env.TZ.padEnd(18), ...found);
  assert.deepEqual(found, expected);
  return lines.find((line) => line.startsWith('DTSTAMP'));
};
const timezone = 'America/New_York';
const [hour, zone] = [process.argv[2], `TZID=${timezone}`];
const utc = look({}, {}, 'DTSTART:20260601T130000Z', 'EXDATE:20260602T130000Z');
assert.match(utc, /^DTSTAMP:\d{8}T\d{6}Z$/);
look({}, { timezone }, `DTSTART;${zone}:20260601T${hour}`, `EXDATE;${zone}:20260602T${hour}`);
const stamp = look({ timezone }, {}, `DTSTART:20260601T${hour}`, `EXDATE;${zone}:20260602T${hour}`);
assert.match(stamp, /^DTSTAMP:\d{8}T\d{6}$/);
JAVASCRIPT
for server in America/New_York=090000 UTC=130000 Asia/Tokyo=220000; do
  TZ=${server%=*} node_modules/node/bin/node seen.mjs "${server#*=}"
done
