#!/usr/bin/env bash
# dcmjs writes a small number without its exponent, and 70 Gy become seven thousand million.
#
# Package    dcmjs 0.52.2 (on node 22.23.3 from npm), with pydicom 3.0.2 (PyPI) as another reader of what it wrote
# Expected   a decimal string has at most 16 letters, and may have an exponent (DICOM PS3.5, §6.2, DS): 1.6298145059565e-8
#            is written with fewer digits, as the writer of this library does for a value that stands in its own model
# Seen       denaturalizeDataset, which makes that model of an object with plain names, cuts the text of each number behind
#            16 letters, and the exponent with them: 1.629814505956558e-8, the 70 Gy of a plan divided by the 2^32 - 1
#            steps of 32 bits (Dose Grid Scaling, PS3.3 C.8.8.3), is 1.62981450595655 in the file; two thirds of a
#            millionth as a Numeric Value are 6.67. A line of the log says that a value was truncated
# So         write what is below a millionth (or above 10^21) as a text of your own, of at most 16 letters; numbers that
#            were computed have more
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 dcmjs@0.52.2
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pydicom==3.0.2
cat >seen.mjs <<'JAVASCRIPT'
import fs from 'node:fs';
import dcmjs from 'dcmjs';

const { DicomDict, DicomMetaDictionary } = dcmjs.data;
const write = (name, dict) => {
  const file = new DicomDict({ '00020010': { vr: 'UI', Value: ['1.2.840.10008.1.2.1'] } });
  file.dict = dict;
  fs.writeFileSync(name, Buffer.from(file.write()));
};
const plain = (scaling, value) => DicomMetaDictionary.denaturalizeDataset({
  PatientID: 'P1', NumericValue: value, DoseGridScaling: scaling,
});
const STEP = 70 / (2 ** 32 - 1);
write('plain.dcm', plain(STEP, (2 / 3) * 1e-6));
write('short.dcm', plain(1.6e-8, 37.1));
write('text.dcm', plain(STEP.toExponential(9), '6.67e-7'));
write('model.dcm', { '3004000E': { vr: 'DS', Value: [STEP] }, '0040A30A': { vr: 'DS', Value: [(2 / 3) * 1e-6] } });
console.log('written', STEP, (2 / 3) * 1e-6);
JAVASCRIPT
node_modules/node/bin/node seen.mjs
cat >seen.py <<'PYTHON'
import math

import pydicom

STEP = 70 / (2**32 - 1)


def read(name: str) -> tuple[float, float]:
    found = pydicom.dcmread(f"{name}.dcm", force=True)
    scaling, value = found.DoseGridScaling, found.NumericValue
    print(f"{name:<6} {scaling.original_string:<17} {value.original_string:<17} {scaling * (2**32 - 1):.4g} Gy")
    assert max(len(scaling.original_string), len(value.original_string)) <= 16
    return float(scaling), float(value)


assert read("plain") == (1.62981450595655, 6.66666666666666)
assert read("short") == (1.6e-8, 37.1)
assert all(math.isclose(*pair, rel_tol=1e-3) for pair in zip(read("text"), (STEP, 2e-6 / 3), strict=True))
assert all(math.isclose(*pair, rel_tol=1e-6) for pair in zip(read("model"), (STEP, 2e-6 / 3), strict=True))
print("OK: as described")
PYTHON
venv/bin/python seen.py
