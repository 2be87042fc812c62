#!/usr/bin/env bash
# A maker of patient summaries lists what was refuted, withdrawn or forbidden as what the patient has.
#
# Package    @imranq2/fhirpatientsummary 1.0.45 (on node 22.23.3 from npm), the International Patient Summary out of R4
# Expected   elements that R4 calls modifiers are heeded (R4 §2.1.0.4: isModifier), or the resource is left out: an
#            allergy whose verificationStatus is refuted or entered-in-error, a condition that is refuted, a result that
#            is entered-in-error, a MedicationRequest with doNotPerform (do not give). A dose that stands in doseAndRate
#            and timing is told
# Seen       all of them are in the summary, in the section's list and in its text, with nothing that tells them from
#            the others: latex and peanut are active allergies, epilepsy is a problem, the withdrawn potassium of 7.9 is
#            the newest result, and aspirin is a medicine that the patient takes. The dose of warfarin is an empty cell:
#            only `dosageInstruction.text` is read
# So         take out what the modifiers deny before you hand it a bundle, and write the dose as text
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @imranq2/fhirpatientsummary@1.0.45
cat >seen.cjs <<'JAVASCRIPT'
const assert = require('node:assert');
const { ComprehensiveIPSCompositionBuilder } = require('@imranq2/fhirpatientsummary');

const terms = 'http://terminology.hl7.org/CodeSystem/';
const concept = (system, code, text) => ({ coding: [{ system, code, display: text }], text });
const snomed = (code, text) => concept('http://snomed.info/sct', code, text);
const patient = { resourceType: 'Patient', id: 'p1', gender: 'female', name: [{ family: 'Example' }] };
const who = { reference: 'Patient/p1' };
const allergy = (id, verification, code) => ({
  resourceType: 'AllergyIntolerance', id, patient: who, code, recordedDate: '2026-05-13',
  verificationStatus: concept(`${terms}allergyintolerance-verification`, verification),
  ...(verification === 'entered-in-error' ? {} : {
    clinicalStatus: concept(`${terms}allergyintolerance-clinical`, 'active'),
  }),
});
const condition = (id, verification, code) => ({
  resourceType: 'Condition', id, subject: who, code, recordedDate: '2026-05-13',
  clinicalStatus: concept(`${terms}condition-clinical`, 'active'),
  verificationStatus: concept(`${terms}condition-ver-status`, verification),
});
const order = (id, code, more) => ({
  resourceType: 'MedicationRequest', id, status: 'active', intent: 'order', subject: who,
  medicationCodeableConcept: code, authoredOn: '2026-05-13', ...more,
});
const dose = {
  timing: { repeat: { frequency: 1, period: 2, periodUnit: 'd' } },
  doseAndRate: [{ doseQuantity: { value: 5, unit: 'mg' } }],
};
const potassium = {
  resourceType: 'Observation', id: 'withdrawn', status: 'entered-in-error', subject: who,
  category: [concept(`${terms}observation-category`, 'laboratory', 'Laboratory')],
  code: concept('http://loinc.org', '2823-3', 'Potassium'),
  effectiveDateTime: '2026-05-13T08:30:00-04:00', valueQuantity: { value: 7.9, unit: 'mmol/L' },
};
const resources = [
  patient,
  allergy('penicillin', 'confirmed', snomed('91936005', 'Penicillin')),
  allergy('latex', 'refuted', snomed('300916003', 'Latex')),
  allergy('peanut', 'entered-in-error', snomed('91935009', 'Peanut')),
  condition('pressure', 'confirmed', snomed('38341003', 'Hypertension')),
  condition('epilepsy', 'refuted', snomed('84757009', 'Epilepsy')),
  order('warfarin', snomed('372756006', 'Warfarin'), { dosageInstruction: [dose] }),
  order('aspirin', snomed('387458008', 'Aspirin'), { doNotPerform: true }),
  potassium,
];
const quiet = { ...console, log() {}, info() {}, debug() {} };
const at = new Date('2026-06-01T12:00:00Z');

(async () => {
  const builder = new ComprehensiveIPSCompositionBuilder().setPatient(patient);
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) };
  await builder.readBundleAsync(bundle, 'UTC', false, false, quiet);
  const made = await builder.buildBundleAsync('org', 'Org', 'https://example.com', 'UTC', false, 'p1', at);
  const section = (title) => {
    const found = made.entry[0].resource.section.find((one) => one.title === title);
    const text = found.text.div.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
    console.log(`${title}:`, found.entry.map((one) => one.reference).join(', '), '\n ', text);
    return text;
  };
  assert.match(section('Allergies and Intolerances'), /Active .*Penicillin .*Latex .*Peanut .*Resolved Allergen/);
  assert.match(section('Problem List'), /Epilepsy/);
  assert.match(section('Results Summary'), /Potassium .*7\.9 mmol\/L/);
  const medicines = section('Medication Summary');
  assert.match(medicines, /Request Aspirin 387458008 \(SNOMED CT\) 2026-05-13/);
  assert.match(medicines, /Request Warfarin 372756006 \(SNOMED CT\) 2026-05-13/);
  assert.doesNotMatch(JSON.stringify(section('Allergies and Intolerances')), /refuted|error/i);
})().catch((error) => { console.error(error); process.exit(1); });
JAVASCRIPT
node_modules/node/bin/node seen.cjs
