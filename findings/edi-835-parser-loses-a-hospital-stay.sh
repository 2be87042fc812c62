#!/usr/bin/env bash
# edi-835-parser loses what was paid for a stay in hospital, and each second reason why less was paid.
#
# Package    edi-835-parser 1.8.0, 835 (claim payment) of 005010X221A1 as a data frame
# Expected   a stay that is not paid by the line has no SVC, and each CAS has up to six reasons with their amounts: what a
#            service costs, less CAS03, CAS06, CAS09 and so on, is what is paid for it (X12's answer to request 2348)
# Seen       to_dataframe has a row for each SVC, so that a claim without one is not there: of 8000.00 dollars paid for two
#            claims 100.00 remain. Of CAS*PR*1*30**2*20 the 30.00 of the deductible are there, and the 20.00 of
#            coinsurance are nowhere, also not in the objects; the same goes for CO, and of the modifiers 25 and 59 for 59.
#            A service of 250.00, less what is told, is 130.00, where 100.00 were paid. Nothing is warned of
# So         add up what you have read and compare it with BPR02 and SVC03 before you tell patients what they owe
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check edi-835-parser==1.8.0 pandas==2.3.3
cat >seen.py <<'PYTHON'
import warnings
from pathlib import Path

from edi_835_parser import parse

SEGMENTS = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *240513*1504*^*00501*000000001*0*T*:",
    "GS*HP*PAYER*CLINIC*20240513*1504*1*X*005010X221A1",
    "ST*835*0001",
    "BPR*I*8000*C*ACH*CTX*01*021000021*DA*123456*1512345678**01*011000138*DA*654321*20240515",
    "TRN*1*EFT100*1512345678",
    "DTM*405*20240513",
    "N1*PR*PAYER",
    "N3*PO BOX 9",
    "N4*HARTFORD*CT*061020001",
    "PER*BL*WEB*TE*8605550100",
    "N1*PE*CLINIC*XX*1234567893",
    "LX*1",
    "CLP*STAY1*1*7900*7900**12*ICN1*11*1*470",
    "NM1*QC*1*WONG*MIA****MI*A1",
    "DTM*232*20240501",
    "DTM*233*20240506",
    "CLP*VISIT1*1*250*100*50*12*ICN2*11*1",
    "NM1*QC*1*LEE*BO****MI*A2",
    "SVC*HC:99213:25:59*250*100**1",
    "DTM*472*20240502",
    "CAS*PR*1*30**2*20",
    "CAS*CO*45*90**253*10",
    "SE*21*0001",
    "GE*1*1",
    "IEA*1*000000001",
)
Path("paid.835").write_text("".join(segment + "~" for segment in SEGMENTS))
start = SEGMENTS.index("ST*835*0001")
assert SEGMENTS[start:].index("SE*21*0001") == 20
with warnings.catch_warnings():
    warnings.simplefilter("error")
    read = parse("paid.835")
frame = read.to_dataframe()
print(frame.dropna(axis=1, how="all").T.to_string())
assert list(frame["marker"]) == ["VISIT1"]
assert frame["paid_amount"].sum() == 100
told = {name: frame[name][0] for name in frame if name.startswith("adj_")}
assert told == {
    "adj_0_group": "PR",
    "adj_0_code": "1",
    "adj_0_amount": 30,
    "adj_1_group": "CO",
    "adj_1_code": "45",
    "adj_1_amount": 90,
}
assert frame["charge_amount"][0] - 30 - 90 == 130
assert frame["modifier"][0] == "25"
print("OK: as described")
PYTHON
venv/bin/python seen.py
