#!/usr/bin/env bash
# simple-hl7 has no number for a patient who has two, and one letter for a family name.
#
# Package    simple-hl7 3.3.0 (on node 22.23.3 from npm), HL7 v2 parsed, written and served
# Expected   a field that has become a repeating one means in its first repetition what it meant before, and so does a
#            component that has got subcomponents in its first one (HL7 v2.3, §2.10.2 c): of PID-3 with two numbers,
#            getComponent(3, 1) is the first of them, and the first subcomponent of the family name WONG is WONG
# Seen       with two numbers (or two phones) each component is an empty text, as if nothing had been sent; getField has
#            both. The first subcomponent of WONG is W, its second O; of WONG&VAN it is WONG. setComponent changes the
#            number of a patient who has one, and of one who has two nothing. Nothing is raised
# So         take a repetition by getField(3, 1) and part it yourself; ask for no subcomponent before you have seen &
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 simple-hl7@3.3.0
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { createRequire } from 'node:module';

const { Parser } = createRequire(import.meta.url)('simple-hl7');
const HEADER = 'MSH|^~\\&|HIS|WARD|SMS|CLINIC|20240513150400-0400||ADT^A08^ADT_A01|1|P|2.5';
const patient = (numbers, name, phones) => {
  const lines = [HEADER, `PID|1||${numbers}||${name}||19800101|F|||||${phones}`];
  return new Parser().parse(lines.join('\r')).getSegment('PID');
};
const look = (title, found, expected) => {
  console.log(title.padEnd(44), JSON.stringify(found));
  assert.equal(found, expected);
};
const NUMBER = '123^^^WARD^MR';
const NUMBERS = `${NUMBER}~987654321^^^SSA^SS`;
const one = patient(NUMBER, 'WONG^MIA', '^PRN^CP^^1^617^5550100');
const two = patient(NUMBERS, 'WONG&VAN^MIA', '^PRN^CP^^1^617^5550100~^WPN^PH^^1^617^5550199');
look('number, of one', one.getComponent(3, 1), '123');
look('number, of two', two.getComponent(3, 1), '');
look('its type, of two', two.getComponent(3, 5), '');
look('the first of two, as a field', two.getField(3, 1), NUMBER);
look('area code, of one phone', one.getComponent(13, 6), '617');
look('area code, of two phones', two.getComponent(13, 6), '');
look('family name', one.getComponent(5, 1), 'WONG');
look('family name, first subcomponent', one.getComponent(5, 1, 1), 'W');
look('family name, second subcomponent', one.getComponent(5, 1, 2), 'O');
look('first subcomponent of WONG&VAN', two.getComponent(5, 1, 1), 'WONG');
one.setComponent(3, 1, '124');
two.setComponent(3, 1, '124');
look('changed, of one', one.getField(3), '124^^^WARD^MR');
look('changed, of two', two.getField(3), NUMBERS);
console.log('OK: as described');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
