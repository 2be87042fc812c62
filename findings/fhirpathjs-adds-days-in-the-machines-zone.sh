#!/usr/bin/env bash
# FHIRPath's `dateTime + 1 day` depends on the zone of the machine in fhirpath.js.
#
# Package    fhirpath 5.2.2 (npm; HL7's fhirpath.js) on Node.js
# Expected   a dateTime with an offset keeps it: `@2026-03-08T01:30:00-05:00 + 1 day` is
#            2026-03-09T01:30:00-05:00 on every machine
# Seen       the time is moved into the machine's zone first, and the day is one of that zone. In New
#            York, where clocks went forward that night, the result is an hour earlier than in Tokyo;
#            `@2024-01-31T23:30:00Z + 1 month` is a day of March in Tokyo, of February elsewhere
# So         evaluate such expressions with TZ=UTC, or compare them by a rule of your own
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts fhirpath@5.2.2 >> npm.log 2>&1
cat > add.js <<'JS'
const fhirpath = require('fhirpath');
const context = require('fhirpath/fhir-context/r4');
for (const expression of ['@2026-03-08T01:30:00-05:00 + 1 day', '@2024-01-31T23:30:00Z + 1 month'])
  console.log(String(fhirpath.evaluate({}, expression, null, context)[0]));
JS
seen=$(for zone in UTC America/New_York Asia/Tokyo; do TZ=$zone node add.js; done)
echo "$seen"
test "$seen" = "2026-03-09T06:30:00-00:00
2024-02-29T23:30:00-00:00
2026-03-09T01:30:00-04:00
2024-02-29T18:30:00-05:00
2026-03-09T15:30:00+09:00
2024-03-01T08:30:00+09:00"
