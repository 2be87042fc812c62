#!/usr/bin/env bash
# tiny-hl7 reads the second number of a patient as a part of the first one.
#
# Package    tiny-hl7 1.0.7 (on node 22.23.3 from npm), HL7 v2 as an object of addresses
# Expected   ~ parts the repetitions of a field (HL7 v2.5, §2.5.3): PID-3 `123^^^A^MR~456^^^B^SS` are two numbers, and
#            MR is the type of the first. Escapes are undone once, from left to right: `\E\T\E\` is the text \T\ (§2.7)
# Seen       ~ is a letter like others. PID.3.5, the type of the number, is "MR~456", and PID.3.9 is SS; the number of a
#            phone is "5550111~" and its mail address lies at PID.13.10, behind the last component of the type. With one
#            repetition it is right. `\E\T\E\` becomes \E&E\, as each escape is looked for on its own, and \R\ stays as
#            it is
# So         split fields at ~ yourself before it parses them, or read with another library
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 tiny-hl7@1.0.7
cat >seen.cjs <<'JAVASCRIPT'
const assert = require('node:assert');
const { parse, serialize } = require('tiny-hl7');

const head = 'MSH|^~\\&|LAB|CLINIC|EHR|CLINIC|20240513150400||ADT^A08|1|P|2.5';
const read = (...segments) => parse([head, ...segments].join('\r'));
const numbers = '123^^^A^MR~456^^^B^SS';
const phones = '^PRN^PH^^1^207^5550111~^NET^Internet^ana@example.com';
const [, patient] = read(`PID|1||${numbers}||Doe^Ana||19800101|F|||||${phones}`);
console.log(JSON.stringify(patient));
assert.equal(patient['PID.3.1'], '123');
assert.equal(patient['PID.3.5'], 'MR~456');
assert.equal(patient['PID.3.9'], 'SS');
assert.equal(patient['PID.13.7'], '5550111~');
assert.equal(patient['PID.13.10'], 'ana@example.com');
const [, alone] = read('PID|1||123^^^A^MR||Doe^Ana');
assert.equal(alone['PID.3.5'], 'MR');

const [, result] = read('OBX|1|TX|8||\\E\\T\\E\\ and \\R\\');
console.log(JSON.stringify(result['OBX.5']));
assert.equal(result['OBX.5'], '\\E&E\\ and \\R\\');
JAVASCRIPT
node_modules/node/bin/node seen.cjs
