#!/usr/bin/env bash
# hl7v2 takes the minus out of a time, and leaves one of eighteen digits.
#
# Packages   hl7v2 1.8.0 with hl7v2-dictionary 1.8.0 (npm), HL7 v2 parsed and written again
# Expected   a message that is only read and written has in MSH-7, OBR-7 and OBX-14 what it had. HL7 v2.5, §2.A.22: the
#            offset of a time begins with its sign, and a time is as exact as it has digits: 2024 is a year
# Seen       `20240513150400-0400` becomes `202405131504000400` where it is read, and is written so: nobody finds an
#            offset in it. With a fraction it is `20240513150400.10400`. An offset with a plus stays, and so does
#            a time without one. A year alone becomes its first of January, a month its first day. Nothing is raised
# So         take times from the text of the message, and put them back into it before it is sent on
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts hl7v2@1.8.0 hl7v2-dictionary@1.8.0 >>npm.log 2>&1
cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { HL7Message } from 'hl7v2';

const observed = (number, time) => `OBX|${number}|NM|8867-4^Heart rate^LN||72|/min|||||F|||${time}`;
const times = ['20240513150400-0400', '20240513150400+0400', '202405131504', '20240513', '202405', '2024'];
const sent = [
  'MSH|^~\\&|LAB|CLINIC|EHR|CLINIC|20240513150400-0400||ORU^R01^ORU_R01|1|P|2.5.1',
  'PID|1||p1^^^CLINIC^MR||Doe^Ana||19800229|F',
  'OBR|1|||8867-4^Heart rate^LN|||20240513150400.1-0400',
  ...times.map((time, place) => observed(place + 1, time)),
];
const message = HL7Message.parse(sent.join('\r'));
const written = message.toHL7String().split(/[\r\n]+/);
const field = (line, number) => line.split('|')[number];
const found = times.map((_, place) => field(written[place + 3], 14));
times.forEach((time, place) => console.log(time, 'is written', found[place]));
assert.equal(message.getSegment('OBR').field(7).getValue(), '20240513150400.10400');
assert.equal(field(written[0], 6), '202405131504000400');
assert.equal(field(written[1], 7), '19800229');
assert.equal(field(written[2], 7), '20240513150400.10400');
assert.deepEqual(found, [
  '202405131504000400',
  '20240513150400+0400',
  '202405131504',
  '20240513',
  '20240501',
  '20240101',
]);
JS
for zone in UTC Asia/Tokyo America/New_York; do TZ=$zone node seen.mjs; done
