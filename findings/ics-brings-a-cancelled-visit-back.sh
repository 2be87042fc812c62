#!/usr/bin/env bash
# The npm package ics writes a visit that was taken out of a series so that readers leave it in.
#
# Package    ics 3.12.0, iCalendar from objects; read again by ical.js 2.2.1 (on node 22.23.3 from npm); TZ=America/New_York
# Expected   EXDATE takes out the visit that starts at its value (RFC 5545, §3.8.5.1): beside a floating start at nine a
#            floating nine, as the package was told by `startInputType` and `startOutputType` "local". A comma within a
#            category is written as \, (§3.8.1.2, §3.3.11), as it is in SUMMARY. A week before is -P1W, and a T has hours,
#            minutes or seconds behind it (§3.3.6)
# Seen       DTSTART:20260601T090000 has EXDATE:20260602T130000Z beside it, in UTC by the machine's zone: 2 June stays. With
#            "utc" it is right. "follow-up, early" is written as two categories. The reminder of a week is
#            -P1WT, and a visit of a day P1DT, with no time behind the T. SUMMARY is right. Nothing is raised
# So         write series in UTC only, no comma into a category, and the reminder in hours
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 ics@3.12.0 ical.js@2.2.1
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import ICAL from 'ical.js';
import { createEvent } from 'ics';

const write = (more) => {
  const { error, value } = createEvent({ start: [2026, 6, 1, 9, 0], duration: { hours: 1 }, title: '5 mg, twice', ...more });
  assert.ok(!error, error);
  const visit = new ICAL.Component(ICAL.parse(value)).getFirstSubcomponent('vevent');
  return { lines: value.split('\r\n'), visit };
};
const look = (found, expected) => {
  console.log(found);
  assert.deepEqual(found, expected);
};
const days = (kind) => {
  const series = { recurrenceRule: 'FREQ=DAILY;COUNT=3', exclusionDates: [[2026, 6, 2, 9, 0]] };
  const { lines, visit } = write({ startInputType: 'local', startOutputType: kind, ...series });
  const visits = new ICAL.Event(visit).iterator();
  const found = lines.filter((line) => /^(DTSTART|EXDATE)/.test(line));
  for (let one = visits.next(); one; one = visits.next()) found.push(one.day);
  return found;
};
look(days('local'), ['DTSTART:20260601T090000', 'EXDATE:20260602T130000Z', 1, 2, 3]);
look(days('utc'), ['DTSTART:20260601T130000Z', 'EXDATE:20260602T130000Z', 1, 3]);
const alarms = [{ action: 'display', description: 'visit', trigger: { weeks: 1, before: true } }];
const { lines, visit } = write({ categories: ['follow-up, early', 'lab'], alarms, duration: { days: 1 } });
look(visit.getFirstProperty('categories').getValues(), ['follow-up', ' early', 'lab']);
look(visit.getFirstPropertyValue('summary'), '5 mg, twice');
look(lines.filter((line) => /^(DURATION|TRIGGER)/.test(line)).toSorted(), ['DURATION:P1DT', 'TRIGGER:-P1WT']);
JAVASCRIPT
TZ=America/New_York node_modules/node/bin/node seen.mjs
