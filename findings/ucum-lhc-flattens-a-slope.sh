#!/usr/bin/env bash
# The UCUM library of the National Library of Medicine makes a treadmill's incline nearly flat.
#
# Package    @lhncbc/ucum-lhc 7.1.10 (on node 22.23.3 from npm)
# Expected   100 %[slope] are 45 degrees: UCUM's table has this unit as a hundred times the tangent of an
#            angle in degrees. 10 %, as a stress test climbs, are 5.71 degrees
# Seen       0.785 and 0.0997 degrees. The arc tangent comes in radians, and is then taken for degrees. The
#            other way, 45 degrees are a slope of 162 %. The status is "succeeded", without a message. A degree
#            Réaumur is off by its zero (2 of them are 70.8 Cel instead of 2.5)
# So         reckon a slope by the tangent; of special units rely on Cel, [degF], B and Np alone
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @lhncbc/ucum-lhc@7.1.10
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import ucum from '@lhncbc/ucum-lhc';

const units = ucum.UcumLhcUtils.getInstance();
const converted = (value, from, to) => {
  const answer = units.convertUnitTo(from, value, to);
  assert.equal(answer.status, 'succeeded');
  console.log(`${value} ${from}`.padEnd(14), '=', answer.toVal, to);
  return answer.toVal;
};
const near = (seen, value) => assert.ok(Math.abs(seen - value) < 1e-3 * Math.abs(value), `${seen}`);

near(converted(37, 'Cel', '[degF]'), 98.6);
near(converted(100, '%[slope]', 'deg'), 0.7854);
near(converted(10, '%[slope]', 'deg'), 0.09967);
near(converted(45, 'deg', '%[slope]'), 161.98);
near(converted(2, '[degRe]', 'Cel'), 70.7875);
console.log('10 %, by the arc tangent:', (Math.atan(0.1) * 180) / Math.PI, 'deg');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
