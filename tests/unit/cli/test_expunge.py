"""``threadwell expunge``, and that no import brings back what was expunged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main

PEOPLE = """kind,id,given,family,phone
patient,ana,Ana,Cruz,+12125550121
patient,leo,Leo,Moss,+12125550122
"""
TABLE = """id,from,to,sent,text
1,+12125550121,+12125550100,2026-01-05T09:00:00Z,hello my knee is stiff
2,+12125550122,+12125550100,2026-01-05T10:00:00Z,when may I come
3,+12125550121,+12125550100,2026-01-05T11:00:00Z,a zebra at the door
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "portal.csv").write_text(TABLE)
    return tmp_path


def take_in(folder: Path) -> tuple[int, int, int]:
    """Import all there is; how many messages were new, known and held."""
    with threadwell.open(str(folder / "practice.db")) as tw:
        counts = tw.import_messages(
            folder / "portal.csv",
            people=folder / "people.csv",
            owner="+12125550100",
            zone="UTC",
            workers=0,
        ).counts
    return counts.new, counts.known, counts.quarantined


def test_a_message_is_not_brought_back(folder: Path, capsys: Any) -> None:
    path = str(folder / "practice.db")
    assert take_in(folder) == (3, 0, 0)
    with threadwell.open(path) as tw:
        every = list(tw.search_all("Communication", "part-of:missing=false"))
        zebra = next(one for one in every if "zebra" in str(one))
    name = f"Communication/{zebra['id']}"
    assert main(["expunge", name, "--store", path]) == 1
    told = "1 Communication would be gone for good, with all versions: say --yes to do it"
    assert told in capsys.readouterr().err
    assert main(["expunge", name, "--yes", "--store", path]) == 0
    assert capsys.readouterr().out == "Removed for good: 1 Communication\n"
    assert main(["expunge", name, "--yes", "--store", path]) == 1
    assert f"there is no {name}" in capsys.readouterr().err
    assert take_in(folder) == (0, 3, 0)
    with threadwell.open(path) as tw:
        there = list(tw.search_all("Communication", "part-of:missing=false"))
        assert len(there) == 2
        assert not tw.verify_audit().problem
    # Nothing of its words is anywhere in the file, nor beside it.
    assert main(["verify", "--store", path]) == 0
    for one in folder.iterdir():
        if one.name.startswith("practice.db") and one.is_file():
            assert b"zebra" not in one.read_bytes(), one.name


def test_a_patient_is_not_brought_back(folder: Path, capsys: Any, caplog: Any) -> None:
    path = str(folder / "practice.db")
    take_in(folder)
    with threadwell.open(path) as tw:
        ana = next(tw.search_all("Patient", "family=cruz"))
        leo = next(tw.search_all("Patient", "family=moss"))
    told = ["--store", path, "--format", "json"]
    assert main(["expunge", f"Patient/{ana['id']}", "--everything", *told]) == 1
    counted = capsys.readouterr().err
    assert main(["expunge", f"Patient/{ana['id']}", "--everything", "--yes", *told]) == 0
    said = json.loads(capsys.readouterr().out)
    # What was counted before is what went.
    went = ", ".join(f"{number:,} {type_}" for type_, number in sorted(said["removed"].items()))
    assert f"{went} would be gone for good" in counted
    assert said["removed"]["Communication"] == 3  # two messages and their header
    assert (said["removed"]["Patient"], said["left"]) == (1, [])
    # Their messages are known; they themselves are left out, and that is said.
    with caplog.at_level("WARNING"):
        assert take_in(folder) == (0, 3, 0)
    assert "1 of the people were expunged, and are left out" in caplog.text
    with threadwell.open(path) as tw:
        assert [one["id"] for one in tw.search_all("Patient")] == [leo["id"]]
        assert len(list(tw.search_all("Communication"))) == 2
        for one in ("Communication", "Encounter", "Provenance", "Group"):
            assert ana["id"] not in str(list(tw.search_all(one)))
        assert not tw.verify_audit().problem
    assert main(["verify", "--store", path]) == 0
    # What they write from now on is a stranger's, and held.
    with (folder / "portal.csv").open("a") as table:
        table.write("4,+12125550121,+12125550100,2026-02-05T09:00:00Z,it is me again\n")
    assert take_in(folder) == (0, 3, 1)


def test_what_is_wrong_is_said(folder: Path, capsys: Any) -> None:
    path = str(folder / "practice.db")
    take_in(folder)
    for name, says in (("Patient/nobody", "there is no"), ("nothing", "nothing is none")):
        assert main(["expunge", name, "--yes", "--store", path]) == 1
        assert says in capsys.readouterr().err
    assert main(["expunge", "Task/1", "--everything", "--yes", "--store", path]) == 1
    assert "--everything is of a Patient" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nope", "Patient/", "/f2b7"])
def test_what_is_no_name_of_a_resource_is_told(name: str, capsys: Any) -> None:
    assert main(["expunge", name, "--yes", "--store", "nowhere.db"]) == 1
    assert f"as TYPE/ID, such as Patient/f2b7: {name} is none" in capsys.readouterr().err


def test_what_would_go_is_counted_and_stays(folder: Path, capsys: Any) -> None:
    path = str(folder / "practice.db")
    take_in(folder)
    with threadwell.open(path) as tw:
        ana = next(tw.search_all("Patient", "family=cruz"))["id"]
        photo = {"contentType": "image/png", "url": ""}
        both = []
        for data in ("aGVsbG8=", "Ynll"):
            made = tw.create_resource(
                {"resourceType": "Binary", "contentType": "image/png", "data": data}
            )
            both.append({**photo, "url": f"Binary/{made['id']}"})
        for whose, has in ((ana, both), (ana, both[:1])):
            tw.create_resource(
                {
                    "resourceType": "Communication",
                    "status": "completed",
                    "subject": {"reference": f"Patient/{whose}"},
                    "payload": [{"contentAttachment": one} for one in has],
                }
            )
        of_two = next(tw.search_all("Communication", "part-of:missing=true&_sort=-_lastUpdated"))
    for name, options in (
        (f"Communication/{of_two['id']}", []),
        (f"Patient/{ana}", []),
        (f"Patient/{ana}", ["--everything"]),
    ):
        assert main(["expunge", name, *options, "--store", path]) == 1
        counted = capsys.readouterr().err
        assert ("and --everything for all" in counted) is (not options and "Patient" in name)
        copy = str(folder / f"copy{len(options)}{name[:3]}.db")
        assert main(["backup", copy, "--store", path]) == 0
        capsys.readouterr()
        assert main(["expunge", name, *options, "--yes", "--store", copy]) == 0
        went = capsys.readouterr().out.splitlines()[0].removeprefix("Removed for good: ")
        assert f"{went} would be gone" in counted
    assert main(["expunge", "Task/none", "--store", path]) == 1
    assert "there is no Task/none" in capsys.readouterr().err
