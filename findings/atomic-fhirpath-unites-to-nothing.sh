#!/usr/bin/env bash
# A FHIRPath library for TypeScript loses both sides of a union that is written as a function.
#
# Package    @atomic-ehr/fhirpath 0.1.4 (on node 22.23.3 from npm)
# Expected   a.union(b) is a | b (FHIRPath, Combining), b being looked up where the expression stands
# Seen       with the operator: whoever took part, and the patient. With the function: nothing, not even what
#            stood on the left; no error. Sides that are written as values (1 | 2) are united rightly, and
#            combine() with the same sides has them all. Beside that, -7 div 2 is -4 and 2024-02-30 converts
#            to a date
# So         write | in whatever is to run there, searches and views of SQL on FHIR included
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @atomic-ehr/fhirpath@0.1.4
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { evaluate } from '@atomic-ehr/fhirpath';

const session = {
  resourceType: 'Encounter',
  subject: { reference: 'Patient/mia' },
  participant: [{ individual: { reference: 'Practitioner/park' } }],
};
const seen = async (expression) => {
  const found = await evaluate(expression, { input: session });
  console.log(expression.padEnd(66), JSON.stringify(found));
  return found;
};
const both = ['Practitioner/park', 'Patient/mia'];
assert.deepEqual(await seen('participant.individual.reference | subject.reference'), both);
assert.deepEqual(await seen('participant.individual.reference.combine(subject.reference)'), both);
assert.deepEqual(await seen('participant.individual.reference.union(subject.reference)'), []);
assert.deepEqual(await seen('participant.individual.union(subject).reference'), []);
assert.deepEqual(await seen('(1 | 2).union(2 | 3)'), [1, 2, 3]);
assert.deepEqual(await seen('-8 div 2'), [-4]);
assert.deepEqual(await seen('(-7) div 2'), [-4]);
assert.deepEqual(await seen("'2024-02-30'.convertsToDate()"), [true]);
JAVASCRIPT
node_modules/node/bin/node seen.mjs
