#!/usr/bin/env bash
# dicom2fhir makes a patient's name a piece of JSON, and a mammogram one of no side.
#
# Packages   dicom2fhir 0.1.25, pydicom 3.0.2, with fhir.resources 8.1.0 (fhir-core 1.1.4, pydantic 2.11.7), the newest
#            that it runs with
# Expected   PatientName `Doe^Ana` is family Doe, given Ana (DICOM PS3.5 §6.2.1; in JSON the name stands in an object,
#            PS3.18 §F.2.2). StudyTime 1504 is 15:04 (PS3.5 §6.2, TM: minutes and seconds may be left out).
#            Times of a file with TimezoneOffsetFromUTC are of that zone (PS3.3 §C.12.1). The side of a mammogram is
#            in ImageLaterality (PS3.3 §C.8.11.7), and is the series' laterality or told in some other place
# Seen       family is `{ "Alphabetic": "Doe` with its line breaks, given `Ana" }`. 1504 is midnight. The offset of the
#            file is let go, and the zone of the configuration is put to its times: -0800 becomes -04:00. No L is left
#            of the left breast. With the packages that pip brings by itself (fhir.resources 8.3.0, fhir-core 1.1.12) no
#            study is converted: an Extension is made without its url
# So         take name, time and side from the file itself, and pin what is beside dicom2fhir
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check dicom2fhir==0.1.25 pydicom==3.0.2 \
  fhir.resources==8.1.0 fhir-core==1.1.4 pydantic==2.11.7 annotated-types==0.7.0
cat >seen.py <<'PYTHON'
import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from dicom2fhir.dicom2fhir import from_directory
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian

logging.disable()
files = Path("files")
files.mkdir()


def converted(time: str, **more: str) -> list[dict[str, Any]]:
    """The resources that one mammogram of the left breast becomes."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    image.SOPInstanceUID = "1.2.3.1"
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.3", "1.2.3.2"
    image.Modality, image.BodyPartExamined, image.ImageLaterality = "MG", "BREAST", "L"
    image.StudyDate = image.SeriesDate = "20240513"
    image.StudyTime = image.SeriesTime = time
    image.PatientID, image.PatientName = "p1", "Doe^Ana"
    image.PatientBirthDate, image.PatientSex = "19800229", "F"
    image.AccessionNumber, image.Manufacturer = "a1", "maker"
    for name, value in more.items():
        setattr(image, name, value)
    image.save_as(files / "image.dcm", enforce_file_format=True)
    config = {
        "dicom_timezone": "America/New_York",
        "generator": {"imaging_study": {"add_instances": True}},
    }
    bundle = asyncio.run(from_directory(files, config=config))
    return [entry["resource"] for entry in json.loads(bundle.model_dump_json())["entry"]]


study, patient, *_ = converted("150400")
[name] = patient["name"]
print("name:", name)
assert name["family"].split() == ["{", '"Alphabetic":', '"Doe'], name
assert [part.split() for part in name["given"]] == [['Ana"', "}"]], name
assert patient["birthDate"] == "1980-02-29", patient
[series] = study["series"]
print("body site:", series["bodySite"]["display"])
assert "lateral" not in json.dumps(study).lower(), study
assert '"L"' not in json.dumps(study), study

for time, more, expected in (
    ("150400", {}, "2024-05-13T15:04:00-04:00"),
    ("1504", {}, "2024-05-13T00:00:00-04:00"),
    ("150400", {"TimezoneOffsetFromUTC": "-0800"}, "2024-05-13T15:04:00-04:00"),
):
    started = converted(time, **more)[0]["started"]
    print(time, *more.values(), "starts", started)
    assert started == expected, started
PYTHON
venv/bin/python seen.py
venv/bin/pip install -q --disable-pip-version-check --upgrade fhir.resources==8.3.0 fhir-core==1.1.12
rm -r files
if venv/bin/python seen.py >log 2>&1; then exit 1; fi
grep "Value for the field 'url' is required" log
