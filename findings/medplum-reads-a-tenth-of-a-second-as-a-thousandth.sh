#!/usr/bin/env bash
# Medplum's client library reads the fraction of an HL7 v2 time as a count of milliseconds.
#
# Package    @medplum/core 5.2.13 (on node 22.23.3 from npm)
# Expected   `…150400.1` is a tenth of a second past 15:04 (HL7 v2.5, §2.A.22: one to four digits of a
#            fraction), and `2024-0400` the start of that year at four hours behind UTC
# Seen       one digit is 1 ms, two are 10 ms, and four are more than a second: `.9876` gives 15:04:09.876. Of two
#            times within one second the later comes out the earlier. `2024-0400` is a day of 9 January.
#            Three digits, and offsets behind a whole date, are read right. Nothing is raised
# So         fill the fraction up to three digits, or cut it to three, before you parse
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @medplum/core@5.2.13
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { parseHl7DateTime } from '@medplum/core';

const seen = (text, time) => {
  const found = parseHl7DateTime(text);
  console.log(text.padEnd(24), found);
  assert.equal(found, time);
  return found;
};
seen('20240513150400.123-0400', '2024-05-13T19:04:00.123Z');
seen('20240513150400-0330', '2024-05-13T18:34:00.000Z');
const earlier = seen('20240513150400.15-0400', '2024-05-13T19:04:00.015Z');
const later = seen('20240513150400.2-0400', '2024-05-13T19:04:00.002Z');
assert.ok(later < earlier);
seen('20240513150400.9876-0400', '2024-05-13T19:04:09.876Z');
seen('2024', '2024-01-01T00:00:00.000Z');
seen('2024-0400', '2024-01-09T04:00:00.000Z');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
