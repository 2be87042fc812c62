#!/usr/bin/env bash
# A reader of British drug names finds 000 units of heparin, and a thousandth of the glucose.
#
# Package    nhs-dmd 0.3.0b0, strengths out of the names of the NHS dictionary of medicines and devices (dm+d)
# Expected   dm+d writes thousands with a comma: "Heparin sodium 25,000units/5ml" are 25 000 units in 5 ml. A percentage
#            of a solid in a liquid is grams in 100 ml (British Pharmacopoeia, General Notices: % w/v): glucose 5 % has
#            5 g in them. Two equal strengths are equal, and not unequal
# Seen       the comma ends the number: 000 units in 5 ml, and ergocalciferol 300,000units/1ml the same. Without the
#            comma it is right. 5 % w/v is 5 mg in 100 ml, and a bare 5 %, as infusions are named, 5 ml. Of
#            "3.1-3.7g/5ml" the larger number is left. No two strengths are equal, not even the same, and none are
#            unequal: a list of drugs whose strength has changed is empty. Nothing is raised
# So         take commas out of numbers before, read percentages yourself, refuse a strength of zero, and compare the
#            four parts yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nhs-dmd==0.3.0b0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from dmd.units import Unit, UnitExtract


def strength(name: str) -> tuple[object, ...]:
    ((found,),) = UnitExtract.extract_units(name)
    parts = (found.num_value, found.num_unit, found.den_value, found.den_unit)
    print(name, "->", parts)
    return parts


assert strength("Heparin sodium 25,000units/5ml") == ("000", "units", "5", "ml")
assert strength("Ergocalciferol 300,000units/1ml") == ("000", "units", "1", "ml")
assert strength("Heparin sodium 25000units/5ml") == ("25000", "units", "5", "ml")
assert strength("Glucose 5% infusion") == ("5", "ml", 100, "ml")
assert strength("Glucose 5% w/v infusion") == ("5", "mg", 100, "ml")
assert strength("Lactulose 3.1-3.7g/5ml")[0] == "3.7"
one, same, other = Unit(5, "mg"), Unit(5, "mg"), Unit(500, "mg")
print("5 mg == 5 mg:", one == same, "; 5 mg != 500 mg:", one != other)
assert not one == same
assert not one != other
PYTHON
