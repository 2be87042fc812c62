#!/usr/bin/env bash
# node-pdu writes the time of an SMS from India or Newfoundland in no form that a reader takes.
#
# Package    node-pdu 2.1.1 (npm), SMS PDUs as modems give them
# Expected   `getIsoString()` of a message of 15:04 at +05:30 is 2024-05-13T15:04:00+05:30; the offset comes in
#            quarters of an hour (3GPP TS 23.040 §9.2.3.11)
# Seen       …+5.5:00, -3.5:00 in Newfoundland, +5.75:00 in Nepal: hours with a fraction, and 00 for the minutes.
#            JavaScript's `Date` takes it for no date, and it is no FHIR dateTime. Whole hours are
#            right, and so is `time`, the seconds since 1970
# So         take `time`, and write the offset yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts node-pdu@2.1.1 >>npm.log 2>&1
cat >seen.cjs <<'JS'
const assert = require('node:assert/strict');
const { parse } = require('node-pdu');

// 15:04 on 13 May 2024, at so many quarters of an hour from UTC, by semi-octets.
const received = (quarters) => {
  const [tens, ones] = String(Math.abs(quarters)).padStart(2, '0');
  const zone = ones + (Number(tens) + (quarters < 0 ? 8 : 0)).toString(16);
  return parse(`00040B912170550511F10000425031514000${zone}02E834`).serviceCenterTimeStamp;
};
const seen = (quarters, offset, text) => {
  const stamp = received(quarters);
  const iso = `2024-05-13T15:04:00${offset}`;
  const found = stamp.getIsoString();
  console.log(iso, 'is told as', found, 'which is', String(new Date(found)));
  assert.equal(found, `2024-05-13T15:04:00${text}`);
  assert.equal(stamp.time, new Date(iso).getTime() / 1000);
  return Number.isNaN(new Date(found).getTime());
};
assert.equal(seen(-16, '-04:00', '-04:00'), false);
assert.equal(seen(8, '+02:00', '+02:00'), false);
assert.equal(seen(22, '+05:30', '+5.5:00'), true);
assert.equal(seen(-14, '-03:30', '-3.5:00'), true);
assert.equal(seen(23, '+05:45', '+5.75:00'), true);
JS
TZ=UTC node seen.cjs
