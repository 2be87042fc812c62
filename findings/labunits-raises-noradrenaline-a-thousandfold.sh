#!/usr/bin/env bash
# labunits gives a resting patient a thousand times her noradrenaline.
#
# Package    labunits 0.2.1, results of a laboratory from traditional units to SI, by LOINC
# Expected   300 pg/mL of norepinephrine (LOINC 2666-6; 169.18 g/mol) are 1.77 nmol/L; 10 U/mL of an enzyme are
#            10 000 U/L; 1 mg/dL of cystine (240.3 g/mol) is 41.6 µmol/L: SI's prefixes and the molar mass alone
#            decide, as they do in the same table for epinephrine beside it
# Seen       1773 nmol/L, as of a tumour of the adrenal gland; 10 U/L of acetylcholinesterase (2099-0), a thousandth;
#            83.3 µmol/L of cystine (2177-4), which is twice as much. Epinephrine (1465-4), whose factor is nearly the
#            same, is given in pmol/L, and right. Back from SI the errors turn round; nothing is raised
# So         check a table of factors against the molar masses before a result goes through it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check labunits==0.2.1
cat >seen.py <<'PYTHON'
from math import isclose

from labunits.converters import si_unit, to_si_unit, to_traditional_unit, traditional_unit


def seen(name: str, loinc: str, value: float, units: tuple[str, str], right: float) -> float:
    """How many times too large the value in SI is."""
    assert (traditional_unit(loinc), si_unit(loinc)) == units, (name, loinc)
    given = to_si_unit(value, loinc)
    print(f"{name}: {value} {units[0]} are {given:.5g} {units[1]}, and should be {right:.5g}")
    assert isclose(to_traditional_unit(given, loinc), value)
    return given / right


PICOGRAMS = ("pg/mL", "nmol/L")
# pg/mL are ng/L, and mg/dL are 10 mg/L
assert isclose(seen("norepinephrine", "2666-6", 300, PICOGRAMS, 300 / 169.18), 1000, rel_tol=0.01)
assert isclose(
    seen("epinephrine", "1465-4", 50, ("pg/mL", "pmol/L"), 50 * 1000 / 183.2), 1, rel_tol=0.01
)
assert isclose(seen("acetylcholinesterase", "2099-0", 10, ("U/mL", "U/L"), 10_000), 0.001)
assert isclose(
    seen("cystine", "2177-4", 1, ("mg/dL", "μmol/L"), 10_000 / 240.3), 2, rel_tol=0.01
)
PYTHON
venv/bin/python seen.py
