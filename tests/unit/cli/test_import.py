"""``threadwell import`` and the commands that show what came of it, on a small table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main

PEOPLE = """\
kind,id,family,given,phone,patient,relationship
organization,clinic,Clinic,,+1 207-555-0100,,
patient,lena,Prado,Lena,,,
patient,omar,Farouk,Omar,+1 207-555-0112,,
related-person,ana,Prado,Ana,+1 207-555-0111,lena,mother
"""
MESSAGES = """\
id,thread,sent,from,to,text
1,a,2025-03-08T23:50:00-05:00,+12075550111,+12075550100,Lena has a fever
2,a,2025-03-09T00:10:00-05:00,+12075550100,+12075550111,How high is it?
3,b,2025-03-09T09:00:00,+12075550112,+12075550100,Hello
4,c,2025-03-09T10:00:00,+12075550177,+12075550100,Do you take new patients?
5,b,never,+12075550112,+12075550100,When?
"""
OPTIONS = ("messages.csv", "--people", "people.csv", "--zone", "America/New_York")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADWELL_STORE", raising=False)
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "messages.csv").write_text(MESSAGES)
    return tmp_path


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that works; its standard output."""

    def out(*argv: str) -> str:
        assert main(argv) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return out


def test_counts_add_up_and_a_second_import_is_known(out: Any) -> None:
    first = json.loads(out("import", *OPTIONS, "--format", "json"))
    again = json.loads(out("import", *OPTIONS, "--format", "json"))
    for counts in (first, again):
        parts = (counts["new"], counts["known"], counts["quarantined"])
        assert counts["read"] == sum(parts) == 5
    assert (first["new"], first["quarantined"], first["sessions"]) == (3, 2, 3)
    assert first["reasons"] == {"broken": 1, "unknown-sender": 1}
    assert (again["new"], again["known"], again["sessions"]) == (0, 3, 0)


def test_people_read_the_counts_and_where_to_look(out: Any) -> None:
    said = out("import", *OPTIONS)
    assert "5 messages read = 3 new + 0 known + 2 quarantined" in said
    assert "3 new sessions" in said
    assert "1  Could not be read" in said
    assert "threadwell quarantine --store threadwell.db" in said


def test_sessions_are_listed_in_the_care_zone(out: Any) -> None:
    out("import", *OPTIONS)
    head, *rows = out("sessions").splitlines()
    assert head.split()[:2] == ["Patient", "Channel"]
    assert [row.split("  ")[0] for row in rows[:3]] == ["Omar Farouk", "Lena Prado", "Lena Prado"]
    assert "2025-03-08 23:50" in rows[2]
    assert "America/New_York" in rows[-1]
    listed = json.loads(out("sessions", "--format", "json"))
    assert [one["messages"] for one in listed] == [1, 1, 1]
    assert {one["status"] for one in listed} == {"finished"}


@pytest.mark.parametrize(
    ("options", "sessions"),
    [
        (["--policy", "per-day"], 3),
        (["--policy", "per-thread"], 2),
        (["--policy", "inactivity-gap", "--gap", "10m"], 3),
        (["--policy", "inactivity-gap", "--gap", "1h"], 2),
        (["--policy", "explicit", "--open-keyword", "hello"], 1),
        (["--zone", "UTC"], 2),
        (["--unknown", "patient"], 4),
    ],
)
def test_options_decide_what_makes_a_session(options: list[str], sessions: int, out: Any) -> None:
    report = json.loads(out("import", *OPTIONS, *options, "--format", "json"))
    assert report["sessions"] == sessions


def test_the_quarantine_is_listed_and_replayed(out: Any, here: Path) -> None:
    out("import", *OPTIONS)
    said = out("quarantine")
    assert "+12075550177" in said
    assert "2 messages held" in said
    held = json.loads(out("quarantine", "--format", "json"))
    assert {one["reason"] for one in held} == {"broken", "unknown-sender"}
    assert json.loads(out("get", held[0]["task"]))["resourceType"] == "Task"
    with (here / "people.csv").open("a") as people:
        people.write("patient,dana,Reed,Dana,+1 207-555-0177,,\n")
    report = json.loads(out("import", *OPTIONS, "--format", "json"))
    assert report["replayed"] == 1
    assert len(json.loads(out("quarantine", "--format", "json"))) == 1


def test_a_dry_run_counts_and_writes_nothing(out: Any) -> None:
    report = json.loads(out("import", *OPTIONS, "--dry-run", "--format", "json"))
    assert (report["new"], report["quarantined"], report["sessions"]) == (3, 2, 3)
    assert "Nothing was written" in out("import", *OPTIONS, "--dry-run")
    for type_ in ("Patient", "Organization", "Communication", "Encounter", "Task", "Binary"):
        assert json.loads(out("get", f"{type_}?_summary=count"))["total"] == 0
    assert threadwell.open("threadwell.db").care_zone.key == "UTC"


def test_a_dry_run_knows_what_is_there(out: Any) -> None:
    out("import", *OPTIONS)
    report = json.loads(out("import", *OPTIONS, "--dry-run", "--format", "json"))
    assert (report["new"], report["known"], report["quarantined"]) == (0, 3, 2)


def test_verify_passes_until_somebody_breaks_the_pattern(
    out: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    out("import", *OPTIONS)
    assert "Everything keeps the pattern" in out("verify")
    assert json.loads(out("verify", "--format", "json")) == []
    with threadwell.open("threadwell.db") as tw:
        (child,) = tw.search_resources("Communication", {"part-of:missing": False, "_count": 1})
        (session,) = tw.search_resources("Encounter", {"_count": 1})
        link = {"reference": f"Encounter/{session['id']}"}
        operation = {"op": "add", "path": "/encounter", "value": link}
        tw.patch_resource("Communication", child["id"], [operation])
    capsys.readouterr()
    assert main(["verify"]) == 1
    assert f"Communication/{child['id']}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("kind,id,shoe\n", "shoe"),
        ("kind,id,birth_date\npatient,a,yesterday\n", "birth_date"),
        ("kind,id\nwizard,a\n", "kind"),
        ('{"resourceType": "Bundle"', "is no JSON"),
    ],
)
def test_wrong_people_are_named_and_nothing_is_written(
    people: str, words: str, here: Path, out: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "people.csv").write_text(people)
    assert main(["import", *OPTIONS]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert json.loads(out("get", "Communication?_summary=count"))["total"] == 0


def test_the_facade_imports_too(here: Path) -> None:
    told: list[int] = []
    with threadwell.open(":memory:") as tw:
        report = tw.import_messages(
            "messages.csv",
            people="people.csv",
            owner=["+12075550100"],
            zone="America/New_York",
            progress=lambda counts: told.append(counts.read),
        )
        assert report.counts.new == 3
        assert tw.sessions()[0].names == ("Omar Farouk",)
        assert len(tw.quarantine()) == 2
        assert tw.verify() == []
        assert tw.care_zone.key == "America/New_York"
    assert told[-1] == 5
