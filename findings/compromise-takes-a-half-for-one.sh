#!/usr/bin/env bash
# compromise takes half a tablet for one, 1,5 mg for 15, and a T-score of -2.5 for 2.5.
#
# Package    compromise 14.17.0 (on node 22.23.3 from npm), English text: its numbers with their units
# Expected   numbers() gives the number that is written, as it does for "one and a half", "minus two point five" and 5 1/2, or
#            leaves out what it cannot read, as it does with ½. 1,5 is one and a half to most who write it, and no number
#            to the rest, whose commas stand before three digits
# Seen       1/2 is 1, and "/2" a suffix, while 1 1/2 is 1.5; "one half" is 1 as well. A comma is taken out, wherever it
#            stands: 1,5 mg is 15 mg, 38,5 is 385, and 0,5 mg is 5 mg. The sign of -2.5 is a prefix, and the number 2.5. 1 000
#            mg is 1, and 0 mg. Nothing is raised
# So         look at the prefix and the suffix of each number, and ask a person where a comma has one or two digits behind it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 compromise@14.17.0
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import nlp from 'compromise';

const look = (text, ...expected) => {
  const found = nlp(text).numbers().json().map(({ number }) => [number.num, number.unit]);
  console.log(text.padEnd(32), ...found.map(([number, unit]) => `${number} ${unit}`.trim()));
  assert.deepEqual(found, expected);
};
look('take 1 1/2 tablets', [1.5, '']);
look('take one and a half tablets', [1.5, '']);
look('take 1/2 tablet', [1, '']);
look('take one half tablet', [1, '']);
look('take 1/4 tablet at night', [1, '']);
look('take ½ tablet');
look('took 1.5 mg', [1.5, 'mg']);
look('took 1,5 mg', [15, 'mg']);
look('took 0,5 mg', [5, 'mg']);
look('fever of 38,5', [385, '']);
look('took 1,500 mg', [1500, 'mg']);
look('took 1 000 mg', [1, ''], [0, 'mg']);
look('T-score minus two point five', [-2.5, '']);
look('T-score -2.5', [2.5, '']);
const [{ number: { prefix } }] = nlp('T-score -2.5').numbers().json();
const [{ number: { suffix } }] = nlp('take 1/2 tablet').numbers().json();
assert.deepEqual([prefix, suffix], ['-', '/2']);
console.log('OK: as described');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
