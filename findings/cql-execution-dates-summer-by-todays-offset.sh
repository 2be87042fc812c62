#!/usr/bin/env bash
# cql-execution gives a day in summer the offset that the clock has when it is run.
#
# Packages   cql-execution 3.3.2 (npm), Node's own mock of the clock, TZ=America/New_York
# Expected   a date or time without an offset is one of the machine's zone: `2026-05-01` in New York
#            is at -04:00, whenever a measure is computed
# Seen       it takes the offset of the moment of evaluation, as CQL 1.5 has it ("the timezone offset
#            of the evaluation request timestamp"). Computed in July, May ends at midnight in New
#            York; computed in November, at one o'clock, and an encounter of 1 June, 00:30, is in May
# So         give the period of a measure with offsets, those of its own two days, and write `sent` and
#            `period` with offsets (as Threadwell does). The same data, measure and period give other
#            counts in winter
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts cql-execution@3.3.2 >> npm.log 2>&1
cat > period.cjs <<'JS'
const assert = require('node:assert/strict');
const { mock } = require('node:test');

const [computed, offset, isIn] = process.argv.slice(2);
mock.timers.enable({ apis: ['Date'], now: new Date(`${computed}T12:00:00Z`) });
const { DateTime, Interval } = require('cql-execution');

const session = DateTime.parse('2026-06-01T00:30:00.000-04:00');
const may = (offset) => [
  DateTime.parse(`2026-05-01T00:00:00.000${offset}`),
  DateTime.parse(`2026-05-31T23:59:59.999${offset}`),
];
const seen = [...may('').map(String), new Interval(...may('')).contains(session)];
console.log('computed on', computed, ...seen);
assert.deepEqual(seen, [...may(offset).map(String), isIn === 'in']);
assert.equal(new Interval(...may('-04:00')).contains(session), false);
JS
export TZ=America/New_York
node period.cjs 2026-07-15 -04:00 out
node period.cjs 2026-11-15 -05:00 in
