#!/usr/bin/env bash
# openx12 gives a payment the day of its file, and a service none.
#
# Package    openx12 0.2.1, 835 (claim payment) of 005010X221A1
# Expected   `payment_date` is the day on which the check was issued or the transfer takes effect (BPR16),
#            `payment_method` how the money moves (BPR04: ACH, CHK); a line's `service_date` is the second element of
#            its DTM*472
# Seen       the date is that of the interchange (ISA09), six digits of it, whenever the money comes; the method is
#            BPR01, which tells what to do with the transaction (I: remittance information only). DTM is looked up one
#            element late, where a time stands if anything: no claim and no line has a date. Amounts and adjustments
#            are right. Nothing is raised
# So         take dates from `segments` of the same result, where each element is as it came
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check openx12==0.2.1
cat >seen.py <<'PYTHON'
from openx12 import x835

BODY = (
    "ST*835*0001",
    "BPR*I*80*C*ACH*CCP*01*011000015*DA*123456*1512345678**01*011000015*DA*654321*20240603",
    "TRN*1*12345*1512345678",
    "N1*PR*PAYER",
    "N3*1 MAIN STREET",
    "N4*TOWN*ME*04101",
    "PER*BL*ANA DOE*TE*2075550112",
    "N1*PE*CLINIC*XX*1234567893",
    "LX*1",
    "CLP*7722337*1*100*80*20*12*119932404007801",
    "NM1*QC*1*DOE*ANA****MI*123456",
    "DTM*050*20240412",
    "SVC*HC:99213*100*80**1",
    "DTM*472*20240324",
    "CAS*PR*2*20",
)
FILE = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         "
    "*240513*1504*^*00501*000000001*0*P*:",
    "GS*HP*PAYER*CLINIC*20240513*1504*1*X*005010X221A1",
    *BODY,
    f"SE*{len(BODY) + 1}*0001",
    "GE*1*1",
    "IEA*1*000000001",
)
remittance = x835.parse("".join(f"{one}~" for one in FILE))
summary = remittance.summary()
print("paid on", summary["payment_date"], "by", summary["payment_method"])
assert (summary["payment_date"], summary["payment_method"]) == ("240513", "I"), summary
assert (summary["total_paid"], summary["total_patient_responsibility"]) == (80.0, 20.0), summary
[claim] = remittance.claims
[line] = claim["services"]
dated = [name for name in (*claim, *line) if "date" in name]
print("dates of the claim and its line:", dated)
assert not dated, (claim, line)
assert line["adjustments"][0]["amount"] == 20.0, line
PYTHON
venv/bin/python seen.py
