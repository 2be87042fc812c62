#!/usr/bin/env bash
# dzero-python keeps one drug of a mixture that a pharmacy made of two.
#
# Package    dzero-python 1.0.2, NCPDP's Telecommunication Standard D.0 (pharmacy claims) as objects
# Expected   fields of a segment repeat behind their count: a Compound segment (10) says in EC how many ingredients there
#            are, and RE, TE, ED and EE (the product, how much of it, what it costs) come once for each; DK comes as often
#            as NX says (Telecommunication Standard D.0, from memory: repeating fields). What was read is written again
# Seen       a field is kept once, and the last one wins. Of lidocaine and prilocaine there is prilocaine, beside a count
#            of two; of the clarification codes 08 and 42 there is 42, beside a count of two. What is written
#            has lost them as well. A claim of one product is right. Nothing is raised
# So         compare EC and NX with how often their fields come in the text, and read these segments yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check dzero-python==1.0.2
"$folder/venv/bin/python" -W error - <<'PYTHON'
from dzero_python import Request

FIELD, GROUP, SEGMENT = "\x1c", "\x1d", "\x1e"


def segment(*fields: str) -> str:
    return SEGMENT + "".join(FIELD + field for field in fields)


HEADER = "610097D0B19999      1011326682154     20250718".ljust(56)
# 03 is a National Drug Code; the numbers and the prices are made up
LIDOCAINE = ("RE03", "TE00000000011", "ED0000010000", "EE0000120{")
PRILOCAINE = ("RE03", "TE00000000022", "ED0000050000", "EE0000034{")
CLAIM = ("AM07", "EM1", "D21234567", "E100", "D70", "E70000060000", "D62", "NX2", "DK08", "DK42")
text = (
    HEADER
    + segment("AM04", "C2123")
    + GROUP
    + segment(*CLAIM)
    + segment("AM10", "EF11", "EG1", "EC02", *LIDOCAINE, *PRILOCAINE)
)
request = Request.parse(text)
[group] = request.to_json()["transaction_groups"]
claim, compound = group["segments"]
print("ingredients:", compound["EC"], "there:", compound["TE"], compound["ED"], compound["EE"])
print("codes:", claim["NX"], "there:", claim["DK"])
assert (compound["AM"], compound["EC"]) == ("10", "02"), compound
assert [compound[name] for name in ("TE", "ED", "EE")] == [
    "00000000022",
    "0000050000",
    "0000034{",
]
assert (claim["NX"], claim["DK"]) == ("2", "42"), claim
assert (claim["D2"], claim["E7"]) == ("1234567", "0000060000"), claim
written = request.to_s()
assert "00000000022" in written
assert "00000000011" not in written, written
assert "DK42" in written
assert "DK08" not in written, written
PYTHON
