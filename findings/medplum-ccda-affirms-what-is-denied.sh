#!/usr/bin/env bash
# Medplum's reader of C-CDA gives a patient the diabetes that the document says she has not.
#
# Packages   @medplum/ccda 5.1.10 with @medplum/core 5.2.13 (on node 22.23.3 from npm)
# Expected   negationInd="true" turns an entry round. C-CDA on FHIR: a problem is `refuted`, "no known allergies" is
#            the code 716186003 of SNOMED CT, a medicine is not taken (`doNotPerform`, or no resource)
# Seen       negationInd is not read: diabetes is active and confirmed, aspirin an active order, and "no known
#            allergies" a confirmed allergy, to food and without a code. Nothing is raised or told
# So         look for negationInd before you convert, and leave those entries to people
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
        <templateId root="2.16.840.1.113883.10.20.22.2.5.1"/>
        <templateId root="2.16.840.1.113883.10.20.22.2.5.1" extension="2015-08-01"/>
        <code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/>
        <title>Problems</title>
        <text>Problems</text>
        <entry>
          <act classCode="ACT" moodCode="EVN">
            <templateId root="2.16.840.1.113883.10.20.22.4.3"/>
            <templateId root="2.16.840.1.113883.10.20.22.4.3" extension="2015-08-01"/>
            <id root="1.2.6.1"/>
            <code code="CONC" codeSystem="2.16.840.1.113883.5.6"/>
            <statusCode code="active"/>
            <effectiveTime><low value="20200513"/></effectiveTime>
            <entryRelationship typeCode="SUBJ">
              <observation classCode="OBS" moodCode="EVN" negationInd="true">
                <templateId root="2.16.840.1.113883.10.20.22.4.4"/>
                <templateId root="2.16.840.1.113883.10.20.22.4.4" extension="2015-08-01"/>
                <id root="1.2.6.2"/>
                <code code="55607006" codeSystem="2.16.840.1.113883.6.96"/>
                <statusCode code="completed"/>
                <effectiveTime><low value="20200513"/></effectiveTime>
                <value xsi:type="CD" code="73211009" codeSystem="2.16.840.1.113883.6.96"
                  displayName="Diabetes mellitus"/>
              </observation>
            </entryRelationship>
          </act>
        </entry>
      </section>
    </component>
    <component>
      <section>
        <templateId root="2.16.840.1.113883.10.20.22.2.1.1"/>
        <templateId root="2.16.840.1.113883.10.20.22.2.1.1" extension="2014-06-09"/>
        <code code="10160-0" codeSystem="2.16.840.1.113883.6.1"/>
        <title>Medications</title>
        <text>Medications</text>
        <entry>
          <substanceAdministration classCode="SBADM" moodCode="EVN" negationInd="true">
            <templateId root="2.16.840.1.113883.10.20.22.4.16"/>
            <templateId root="2.16.840.1.113883.10.20.22.4.16" extension="2014-06-09"/>
            <id root="1.2.4.1" extension="denied"/>
            <statusCode code="active"/>
            <effectiveTime xsi:type="IVL_TS"><low value="20240501"/></effectiveTime>
            <doseQuantity value="1"/>
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
    <component>
      <section>
        <templateId root="2.16.840.1.113883.10.20.22.2.6.1"/>
        <templateId root="2.16.840.1.113883.10.20.22.2.6.1" extension="2015-08-01"/>
        <code code="48765-2" codeSystem="2.16.840.1.113883.6.1"/>
        <title>Allergies</title>
        <text>Allergies</text>
        <entry>
          <act classCode="ACT" moodCode="EVN">
            <templateId root="2.16.840.1.113883.10.20.22.4.30"/>
            <templateId root="2.16.840.1.113883.10.20.22.4.30" extension="2015-08-01"/>
            <id root="1.2.5.1"/>
            <code code="CONC" codeSystem="2.16.840.1.113883.5.6"/>
            <statusCode code="active"/>
            <effectiveTime><low value="20240513"/></effectiveTime>
            <entryRelationship typeCode="SUBJ">
              <observation classCode="OBS" moodCode="EVN" negationInd="true">
                <templateId root="2.16.840.1.113883.10.20.22.4.7"/>
                <templateId root="2.16.840.1.113883.10.20.22.4.7" extension="2014-06-09"/>
                <id root="1.2.5.2"/>
                <code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/>
                <statusCode code="completed"/>
                <effectiveTime><low value="20240513"/></effectiveTime>
                <value xsi:type="CD" code="419199007" codeSystem="2.16.840.1.113883.6.96"
                  displayName="Allergy to substance"/>
                <participant typeCode="CSM">
                  <participantRole classCode="MANU">
                    <playingEntity classCode="MMAT"><code nullFlavor="NA"/></playingEntity>
                  </participantRole>
                </participant>
              </observation>
            </entryRelationship>
          </act>
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
const one = (type) => bundle.entry.map((entry) => entry.resource).find((found) => found.resourceType === type);
const code = (concept) => concept?.coding?.[0]?.code;

const problem = one('Condition');
console.log('Condition', problem.code.text, code(problem.clinicalStatus), code(problem.verificationStatus));
assert.equal(problem.code.text, 'Diabetes mellitus');
assert.deepEqual([code(problem.clinicalStatus), code(problem.verificationStatus)], ['active', 'confirmed']);

const order = one('MedicationRequest');
console.log('MedicationRequest', order.medicationCodeableConcept.text, order.status, order.doNotPerform);
assert.equal(order.medicationCodeableConcept.text, 'aspirin');
assert.deepEqual([order.status, order.intent, order.doNotPerform], ['active', 'order', undefined]);

const allergy = one('AllergyIntolerance');
console.log('AllergyIntolerance', allergy.category, allergy.code, code(allergy.verificationStatus));
assert.deepEqual([allergy.category, allergy.code], [['food'], undefined]);
assert.equal(code(allergy.verificationStatus), 'confirmed');
JS
node_modules/node/bin/node seen.mjs
