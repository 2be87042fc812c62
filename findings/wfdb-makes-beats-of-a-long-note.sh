#!/usr/bin/env bash
# wfdb makes 128 beats of a long note on an ECG, and moves the beats behind it.
#
# Package    wfdb 4.3.1, annotations of ECG and sleep in the format of PhysioNet
# Expected   `wrann` writes what `rdann` then reads, or refuses it. A note (AUX) says in ten bits how many bytes it has
#            (WFDB, annot(5)), so 256 fit; and letters that the file cannot hold raise
# Seen       the length goes into eight bits. A note of 255 letters is right. With 256 it is empty, its letters are 128
#            annotations of a kind without a name, each 120 samples after the other; a beat at sample 9 comes at 15369,
#            at 250 a second a minute late. Beyond Latin-1 a letter becomes the low byte of its number: "→ dizzy" has a control
#            character for the arrow, two Chinese letters are `)` and another. Nothing is raised
# So         count letters before you write, keep notes in Latin-1, and read the file again
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check wfdb==4.3.1
cat >seen.py <<'PYTHON'
import numpy as np
import wfdb


def read(note: str) -> wfdb.Annotation:
    """A note at sample 5 and a normal beat at sample 9, written and read again."""
    samples = np.array([5, 9])
    wfdb.wrann("one", "atr", samples, symbol=['"', "N"], aux_note=[note, ""])
    return wfdb.rdann("one", "atr")


for note in ("dizzy", "vértigo", "x" * 255):
    right = read(note)
    assert (right.sample.tolist(), right.symbol) == ([5, 9], ['"', "N"])
    assert right.aux_note == [note, ""]
wrong = read("x" * 256)
unnamed = wrong.symbol.count("?")
print("256 letters:", unnamed, "without a name, and the beat at sample", wrong.sample[-1])
assert (unnamed, len(wrong.sample)) == (128, 130), wrong.symbol
assert wrong.sample.tolist() == [5, *range(125, 15366, 120), 15369], wrong.sample
assert set(wrong.aux_note) == {""}
for note, expected in (("→ dizzy", "\x92 dizzy"), ("眩暈", ")\x88")):
    found = read(note).aux_note[0]
    print(note, "becomes", repr(found))
    assert found == expected, found
PYTHON
venv/bin/python seen.py
