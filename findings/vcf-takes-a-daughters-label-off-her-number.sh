#!/usr/bin/env bash
# The npm package vcf renames the label that a phone gives to a number, and leaves backslashes in what it reads.
#
# Package    vcf 2.1.2 (npm), vCard and jCard
# Expected   the name of a property means the same in upper and lower case (RFC 6350, §3.3), so that X-ABLabel, which
#            Apple's phones write for "daughter", is written again as X-ABLABEL at most. \, \; and \n are a comma, a
#            semicolon and a new line of the text (§3.4; RFC 2426, §4), which jCard holds as JSON strings without that
#            escaping, the parts of ORG and the values of CATEGORIES each on its own (RFC 7095, §3.3)
# Seen       X-ABLabel comes out as X-AB-LABEL and in jCard as "xAbLabel", which no reader knows: that the number is the
#            daughter's is lost. A note in jCard reads "5 mg\; twice\n1\,5 ml" with each backslash in it, and ORG and
#            CATEGORIES are one text. TEL and N are right. Nothing is raised
# So         read a label by its group (item1) from the lines, and take backslashes out of each value
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts vcf@2.1.2 >>npm.log 2>&1
cat >seen.cjs <<'JS'
const assert = require('node:assert/strict');
const Card = require('vcf');

const lines = [
  'BEGIN:VCARD',
  'VERSION:3.0',
  'N:Wong;Mia;;;',
  'FN:Mia Wong',
  'item1.TEL:+1 617 555 0101',
  'item1.X-ABLabel:daughter',
  String.raw`NOTE:5 mg\; twice\n1\,5 ml`,
  'ORG:Clinic;Ward 5',
  'CATEGORIES:patient,adult',
  'END:VCARD',
  '',
];
const card = new Card().parse(lines.join('\r\n'));
const written = card.toString('3.0').split(/\r?\n/);
console.log(written.filter((line) => line.startsWith('item1')).join(' | '));
assert.ok(written.includes('item1.TEL:+1 617 555 0101'));
assert.ok(written.includes('item1.X-AB-LABEL:daughter'));
assert.ok(!written.some((line) => /x-ablabel/i.test(line)));
const values = Object.fromEntries(card.toJSON()[1].map(([name, , , ...rest]) => [name, rest]));
console.log(JSON.stringify(values));
assert.deepEqual(values.n, [['Wong', 'Mia', '', '', '']]);
assert.deepEqual(values.xAbLabel, ['daughter']);
assert.deepEqual(values.note, [String.raw`5 mg\; twice\n1\,5 ml`]);
assert.deepEqual([values.org, values.categories], [['Clinic;Ward 5'], ['patient,adult']]);
console.log('OK: as described');
JS
node seen.cjs
