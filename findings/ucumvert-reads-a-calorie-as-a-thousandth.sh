#!/usr/bin/env bash
# ucumvert gives the Calorie of food labels a thousandth of its energy.
#
# Package    ucumvert 0.3.2 (with pint 0.25.3), UCUM read into a unit registry
# Expected   1 [Cal] is 1 kcal_th, as the table of UCUM has it ("nutrition label Calories"): 4184 J
# Seen       1 [Cal] is 4.184 J, the small calorie; 2000 [Cal] are 2 kcal. Of the other units of UCUM's
#            table that it reads, the British rod, chain and link come out at a twelfth, and 12 [p'diop]
#            (prism dioptres, the tangent of an angle) at 107,079 degrees where they are 6.84: a special unit
#            without a definition of its own is multiplied. Nothing is raised
# So         an intake or a prescription of spectacles that goes through it needs a check against UCUM's
#            table; write kcal and not [Cal]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check ucumvert==0.3.2 pint==0.25.3
"$folder/venv/bin/python" - <<'PYTHON'
import math

from ucumvert import PintUcumRegistry

registry = PintUcumRegistry()


def converted(value: float, unit: str, to: str) -> float:
    quantity = registry.Quantity(value, registry.from_ucum(unit).units)
    out = quantity.to(registry.from_ucum(to).units).magnitude
    print(f"{value:>5} {unit:<9} = {out:.10g} {to}")
    return float(out)


assert math.isclose(converted(1, "kcal_th", "J"), 4184)
assert math.isclose(converted(1, "[Cal]", "J"), 4.184)
assert math.isclose(converted(2000, "[Cal]", "kcal_th"), 2)
# A rod is sixteen and a half feet.
assert math.isclose(converted(1, "[rd_br]", "[ft_br]"), 16.5 / 12, rel_tol=1e-6)
assert math.isclose(converted(12, "[p'diop]", "deg"), 107079.4675, rel_tol=1e-6)
print(f"   12 [p'diop], by the tangent: {math.degrees(math.atan(0.12)):.4f} deg")
PYTHON
