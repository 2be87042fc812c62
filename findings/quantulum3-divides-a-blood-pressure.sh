#!/usr/bin/env bash
# quantulum3 reads a blood pressure of 162/94 as one of 1.72 mmHg, and millimoles as metres times moles.
#
# Package    quantulum3 0.10.0, quantities out of English text, as it is installed without its extra "classifier"
# Expected   162/94 mmHg is two pressures, or is left alone; m, µ and n before mol are a thousandth, a millionth and so on, as
#            they are before g here ("0.5 mg" is half a milligram); what is written as 4.5 x 10^9/L is that number; a word
#            that is no unit is none
# Seen       a slash between two numbers divides them: 162/94 mmHg is 1.72 mmHg, and 118/76 is 1.55. mmol is metre times mole,
#            µmol microsecond times mole, nmol newton times mole, pmol penny times mole; mIU is mile times atomic mass
#            unit. 4.5 x 10^9/L is 4.5, 10 and 9 per litre. "half a tablet" is half a year, since a year is "a". 10-20 mg
#            is 15 mg, with the half of the span as its uncertainty. Nothing is raised
# So         find pressures and moles yourself before you give it a message; take the words (surface) it names, not its units
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check quantulum3==0.10.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from quantulum3 import parser


def look(text: str, *expected: tuple[float, str]) -> None:
    found = [(round(one.value, 2), one.unit.name) for one in parser.parse(text)]
    print(f"{text:<36} {found}")
    assert found == list(expected), found


look("blood pressure 162 mmHg", (162, "millimeter of mercury"))
look("blood pressure 162/94 mmHg", (1.72, "millimeter of mercury"))
look("BP 118/76 today", (1.55, "dimensionless"))
look("potassium 4.1 mol/L", (4.1, "mole per litre"))
look("potassium 4.1 mmol/L", (4.1, "metre mole per litre"))
look("creatinine 88 µmol/L", (88, "microsecond mole per litre"))
look("cortisol 300 nmol/L", (300, "newton mole per litre"))
look("FT4 15 pmol/L", (15, "penny mole per litre"))
look("TSH 0.3 mIU/L", (0.3, "mile atomic mass unit per litre"))
look("took 0.5 mg", (0.5, "milligram"))
look("WBC 4.5 x 10^9/L", (4.5, "dimensionless"), (10, "dimensionless"), (9, "per litre"))
look("take half a tablet", (0.5, "year"))
look("take 10-20 mg", (15, "milligram"))
PYTHON
echo "OK: as described"
