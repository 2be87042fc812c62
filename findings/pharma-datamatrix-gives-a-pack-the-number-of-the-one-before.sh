#!/usr/bin/env bash
# pharma-datamatrix turns the pack that was scanned first into the second, and gives the second the first one's number.
#
# Packages   pharma-datamatrix 1.4.5; biip 5.2.0 beside it (PyPI), the codes on packs of medicines (GS1 DataMatrix)
# Expected   what is returned for a code is what is in that code: GTIN, expiry, batch, serial number, and a national number
#            (AI 710 to 714, NHRN) where there is one
# Seen       all calls write into one dictionary and return it. After a second pack the first has the second one's GTIN,
#            expiry, batch and serial number; the second, which has no national number, has the first one's, and so another
#            drug. A code of GTIN and serial number alone has the expiry and the batch of the pack before. Nothing is raised,
#            and nothing is marked
# So         read each code in a process of its own, or with another library (biip)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pharma-datamatrix==1.4.5 biip==5.2.0
"$folder/venv/bin/python" - <<'PYTHON'
from biip.gs1_messages import GS1Message
from pharma_datamatrix import pharma_datamatrix

# GTINs of the prefix that GS1 keeps for examples.
MORPHINE = "0109504000059101" "17491231" "10LOTA\x1d" "21SERA\x1d" "71001234567"
VITAMIN = "0109504000059118" "17490630" "10LOTB\x1d" "21SERB"
UNDATED = "0109504000059118" "21SERC\x1d"
NAMES = {"01": "GTIN", "17": "EXPIRY", "10": "BATCH", "21": "SERIAL", "710": "NHRN"}


def held(code: str) -> dict[str, str]:
    """Say what the other library finds in a code."""
    strings = GS1Message.parse(code).element_strings
    return {"SCHEME": "GS1"} | {NAMES[one.ai.ai]: one.value for one in strings}


first = pharma_datamatrix("]d2" + MORPHINE)
print("morphine       ", first)
assert first == held(MORPHINE)
second = pharma_datamatrix("]d2" + VITAMIN)
print("vitamin        ", second)
print("morphine, again", first)
print("vitamin, biip  ", held(VITAMIN))
assert second == held(VITAMIN) | {"NHRN": "01234567"}
assert first == second
assert first["GTIN"] == "09504000059118"
third = pharma_datamatrix("]d2" + UNDATED)
print("undated        ", third)
assert third == held(VITAMIN) | {"NHRN": "01234567", "SERIAL": "SERC"}
PYTHON
echo "OK: as described"
