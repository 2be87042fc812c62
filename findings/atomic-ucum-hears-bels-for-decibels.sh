#!/usr/bin/env bash
# A UCUM library for TypeScript takes decibels of sound for bels, and a rate of cooling for a temperature.
#
# Package    @atomic-ehr/ucum 0.2.5 (on node 22.23.3 from npm)
# Expected   60 dB[SPL], a voice in a room, are 0.02 Pa; and Cel/h, which UCUM leaves undefined (a unit with a
#            zero of its own may not be multiplied), is refused or has the size of K/h
# Seen       60 dB[SPL] are 1e+24 Pa: the prefix is let go, so they are 60 bels. 6 B[SPL], the same level, are
#            0.01 Pa: the reference of 20 µPa is taken for 10. Plain dB and B are right. 0.2 Cel/h are more than
#            273 K/h: the zero of the scale is added to a rate. validate() finds each of these units valid, and
#            none raises
# So         turn levels into pascal by hand, and write rates and capacities with K
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @atomic-ehr/ucum@0.2.5
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { ucum } from '@atomic-ehr/ucum';

const converted = (value, from, to) => {
  assert.equal(ucum.validate(from).valid, true);
  const seen = ucum.convert(value, from, to);
  console.log(`${value} ${from}`.padEnd(24), '=', seen, to);
  return seen;
};
const near = (seen, value) => assert.ok(Math.abs(seen - value) < 1e-3 * Math.abs(value), `${seen}`);

near(converted(60, 'dB', 'B'), 6);
near(converted(37, 'Cel', 'K'), 310.15);
near(converted(60, 'dB[SPL]', 'Pa'), 1e24);
near(converted(6, 'B[SPL]', 'Pa'), 0.01);
near(converted(20, 'dB[V]', 'V'), 1e9);
near(converted(0.2, 'Cel/h', 'K/h'), 273.2);
near(converted(40, 'kcal/(m2.h.Cel)', 'kcal/(m2.h.K)'), 46762.04);
console.log('60 dB[SPL], by hand:', 20e-6 * 10 ** (60 / 20), 'Pa');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
