#!/usr/bin/env bash
# hl7types reads a laboratory's message of HL7 2.7 or later without its results.
#
# Package    hl7types 0.9.5, HL7 v2 as typed models
# Expected   OBX-5 has the value that came, in the type that OBX-2 names; or the message is refused
# Seen       by 2.7, 2.7.1, 2.8 and later OBX-5 is None for each type, a number included: all of the message
#            is there but for the results, and what is written has none. By 2.5 and 2.5.1 a value is kept as one
#            text, and its parts are lost when it is written: the coded `A^Positive^L` leaves as
#            `A\S\Positive\S\L`, and `<^5`, less than five, as `<\S\5`. Nothing is raised or warned of
# So         take OBX-5 out of the text of the message; count the values before and after
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check hl7types==0.9.5
"$folder/venv/bin/python" -W error - <<'PYTHON'
from hl7types import decode_er7, encode_er7

OTHERS = (
    "MSH|^~\\&|A|B|C|D|20240513150400-0400||ORU^R01^ORU_R01|1|P|{version}",
    "PID|1||123^^^Y^MR||Doe^Ana^^^^^L",
    "OBR|1|||718-7^Hemoglobin^LN",
)


def written(version: str, kind: str, value: str) -> str:
    came = (*OTHERS, f"OBX|1|{kind}|718-7^Hemoglobin^LN|1|{value}||||||F")
    message = decode_er7("\r".join(came).format(version=version) + "\r")
    *others, result = encode_er7(message).rstrip("\r").split("\r")
    assert others == [one.format(version=version) for one in OTHERS], others
    found = result.split("|")[5]
    print(f"{version:6} {kind:4} {value:14} is written as {found!r}")
    return found


for version in ("2.7", "2.7.1", "2.8", "2.8.2"):
    for kind, value in (("NM", "13.5"), ("ST", "see note"), ("CWE", "A^Positive^L")):
        assert written(version, kind, value) == ""
for version in ("2.5", "2.5.1"):
    assert written(version, "NM", "13.5") == "13.5"
    assert written(version, "CWE", "A^Positive^L") == r"A\S\Positive\S\L"
    assert written(version, "SN", "<^5") == r"<\S\5"
PYTHON
