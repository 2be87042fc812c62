#!/usr/bin/env bash
# Medplum's reader of C-CDA takes milligrams for international units.
#
# Packages   @medplum/ccda 5.1.10 with @medplum/core 5.2.13 (on node 22.23.3 from npm)
# Expected   doseQuantity of 10 mg is 10 mg; a dose from 1 to 2 is a range; `low` of 20240501 is the day 2024-05-01
# Seen       each dose is in [IU], whatever unit stands there: ten milligrams become ten international units, two
#            tablets two units. A range has no number at all (JSON has null for it), and the day is its midnight
#            in UTC: the evening before in America. Results and vital signs keep their units. Nothing is raised
# So         take dose and day from the document itself, and compare each MedicationRequest with its narrative
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund node@22.23.3 @medplum/core@5.2.13 \
    @medplum/ccda@5.1.10 --legacy-peer-deps >>npm.log 2>&1
cat >summary.xml <<'XML'
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="US"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
  <templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2015-08-01"/>
  <id root="1.2.3.4" extension="doc1"/>
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>
  <title>Summary</title>
  <effectiveTime value="20240513150400-0400"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="en-US"/>
  <recordTarget>
    <patientRole>
      <id root="1.2.3.5" extension="123"/>
      <patient>
        <name use="L"><given>Ana</given><family>Doe</family></name>
        <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="19800102"/>
      </patient>
    </patientRole>
  </recordTarget>
  <author>
    <time value="20240513150400-0400"/>
    <assignedAuthor>
      <id root="2.16.840.1.113883.4.6" extension="1234567893"/>
      <assignedPerson><name><given>Bo</given><family>Ray</family></name></assignedPerson>
    </assignedAuthor>
  </author>
  <custodian>
    <assignedCustodian>
      <representedCustodianOrganization>
        <id root="1.2.3.6"/>
        <name>Clinic</name>
      </representedCustodianOrganization>
    </assignedCustodian>
  </custodian>
  <component><structuredBody>
    <component>
      <section>
        <templateId root="2.16.840.1.113883.10.20.22.2.1.1"/>
        <templateId root="2.16.840.1.113883.10.20.22.2.1.1" extension="2014-06-09"/>
        <code code="10160-0" codeSystem="2.16.840.1.113883.6.1"/>
        <title>Medications</title>
        <text>Medications</text>
        <entry>
          <substanceAdministration classCode="SBADM" moodCode="EVN">
            <templateId root="2.16.840.1.113883.10.20.22.4.16"/>
            <templateId root="2.16.840.1.113883.10.20.22.4.16" extension="2014-06-09"/>
            <id root="1.2.4.1" extension="known"/>
            <statusCode code="active"/>
            <effectiveTime xsi:type="IVL_TS"><low value="20240501"/></effectiveTime>
            <effectiveTime xsi:type="PIVL_TS" operator="A"><period value="8" unit="h"/></effectiveTime>
            <doseQuantity value="10" unit="mg"/>
            <consumable>
              <manufacturedProduct classCode="MANU">
                <templateId root="2.16.840.1.113883.10.20.22.4.23"/>
                <templateId root="2.16.840.1.113883.10.20.22.4.23" extension="2014-06-09"/>
                <manufacturedMaterial>
                  <code code="17767" codeSystem="2.16.840.1.113883.6.88" displayName="amlodipine"/>
                </manufacturedMaterial>
              </manufacturedProduct>
            </consumable>
          </substanceAdministration>
        </entry>
        <entry>
          <substanceAdministration classCode="SBADM" moodCode="EVN">
            <templateId root="2.16.840.1.113883.10.20.22.4.16"/>
            <templateId root="2.16.840.1.113883.10.20.22.4.16" extension="2014-06-09"/>
            <id root="1.2.4.1" extension="range"/>
            <statusCode code="active"/>
            <effectiveTime xsi:type="IVL_TS"><low value="20240501"/></effectiveTime>
            <effectiveTime xsi:type="PIVL_TS" operator="A"><period value="6" unit="h"/></effectiveTime>
            <doseQuantity><low value="1"/><high value="2"/></doseQuantity>
            <consumable>
              <manufacturedProduct classCode="MANU">
                <templateId root="2.16.840.1.113883.10.20.22.4.23"/>
                <templateId root="2.16.840.1.113883.10.20.22.4.23" extension="2014-06-09"/>
                <manufacturedMaterial>
                  <code code="1191" codeSystem="2.16.840.1.113883.6.88" displayName="aspirin"/>
                </manufacturedMaterial>
              </manufacturedProduct>
            </consumable>
          </substanceAdministration>
        </entry>
      </section>
    </component>
  </structuredBody></component>
</ClinicalDocument>
XML
cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { convertCcdaToFhir, convertXmlToCcda } from '@medplum/ccda';

const bundle = convertCcdaToFhir(convertXmlToCcda(readFileSync('summary.xml', 'utf8')));
const orders = bundle.entry
  .map((entry) => entry.resource)
  .filter((found) => found.resourceType === 'MedicationRequest');
const seen = orders.map((order) => [
  order.medicationCodeableConcept.text,
  order.dosageInstruction[0].doseAndRate?.[0].doseQuantity,
  order.dispenseRequest.validityPeriod.start,
]);
console.log(JSON.stringify(seen, null, 1));
const units = (value) => ({ system: 'http://unitsofmeasure.org', value, code: '[IU]', unit: '[IU]' });
assert.deepEqual(seen, [
  ['amlodipine', units(10), '2024-05-01T00:00:00Z'],
  ['aspirin', units(NaN), '2024-05-01T00:00:00Z'],
]);
JS
node_modules/node/bin/node seen.mjs
