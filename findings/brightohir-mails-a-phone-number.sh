#!/usr/bin/env bash
# brightohir makes an area code a mail address, and puts the state where the town should be.
#
# Package    brightohir 2.1.2 (with hl7apy 1.3.5), HL7 v2 to FHIR R5 and between R4 and R5
# Expected   as HL7's v2-to-FHIR guide has it: XTN.6 and XTN.7 are a phone's area code and number, XAD.3 to XAD.5
#            town, state and postal code; PV1-44 with -0400 keeps its offset; a visit with a discharge (PV1-45) is
#            over; an R4 Encounter that is finished is `completed` in R5, and its period `actualPeriod`
# Seen       `^PRN^PH^^1^207^5550111` is the mail address "207", a mail address behind NET the phone "NET". An
#            address is read one component late: town "ME", state "04101", no postal code. The visit starts at
#            15:00 without an offset, which FHIR forbids, and is in progress after its end. From R4 to R5 the status
#            and the name of the period stay R4's. Nothing is raised or told
# So         convert by a map of your own, and validate what comes out before it is stored
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check brightohir==2.1.2 hl7apy==1.3.5
"$folder/venv/bin/python" - <<'PYTHON'
from brightohir import r4_to_r5, v2_to_r5

PHONE, MAIL = "^PRN^PH^^1^207^5550111", "^NET^Internet^ana@example.org"


def converted(telecom: str) -> dict[str, dict]:
    segments = (
        "MSH|^~\\&|A|B|C|D|20240513150400-0400||ADT^A03^ADT_A03|1|P|2.5",
        "EVN||20240513150400-0400",
        f"PID|1||123^^^Y^MR||Doe^Ana||19800102|F|||1 Main Street^^Town^ME^04101||{telecom}",
        f"PV1|1|O{'|' * 17}V1{'|' * 25}20240513150000-0400|20240513160000-0400",
    )
    bundle = v2_to_r5("\r".join(segments) + "\r")
    return {one["resource"]["resourceType"]: one["resource"] for one in bundle["entry"]}


def shown(name: str, found: object) -> object:
    print(f"{name:10}", found)
    return found


found = converted(PHONE)
patient, visit = found["Patient"], found["Encounter"]
[phone] = shown("phone", patient["telecom"])
assert (phone["system"], phone["value"]) == ("email", "207"), phone
[mail] = shown("mail", converted(MAIL)["Patient"]["telecom"])
assert (mail["system"], mail["value"]) == ("phone", "NET"), mail
[address] = shown("address", patient["address"])
assert (address["city"], address["state"]) == ("ME", "04101"), address
assert "postalCode" not in address
period = shown("visit", (visit["status"], visit["actualPeriod"]))
assert period == (
    "in-progress",
    {"start": "2024-05-13T15:00:00", "end": "2024-05-13T16:00:00"},
), period
session = {
    "resourceType": "Encounter",
    "status": "finished",
    "class": {"code": "AMB"},
    "period": {"start": "2024-05-13T15:00:00-04:00"},
}
newer = shown("R4 to R5", r4_to_r5(session))
assert (newer["status"], "period" in newer) == ("finished", True), newer
assert "actualPeriod" not in newer
PYTHON
