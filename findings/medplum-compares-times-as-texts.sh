#!/usr/bin/env bash
# FHIRPath of Medplum's client library compares the texts of two times, and not the times.
#
# Package    @medplum/core 5.2.13 (on node 22.23.3 from npm)
# Expected   times with different offsets are compared as instants (FHIRPath, Comparison): half past
#            one in Berlin is before ten past midnight in UTC
# Seen       "<" and "<=" go by the letters. A literal is turned to UTC first and an element is not, so
#            that a session also lies on the wrong side of a moment written in its own offset. `=` is
#            right for two literals, and wrong for an element beside a literal
# So         write times of one resource in one offset; turn what is compared to UTC before
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @medplum/core@5.2.13
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { evalFhirPath } from '@medplum/core';

const session = {
  resourceType: 'Encounter',
  period: { start: '2024-05-14T01:30:00+02:00', end: '2024-05-14T00:10:00Z' },
};
const seen = (expression) => {
  const [value] = evalFhirPath(expression, session);
  console.log(expression.padEnd(48), value);
  return value;
};
// 23:30 UTC of the 13th is before 00:10 UTC of the 14th: the rule of every Period seems broken.
assert.equal(seen('period.start <= period.end'), false);
// 01:30 is after midnight in the same offset, and before three.
assert.equal(seen('period.start < @2024-05-14T00:00:00+02:00'), false);
assert.equal(seen('period.start < @2024-05-14T03:00:00+02:00'), false);
assert.equal(seen('@2024-05-14T01:30:00+02:00 < @2024-05-14T03:00:00+02:00'), true);
assert.equal(seen('period.start = @2024-05-13T23:30:00Z'), false);
JAVASCRIPT
node_modules/node/bin/node seen.mjs
