#!/usr/bin/env bash
# hl7-date writes a plus and a minus before the hours of each zone east of Greenwich.
#
# Package    hl7-date 1.0.1 (npm), JavaScript's Date to and from HL7 v2
# Expected   15:04 in Berlin in May is `202405131504+0200`: HL7 v2.5, §2.A.22, has +/-ZZZZ, a sign and four digits
# Seen       `202405131504+-200`; in India it is `+-6-30` for +0530, and in Tokyo `+-900`. West of Greenwich and in UTC
#            it is right, half hours included. Its own parse takes an offset with two signs for none, and the time
#            for the machine's own: read where it was written it looks right, elsewhere it is hours off
# So         write the offset yourself, and test such code with TZ=Asia/Kolkata
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts hl7-date@1.0.1 >>npm.log 2>&1
cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import HL7Date from 'hl7-date';

const [expected, elsewhere] = process.argv.slice(2);
const moment = new Date('2024-05-13T13:04:00Z');
const written = HL7Date.stringify(moment);
console.log(process.env.TZ, written);
assert.equal(written, expected);
assert.equal(HL7Date.parse(written).toISOString(), moment.toISOString());
if (elsewhere) {
  const read = HL7Date.parse(elsewhere).toISOString();
  console.log('read in', process.env.TZ, elsewhere, 'is', read);
  assert.equal(read, '2024-05-13T19:04:00.000Z');
}
assert.equal(HL7Date.parse('202405131834+0530').toISOString(), moment.toISOString());
JS
TZ=Europe/Berlin node seen.mjs 202405131504+-200
TZ=Asia/Kolkata node seen.mjs 202405131834+-6-30
TZ=Asia/Tokyo node seen.mjs 202405132204+-900
TZ=UTC node seen.mjs 202405131304+0000
TZ=America/St_Johns node seen.mjs 202405131034-0230
TZ=America/New_York node seen.mjs 202405130904-0400 202405131504+-200
