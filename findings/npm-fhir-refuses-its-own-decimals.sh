#!/usr/bin/env bash
# The npm package fhir turns an XML decimal into a JSON string, and its own validator then refuses it.
#
# Package    fhir 4.12.0 (npm)
# Expected   <value value="1.10"/> of a Quantity becomes the JSON number 1.10, or 1.1, as an integer
#            beside it becomes a number
# Seen       it becomes the text "1.10", while valueInteger is a number; the validator of the same
#            package says of that resource that a number was expected
# So         send XML to the server as it is; where it has to be JSON, convert it with something else
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit fhir@4.12.0
node - <<'JS'
const assert = require("assert");
const { Fhir } = require("fhir");
const fhir = new Fhir();
const weighed = fhir.xmlToObj(
  '<Observation xmlns="http://hl7.org/fhir"><status value="final"/>' +
  '<code><text value="weight"/></code><valueQuantity><value value="1.10"/></valueQuantity></Observation>');
const counted = fhir.xmlToObj(
  '<Observation xmlns="http://hl7.org/fhir"><status value="final"/>' +
  '<code><text value="parity"/></code><valueInteger value="3"/></Observation>');
console.log("decimal ->", JSON.stringify(weighed.valueQuantity), " integer ->", JSON.stringify(counted.valueInteger));
assert.strictEqual(weighed.valueQuantity.value, "1.10");
assert.strictEqual(counted.valueInteger, 3);
const told = fhir.validate(weighed).messages.filter((one) => one.severity === "error");
console.log("its validator:", told.map((one) => `${one.location}: ${one.message}`));
assert.ok(told.some((one) => one.location === "Observation.valueQuantity.value"));
JS
