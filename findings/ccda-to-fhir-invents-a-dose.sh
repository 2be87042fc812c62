#!/usr/bin/env bash
# ccda-to-fhir makes of a dose that nobody knows: one, once a day.
#
# Package    ccda-to-fhir 0.3, C-CDA documents to FHIR R4B
# Expected   what has the nullFlavor UNK in a medication (dose, period, largest dose) is left out, or told by a
#            data-absent-reason: many systems write these elements in each entry and fill none of them
# Seen       `doseQuantity` is 1, the period 1 d, and `maxDosePerPeriod` one to one: whoever reads the resource sees
#            one a day, and at most one. Nothing tells that nobody said so. A dose and a period that are known
#            come right
# So         take elements with a nullFlavor out of the document before it is converted
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check ccda-to-fhir==0.3
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
            <id root="1.2.4.1" extension="unknown"/>
            <statusCode code="active"/>
            <effectiveTime xsi:type="IVL_TS"><low value="20240501"/></effectiveTime>
            <effectiveTime xsi:type="PIVL_TS" operator="A"><period nullFlavor="UNK"/></effectiveTime>
            <doseQuantity nullFlavor="UNK"/>
            <maxDoseQuantity nullFlavor="UNK">
              <numerator nullFlavor="UNK"/>
              <denominator nullFlavor="UNK"/>
            </maxDoseQuantity>
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
cat >seen.py <<'PYTHON'
import logging
from pathlib import Path

from ccda_to_fhir import convert_document

logging.disable()
bundle = convert_document(Path("summary.xml").read_text())["bundle"]
doses = {}
for entry in bundle["entry"]:
    resource = entry["resource"]
    if resource["resourceType"] in ("MedicationRequest", "MedicationStatement"):
        [dose] = resource.get("dosageInstruction") or resource["dosage"]
        [rate] = dose["doseAndRate"]
        name = resource["medicationCodeableConcept"]["text"]
        repeat = dose["timing"]["repeat"]
        most = dose.get("maxDosePerPeriod")
        doses[name] = (rate["doseQuantity"], repeat["period"], repeat["periodUnit"], most)
        print(resource["resourceType"], name, *doses[name])
milligrams = {"system": "http://unitsofmeasure.org", "code": "mg", "unit": "mg", "value": 10}
assert doses["amlodipine"] == (milligrams, 8, "h", None), doses
one = {"value": 1}
assert doses["aspirin"] == (one, 1, "d", {"numerator": one, "denominator": one}), doses
PYTHON
venv/bin/python seen.py
