#!/usr/bin/env bash
# In fhirpathpy a decimal of a resource never equals the literal that it was written as.
#
# Package    fhirpathpy 2.2.4
# Expected   `Encounter.length.value = 1.1` is true of an Encounter whose length is 1.1
# Seen       literals become Decimal, and numbers of a resource that `json.loads` read are floats:
#            Decimal('1.1') is not 1.1. It is true of 1.5, which a float holds exactly, so a test
#            with a half or a quarter passes. Read with `parse_float=Decimal` all are equal
# So         hand it resources whose numbers were read as Decimal, or constraints on doses and
#            quantities fail at random
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check fhirpathpy==2.2.4
"$folder/venv/bin/python" - <<'PYTHON'
import json
from decimal import Decimal

from fhirpathpy import evaluate


def equal(number, **options):
    text = '{"resourceType": "Encounter", "length": {"value": %s, "unit": "h"}}' % number
    return evaluate(json.loads(text, **options), f"Encounter.length.value = {number}")


for number in ("1.1", "1.5", "0.3"):
    print(number, "read as float:", equal(number), " as Decimal:", equal(number, parse_float=Decimal))
assert [equal("1.1"), equal("1.5"), equal("0.3")] == [[False], [True], [False]]
assert all(equal(one, parse_float=Decimal) == [True] for one in ("1.1", "1.5", "0.3"))
PYTHON
