#!/usr/bin/env bash
# LinuxForHealth's X12 library refuses an 835 that says whom at the payer to call.
#
# Package    linuxforhealth-x12 0.57.0 with pydantic 1.10.27, 835 (claim payment) of 005010X221A1
# Expected   PER of loop 1000A is read: the guide of 5010 requires one with the payer's technical contact (BL), so
#            that each remittance has it; and what `x12()` writes has the numbers that came
# Seen       "value is not a valid list", whether there is one PER or two; then, as the loop was dropped, "SE
#            segment count" is wrong as well, which leads a reader astray. Without PER the file is read, and `x12()`
#            writes other texts for its numbers: 226 becomes 226.00, one unit of service 1.00. The package asks
#            for pydantic without a bound, and fails to be imported with 2
# So         read segments (`X12SegmentReader`) and not models, or take PER out and lower SE01 before
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check linuxforhealth-x12==0.57.0 pydantic==1.10.27
cat >seen.py <<'PYTHON'
from pathlib import Path

from linuxforhealth.x12.io import X12ModelReader, X12SegmentReader
from pydantic import ValidationError

CONTACTS = ("PER*CX**TE*2075550111", "PER*BL*ANA DOE*TE*2075550112")
PAYER = ("N1*PR*PAYER", "N3*1 MAIN STREET", "N4*TOWN*ME*04101")
CLAIM = (
    "N1*PE*CLINIC*XX*1234567893",
    "LX*1",
    "CLP*7722337*1*226*132.5*10*12*119932404007801",
    "CAS*CO*45*83.5",
    "CAS*PR*1*10",
    "NM1*QC*1*DOE*ANA****MI*123456",
    "DTM*232*20240324",
    "SVC*HC:99213*226*132.5**1",
    "DTM*472*20240324",
)


def remittance(*contacts: str) -> str:
    start = ("ST*835*0001", "BPR*I*132.5*C*CHK************20240513", "TRN*1*12345*1512345678")
    body = (*start, "DTM*405*20240513", *PAYER, *contacts, *CLAIM)
    whole = (
        "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         "
        "*240513*1504*^*00501*000000001*0*P*:",
        "GS*HP*PAYER*CLINIC*20240513*1504*1*X*005010X221A1",
        *body,
        f"SE*{len(body) + 1}*0001",
        "GE*1*1",
        "IEA*1*000000001",
    )
    path = Path("remittance.835")
    path.write_text("".join(f"{one}~" for one in whole))
    return str(path)


def read(*contacts: str) -> list[str]:
    with X12ModelReader(remittance(*contacts)) as reader:
        [model] = reader.models()
    return [one.strip() for one in model.x12().split("~")]


for contacts in (CONTACTS[1:], CONTACTS):
    try:
        read(*contacts)
    except ValidationError as error:
        found = [(one["loc"][-1], one["msg"]) for one in error.errors()]
    else:
        raise AssertionError("it was read")
    print(len(contacts), "PER:", found)
    assert found[0] == ("per_segment", "value is not a valid list"), found
    assert found[1][1].startswith("SE segment count"), found
    with X12SegmentReader(remittance(*contacts)) as reader:
        assert sum(name == "PER" for name, _ in reader.segments()) == len(contacts)
written = read()
print("no PER:", written[-5], "and", written[9])
assert "CLP*7722337*1*226.00*132.50*10.00*12*119932404007801" in written, written
assert "SVC*HC:99213*226.00*132.50**1.00" in written, written
PYTHON
venv/bin/python seen.py
