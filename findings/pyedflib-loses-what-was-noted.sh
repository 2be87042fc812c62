#!/usr/bin/env bash
# pyEDFlib writes no more notes into a recording than it has seconds, and tells success for the rest.
#
# Package    pyEDFlib 0.1.42 with numpy 2.4.6, EDF+ (ECG, EEG, sleep)
# Expected   each note whose `writeAnnotation` returns 0 is in the file, whole: how much room a record has for notes is
#            the writer's to choose; and the half second of a start at 15:04:00.5 stands in the first record, as EDF+
#            has it (§2.2.4)
# Seen       one note is kept for each data record, which is a second by default: of a short ECG's five notes in two
#            seconds the first two are there. A slow channel (one sample in two seconds) makes records longer, and
#            leaves room for fewer still. A text is cut after 40 letters, and the half second of the start is gone
# So         call `set_number_of_annotation_signals` with enough, keep texts short, and count the notes by reading
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pyEDFlib==0.1.42 numpy==2.4.6
venv/bin/python - <<'PYTHON'
from datetime import datetime

import numpy
import pyedflib

SIGNAL = {
    "label": "ECG",
    "dimension": "mV",
    "physical_max": 5,
    "physical_min": -5,
    "digital_max": 32767,
    "digital_min": -32768,
    "transducer": "",
    "prefilter": "",
}


def kept(seconds: int, rate: float, texts: list[str], signals: int = 1) -> list[str]:
    writer = pyedflib.EdfWriter("ecg.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeaders([{**SIGNAL, "sample_frequency": rate}])
    writer.setStartdatetime(datetime(2024, 5, 13, 15, 4, 0, 500_000))
    writer.set_number_of_annotation_signals(signals)
    writer.writeSamples([numpy.zeros(int(seconds * rate))])
    told = [writer.writeAnnotation(place / 10, -1, text) for place, text in enumerate(texts)]
    writer.close()
    assert set(told) == {0}, told
    with pyedflib.EdfReader("ecg.edf") as reader:
        assert reader.getStartdatetime() == datetime(2024, 5, 13, 15, 4), "without its fraction"
        found = [str(text) for text in reader.readAnnotations()[2]]
    print(f"{seconds:3} s at {rate} Hz: {len(found)} of {len(texts)} notes", found[:5])
    return found


notes = ["dose 5 mg", "dizzy", "pain 8", "fall", "seizure"]
assert kept(10, 256, notes) == notes
assert kept(2, 256, notes) == notes[:2]
assert kept(8, 0.5, notes) == notes[:4]
assert kept(2, 256, notes, signals=3) == notes
long = "Patient says that the pain began when she was lifting her child"
assert kept(10, 256, [long]) == [long[:40]]
PYTHON
