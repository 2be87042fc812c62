#!/usr/bin/env bash
# deid shifts the dates of a DICOM file by ten days, and that of May 2011 by five and a half years.
#
# Packages   deid 0.4.13, pydicom 3.0.2: JITTER, which moves all dates of a patient by the same number of days
# Expected   a DT says as much as is known, from the year on, and may end with an offset (DICOM PS3.5 §6.2): 201105 is
#            May 2011, and 20240513-0400 a day. What is shifted keeps its distance to the others and says no more than
#            before, or is refused
# Seen       201105 is read as if its year had two digits, and becomes 10 November 2005. 2024 becomes a day of 2024,
#            that of the day on which deid runs. The offset of 20240513-0400 becomes four o'clock in the morning. A
#            minute or a day comes out to the microsecond. 202405 raises ValueError. DA is right, and so is a DT with a
#            time to the second, with its offset and without
# So         look at the length of a DT before you shift it, and shift the shorter ones yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check deid==0.4.13 pydicom==3.0.2
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import date, timedelta
from types import SimpleNamespace

from deid.dicom.actions.jitter import jitter_timestamp
from pydicom.dataelem import DataElement


def shifted(kind: str, value: str) -> str:
    """Ten days before, as `JITTER … var:days` with -10 has it."""
    element = DataElement(0x0008002A, kind, value)
    found = jitter_timestamp(SimpleNamespace(element=element, name="AcquisitionDateTime"), -10)
    print(kind, value, "->", found)
    return found


assert shifted("DA", "20240513") == "20240503"
assert shifted("DT", "20240513150400.5-0400") == "20240503150400.500000-0400"
assert shifted("DT", "201105") == "20051110000000.000000"
today = date.today()
assert shifted("DT", "2024") in {
    f"{day.replace(year=2024) - timedelta(days=10):%Y%m%d}000000.000000"
    for day in (today, today - timedelta(days=1), today + timedelta(days=1))
}
assert shifted("DT", "20240513-0400") == "20240503040000.000000"
assert shifted("DT", "202405131504") == "20240503150400.000000"
try:
    shifted("DT", "202405")
except ValueError as error:
    print("DT 202405:", error)
else:
    raise AssertionError("202405 was read")
PYTHON
