#!/usr/bin/env bash
# FHIRPath's `~` does not mind the order of two collections; that of fhirpath.js does.
#
# Package    fhirpath 5.2.2 (npm; HL7's fhirpath.js) on Node.js
# Expected   `(1 | 2) ~ (2 | 1)` is true: FHIRPath N1, §6.1.2, lets the items of equivalent
#            collections stand in any order (and `=` in the same one alone)
# Seen       it is false, for numbers, strings and parts of a resource
# So         sort before you compare, or ask `a.subsetOf(b) and b.subsetOf(a)`
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts fhirpath@5.2.2 >> npm.log 2>&1
cat > same.js <<'JS'
const fhirpath = require('fhirpath');
const context = require('fhirpath/fhir-context/r4');
const patient = {resourceType: 'Patient', name: [{given: ['Ana', 'Rosa']}, {given: ['Rosa', 'Ana']}]};
for (const expression of [
  '(1 | 2) ~ (1 | 2)',
  '(1 | 2) ~ (2 | 1)',
  "('a' | 'b') ~ ('b' | 'a')",
  'Patient.name[0].given ~ Patient.name[1].given',
  '(1 | 2).subsetOf(2 | 1) and (2 | 1).subsetOf(1 | 2)',
])
  console.log(fhirpath.evaluate(patient, expression, null, context)[0], expression);
JS
seen=$(node same.js)
echo "$seen"
test "$(cut -d' ' -f1 <<< "$seen" | tr '\n' ' ')" = "true false false false true "
