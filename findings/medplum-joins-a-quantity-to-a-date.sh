#!/usr/bin/env bash
# FHIRPath of Medplum's client library joins a quantity to a date as two texts.
#
# Package    @medplum/core 5.2.13 (on node 22.23.3 from npm)
# Expected   a date, a day or a month later (FHIRPath, Date/Time Arithmetic), or an error that says
#            that this is not supported
# Seen       "2024-01-31" and one month give "2024-01-311". What comes out has the type of a text, and is
#            no date; nothing is raised, and a comparison with it goes on and gives an answer
# So         reckon with dates in code, and give the expression a finished one (a variable)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @medplum/core@5.2.13
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { evalFhirPath } from '@medplum/core';

const session = { resourceType: 'Encounter', period: { start: '2024-05-13T15:04:00-04:00' } };
const seen = (expression) => {
  const [value] = evalFhirPath(expression, session);
  console.log(expression.padEnd(44), value);
  return value;
};
assert.equal(seen('@2024-01-31 + 1 month'), '2024-01-311');
assert.equal(seen('period.start + 1 day'), '2024-05-13T15:04:00-04:001');
assert.equal(seen("@2024-05-13 + 1 'mo'"), '2024-05-131');
// Three days after the afternoon of the 13th is not before its evening.
assert.equal(seen('period.start + 3 days < @2024-05-13T20:00:00Z'), true);
JAVASCRIPT
node_modules/node/bin/node seen.mjs
