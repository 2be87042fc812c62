#!/usr/bin/env bash
# ucumvert takes the units that one assay agreed upon for plain numbers, each worth the other.
#
# Package    ucumvert 0.3.2 (with pint 0.25.3), UCUM read into a unit registry
# Expected   UCUM's arbitrary units ([iU], [arb'U], [CFU] …) convert into nothing else (UCUM §24, §25): a change
#            from one to another raises `DimensionalityError`, as one from mg to mmol does. A unit that
#            is an annotation alone (`{score}`) is the unit 1 (§6), and a quantity
# Seen       5 [iU]/L are 5 [arb'U]/L, 5 [CFU]/L and 5 of anything per litre, and nothing is raised.
#            `from_ucum("{score}")` returns no quantity but a token of its parser, without units
# So         compare the units themselves before you convert between activities of a hormone, an
#            antibody or a culture; leave annotations out before you hand a unit over
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check ucumvert==0.3.2 pint==0.25.3
"$folder/venv/bin/python" - <<'PYTHON'
from pint import DimensionalityError, Unit
from ucumvert import PintUcumRegistry

registry = PintUcumRegistry()


def units(code: str) -> Unit:
    return registry.from_ucum(code).units


units_of_insulin = registry.Quantity(5, units("[iU]/L"))
for other in ("[arb'U]/L", "[CFU]/L", "/L"):
    found = units_of_insulin.to(units(other)).magnitude
    print(f"5 [iU]/L = {found:.10g} {other}")
    assert abs(found - 5) < 1e-9, found
try:
    registry.Quantity(5, units("mg/L")).to(units("mmol/L"))
except DimensionalityError as error:
    print("mg/L to mmol/L:", type(error).__name__)
else:
    raise SystemExit("mass and substance convert by now")
score = registry.from_ucum("{score}")
print("{score} is a", type(score).__name__)
assert not isinstance(score, registry.Quantity), score
assert not hasattr(score, "units"), score
PYTHON
