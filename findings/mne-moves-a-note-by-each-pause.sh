#!/usr/bin/env bash
# MNE sets what was noted on a recording to other heartbeats, by the length of each pause before it.
#
# Packages   mne 1.13.2 and edfio 0.4.18 with numpy 2.4.6 (PyPI), EDF+ (ECG, EEG, sleep)
# Expected   EDF+D is a recording with pauses: the first annotation of each data record says when it begins, in seconds
#            since the start, and what is noted counts from the same start (EDF+, §2.1.1 and §2.2.4). A reader keeps the
#            pauses, or refuses the file, as EDFlib does
# Seen       all records are joined: of two minutes with a minute's pause between them MNE has two minutes without one.
#            "chest pain", noted 90 seconds after the start, in the pause, stands at the heartbeats of second 150; a note
#            from behind the two minutes is left out, which a warning tells. edfio does the same, and says so in its
#            description; what MNE then writes as EDF has the new times for good
# So         read bytes 192 to 196 of a file before you let MNE have it: EDF+D has pauses. What a patient writes of 15:05
#            may be laid beside another minute of her ECG
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check mne==1.13.2 edfio==0.4.18 numpy==2.4.6
cat >seen.py <<'PYTHON'
import struct
import warnings
from pathlib import Path

import edfio
import mne

SIGNALS = (
    (16, ("ECG I", "EDF Annotations")),
    (80, ("", "")),
    (8, ("mV", "")),
    (8, ("-10", "-1")),
    (8, ("10", "1")),
    (8, ("-10000", "-32768")),
    (8, ("10000", "32767")),
    (80, ("", "")),
    (8, ("4", "30")),
    (32, ("", "")),
)


def recording(starts: list[int], notes: dict[int, str]) -> bytes:
    """Make an EDF+D whose samples, in microvolts, tell the second in which they were taken; notes by record."""
    head = [("0", 8), ("X F X X", 80), ("Startdate 13-MAY-2024 X X X", 80), ("13.05.24", 8)]
    head += [("15.04.00", 8), ("768", 8), ("EDF+D", 44), (str(len(starts)), 8), ("1", 8), ("2", 4)]
    head += [(value, size) for size, values in SIGNALS for value in values]
    data = b"".join(value.ljust(size).encode() for value, size in head)
    for start in starts:
        note = f"+{start}\x14\x14\0" + (f"+{notes[start]}\x14\0" if start in notes else "")
        data += struct.pack("<4h", *[start] * 4) + note.encode().ljust(60, b"\0")
    return data


def microvolts(raw: mne.io.BaseRaw, second: float) -> int:
    return round(float(raw.get_data(units="uV")[0, raw.time_as_index(second)[0]]))


PAUSED = [*range(60), *range(120, 180)]
Path("paused.edf").write_bytes(recording(PAUSED, {20: "20\x14palpitations", 125: "125\x14better"}))
# A note of the pause stands in the record before it.
Path("noted.edf").write_bytes(recording(PAUSED, {59: "90\x14chest pain"}))
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    read = mne.io.read_raw_edf("noted.edf", preload=True, verbose="WARNING")
assert not told, [str(one.message) for one in told]
print("length", read.duration, "s; annotations", [str(one) for one in read.annotations.description])
assert read.duration == 120
(pain,) = read.annotations
print(pain["description"], "at", pain["onset"], "s, where the ECG is of second", microvolts(read, pain["onset"]))
assert (str(pain["description"]), pain["onset"]) == ("chest pain", 90)
assert microvolts(read, 90) == 150
assert microvolts(read, 20) == 20
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    late = mne.io.read_raw_edf("paused.edf", preload=True, verbose="WARNING")
print([str(one) for one in late.annotations.description], [str(one.message) for one in told])
assert [str(one) for one in late.annotations.description] == ["palpitations"]
assert [one.category for one in told] == [RuntimeWarning]
mne.export.export_raw("again.edf", read, verbose="ERROR")
again = edfio.read_edf("again.edf")
print("written again:", Path("again.edf").read_bytes()[192:197], again.duration, again.annotations)
assert Path("again.edf").read_bytes()[192:197] == b"EDF+C"
assert [(one.onset, one.text) for one in again.annotations] == [(90, "chest pain")]
assert edfio.read_edf("noted.edf").duration == 120
print("OK: as described")
PYTHON
venv/bin/python seen.py
