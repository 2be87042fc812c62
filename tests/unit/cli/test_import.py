"""``threadwell import`` and the commands that show what came of it, on a small table."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

import stem
import threadwell
from threadwell.cli import main
from threadwell.intake import BadAnswer

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
    assert "1  Not readable as a message" in said
    assert "threadwell quarantine --store threadwell.db\n" in said


def test_where_to_look_is_in_the_project_that_was_named(out: Any) -> None:
    out("project", "create", "Hill Street")
    said = out("import", *OPTIONS, "--project", "Hill Street")
    (look,) = (line for line in said.splitlines() if line.startswith("See each, and why: "))
    _, *command = shlex.split(look.partition(": ")[2])
    assert "2 messages held" in out(*command)


def test_what_was_never_sent_is_counted_apart_from_what_is_broken(out: Any, here: Path) -> None:
    mail = "From: ana@example.org\nTo: clinic@example.org\nX-Unsent: 1\n\nnot yet"
    (here / "draft.eml").write_text(f"Date: Tue, 5 Mar 2024 10:00:00 -0500\n{mail}")
    options = ("draft.eml", *OPTIONS)
    counts = json.loads(out("import", *options, "--format", "json"))
    assert counts["reasons"] == {"broken": 1, "set-aside": 1, "unknown-sender": 1}
    assert "1  Set aside: a draft, spam or a notice" in out("import", *options)
    (held,) = [
        one
        for one in json.loads(out("quarantine", "--format", "json"))
        if one["reason"] == "set-aside"
    ]
    assert "draft.eml: a draft, never sent" in held["text"]
    assert "threadwell quarantine ID" in out("replay")


def test_sessions_are_listed_in_the_care_zone(out: Any) -> None:
    out("import", *OPTIONS)
    head, *rows = out("sessions").splitlines()
    assert head.split()[:2] == ["Patient", "Channel"]
    assert [row.split("  ")[0] for row in rows[:3]] == ["Omar Farouk", "Lena Prado", "Lena Prado"]
    assert "Mar 8, 2025, 11:50 PM" in rows[2]
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


def test_times_are_written_as_in_the_country_of_the_practice(out: Any, here: Path) -> None:
    out("import", *OPTIONS, "--country", "gb", "--dry-run")
    out("import", *OPTIONS)
    assert "Mar 8, 2025, 11:50 PM" in out("sessions")
    out("import", *OPTIONS, "--country", "gb")
    out("import", *OPTIONS)
    assert "8 Mar 2025, 23:50" in out("sessions")
    assert "9 Mar 2025, 10:00" in out("quarantine")
    with threadwell.open("threadwell.db", create=False) as tw:
        assert (tw.dates.country, tw.dates.zone.key) == ("GB", "America/New_York")


def test_the_quarantine_is_listed_and_replayed(out: Any, here: Path) -> None:
    out("import", *OPTIONS)
    head, *rows = out("quarantine").splitlines()
    assert head.split() == ["Messages", "Sent", "Channel", "ID", "Why", "Who", "or", "where"]
    stranger = next(row for row in rows if "Nobody known has the address it came from" in row)
    assert stranger.startswith("       1  Mar 9, 2025, 10:00 AM  ")
    assert "+1 207-555-0177" in stranger
    assert "messages.csv, row 6" in next(row for row in rows if "messages.csv" in row)
    assert "…" not in "".join(rows)
    assert "2 messages held; times are in America/New_York." in rows
    assert any("threadwell replay --people" in row for row in rows)
    assert any("threadwell quarantine ID" in row for row in rows)
    held = json.loads(out("quarantine", "--format", "json"))
    assert {one["reason"] for one in held} == {"broken", "unknown-sender"}
    assert json.loads(out("get", held[0]["task"]))["resourceType"] == "Task"
    with (here / "people.csv").open("a") as people:
        people.write("patient,dana,Reed,Dana,+1 207-555-0177,,\n")
    report = json.loads(out("import", *OPTIONS, "--format", "json"))
    assert report["replayed"] == 1
    assert len(json.loads(out("quarantine", "--format", "json"))) == 1


def test_messages_of_one_address_are_one_row(out: Any, here: Path) -> None:
    with (here / "messages.csv").open("a") as messages:
        messages.write("7,d,2025-03-09T12:00:00,+12075550177,+12075550100,again\n")
        messages.write("8,d,2025-03-09T12:05:00,+12075550100,+12075550177,who is it\n")
    out("import", *OPTIONS)
    rows = [row for row in out("quarantine").splitlines() if "+1 207-555-0177" in row]
    assert len(rows) == 1
    assert rows[0].startswith("       3  ")
    held = [o for o in json.loads(out("quarantine", "--format", "json")) if o["unknown"]]
    assert len(held) == 3
    said = out("quarantine", held[0]["task"])
    others = said.partition("For the same address wait:")[2]
    assert [one["task"].removeprefix("Task/") in others for one in held] == [False, True, True]


def test_a_held_message_is_shown_whole(
    out: Any, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (here / "messages.csv").open("a") as messages:
        messages.write('6,d,2025-03-09T11:00:00,+12075550178,+12075550100,"One\x1b[2J\nTwo"\n')
    out("import", *OPTIONS)
    held = {one["reason"]: one for one in json.loads(out("quarantine", "--format", "json"))}
    broken = out("quarantine", held["broken"]["task"])
    assert "messages.csv, row 6: sent" in broken
    assert "never" in broken.splitlines()[-1]
    ids = [
        one["task"].removeprefix("Task/")
        for one in json.loads(out("quarantine", "--format", "json"))
        if one["unknown"] == ["+12075550178"]
    ]
    said = out("quarantine", *ids)
    assert "Mar 9, 2025, 11:00 AM" in said
    assert said.endswith("\nOne [2J\nTwo\n")
    assert json.loads(out("quarantine", *ids, "--format", "json"))["text"] == "One\x1b[2J\nTwo"
    assert main(["quarantine", "nothing"]) == 1
    assert "nothing is held under that id" in capsys.readouterr().err


def test_replay_needs_no_files(out: Any, here: Path) -> None:
    out("import", *OPTIONS)
    assert "0 new sessions\n2 messages still held:" in out("replay")
    with (here / "people.csv").open("a") as people:
        people.write("patient,dana,Reed,Dana,+1 207-555-0177,,\n")
    said = out("replay", "--people", "people.csv")
    assert "1 new session, 1 message placed that had been quarantined" in said
    assert "1 message still held" in said
    assert json.loads(out("replay", "--format", "json"))["replayed"] == 0
    assert out("verify")


def test_replay_makes_patients_of_strangers(out: Any) -> None:
    out("import", *OPTIONS)
    report = json.loads(out("replay", "--unknown", "patient", "--format", "json"))
    assert (report["replayed"], report["held"]) == (1, 1)


def test_the_zone_is_told_and_kept(out: Any, here: Path, capsys: Any) -> None:
    assert main(["import", *OPTIONS]) == 0
    assert "time zone: America/New_York" in capsys.readouterr().err
    (here / "later.csv").write_text(
        "sent,from,to,text\n2025-03-10T09:00:00,+12075550112,+12075550100,Hello again\n"
    )
    assert main(["import", "later.csv"]) == 0
    assert "time zone: America/New_York" in capsys.readouterr().err
    (omar, *_) = json.loads(out("sessions", "--format", "json"))
    assert omar["start"] == "2025-03-10T13:00:00Z"


def test_times_without_a_zone_are_refused_before_anything_is_written(
    out: Any, here: Path, capsys: Any
) -> None:
    assert main(["import", "messages.csv", "--people", "people.csv"]) == 2
    err = capsys.readouterr().err
    assert "the times in these files have no zone" in err
    assert "--zone America/New_York" in err
    assert not (here / "threadwell.db").exists()
    (here / "zoned.csv").write_text("".join(MESSAGES.splitlines(keepends=True)[:3]))
    assert main(["import", "zoned.csv", "--people", "people.csv"]) == 0
    assert "no time zone was ever given: days are those of UTC" in capsys.readouterr().err
    assert main(["import", "messages.csv"]) == 2
    assert (
        json.loads(out("get", "Communication?part-of:missing=false&_summary=count"))["total"] == 2
    )


def test_the_policy_is_kept_and_another_one_refused(out: Any, capsys: Any) -> None:
    out("import", *OPTIONS, "--policy", "inactivity-gap", "--gap", "1h")
    assert json.loads(out("import", *OPTIONS, "--format", "json"))["superseded"] == 0
    out("import", *OPTIONS, "--policy", "inactivity-gap", "--gap", "60m")
    for other, words in (
        (["--policy", "per-thread"], "policy inactivity-gap, not per-thread"),
        (["--gap", "2h"], "gap 60m, not 2h"),
        (["--scope", "patient"], "scope thread, not patient"),
        (["--zone", "UTC"], "zone America/New_York, not UTC"),
        (["--policy", "explicit", "--open-keyword", "hi"], "opening keyword none, not hi"),
    ):
        assert main(["import", *OPTIONS, *other]) == 2
        err = capsys.readouterr().err
        assert words in err
        assert "threadwell recut" in err
        moves_no_time = "moves no time that was read in America/New_York" in err
        assert moves_no_time is ("--zone" in other)


def test_recut_cuts_all_sessions_and_later_imports(out: Any, capsys: Any) -> None:
    out("import", *OPTIONS)
    assert len(json.loads(out("sessions", "--format", "json"))) == 3
    assert main(["recut", "--policy", "per-thread"]) == 0
    told = capsys.readouterr()
    assert "2 new sessions" in told.out
    assert "Sessions: per-thread; time zone: " in told.err
    assert len(json.loads(out("sessions", "--format", "json"))) == 2
    assert json.loads(out("import", *OPTIONS, "--format", "json"))["superseded"] == 0
    assert json.loads(out("recut", "--format", "json"))["sessions"] == 0
    assert out("verify")


def test_a_recut_that_was_killed_is_taken_up_by_the_next_import(
    out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    out("import", *OPTIONS)

    async def killed(*_: Any, **__: Any) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr("threadwell.facade.importing.recut", killed)
        assert main(["recut", "--policy", "per-thread"]) == 1
    assert len(json.loads(out("sessions", "--format", "json"))) == 3
    out("import", "messages.csv")
    assert len(json.loads(out("sessions", "--format", "json"))) == 2


def test_encounters_have_the_clinical_type_and_organization_that_were_chosen(
    out: Any, here: Path
) -> None:
    visit = "http://www.ama-assn.org/go/cpt|99421|Online digital E/M"
    chosen = ["--clinical-type", f"table={visit}", "--organization", "Clinic"]
    out("import", *OPTIONS, *chosen)
    (here / "later.csv").write_text(
        "sent,from,to,text\n2025-04-10T09:00:00,+12075550112,+12075550100,Hello again\n"
    )
    out("import", "later.csv")
    (clinic,) = json.loads(out("get", "Organization"))["entry"]
    encounters = [one["resource"] for one in json.loads(out("get", "Encounter"))["entry"]]
    assert len(encounters) == 4
    for one in encounters:
        assert one["type"][1]["coding"] == [
            {
                "system": "http://www.ama-assn.org/go/cpt",
                "code": "99421",
                "display": "Online digital E/M",
            }
        ]
        assert one["serviceProvider"]["reference"].endswith(clinic["resource"]["id"])


def test_the_first_organization_is_made_by_its_name(out: Any, here: Path) -> None:
    (here / "people.csv").write_text(
        PEOPLE.replace("organization,clinic,Clinic,,+1 207-555-0100,,\n", "")
    )
    out("import", *OPTIONS, "--owner", "+12075550100", "--organization", "Harbour Clinic")
    out("import", *OPTIONS, "--owner", "+12075550100", "--organization", "Harbour Clinic")
    (made,) = json.loads(out("get", "Organization"))["entry"]
    assert made["resource"]["name"] == "Harbour Clinic"


def test_reviews_are_listed(out: Any, here: Path) -> None:
    assert "Nothing" in _after_import(out, "reviews")
    (here / "people.csv").write_text(
        PEOPLE.replace(",lena,mother", ",lena;omar,mother").replace("+1 207-555-0112", "")
    )
    (here / "messages.csv").write_text(MESSAGES.replace("Lena has a fever", "She has a fever"))
    said = out("import", *OPTIONS, "--store", "other.db")
    assert "threadwell reviews --store other.db" in said
    listed = json.loads(out("reviews", "--store", "other.db", "--format", "json"))
    assert {*listed[0]["about"].split(" or ")} == {"Lena Prado", "Omar Farouk"}
    assert {one["name"] for one in listed[0]["candidates"]} == {"Lena Prado", "Omar Farouk"}
    _head, *rows = out("reviews", "--store", "other.db").splitlines()
    assert "Which patient it is about is unclear" in rows[0]
    assert listed[0]["href"] in rows[0]
    assert "2 questions; times are in America/New_York." in rows
    command = f"threadwell answer --store other.db {listed[0]['task'].removeprefix('Task/')} …"
    at = rows.index(f"{listed[0]['when']}: {command}")
    named = [f"    {one['patient']}  {one['name']}" for one in listed[0]["candidates"]]
    assert rows[at + 1 : at + 3] == named


@pytest.fixture
def asked(out: Any, here: Path) -> dict[str, str]:
    """A store that asks about which of two children their mother writes.

    Returns the question (``task``), its ``session``, and the patients by their names.
    """
    (here / "people.csv").write_text(
        PEOPLE.replace(",lena,mother", ",lena;omar,mother").replace("+1 207-555-0112", "")
    )
    (here / "messages.csv").write_text(MESSAGES.replace("Lena has a fever", "She has a fever"))
    out("import", *OPTIONS, "--policy", "per-thread")
    (question,) = json.loads(out("reviews", "--format", "json"))
    ids = {one["name"]: one["patient"] for one in question["candidates"]}
    return {**ids, "task": question["task"], "session": question["focus"]}


def test_an_answer_holds_at_once_and_may_be_corrected(out: Any, asked: dict[str, str]) -> None:
    # With its type or without, as people copy it.
    for task, name in (
        (asked["task"], "Lena Prado"),
        (asked["task"].removeprefix("Task/"), "Omar Farouk"),
    ):
        assert out("answer", task, asked[name]) == "0 new sessions, 1 answer taken\n"
        session = json.loads(out("get", asked["session"]))
        assert session["subject"]["reference"] == asked[name]
    assert "Nothing" in out("reviews")
    both = (asked["Lena Prado"], asked["Omar Farouk"])
    report = json.loads(out("answer", asked["task"], *both, "--format", "json"))
    assert (report["answers"], report["reviews"]) == (1, 0)
    parts = json.loads(out("get", f"Encounter?part-of={asked['session']}"))["entry"]
    subjects = {one["resource"]["subject"]["reference"] for one in parts}
    assert {*both} <= subjects
    # The policy of the store was kept: nothing is cut anew by the next import.
    again = json.loads(out("import", *OPTIONS, "--format", "json"))
    assert (again["sessions"], again["superseded"], again["answers"]) == (0, 0, 0)
    assert out("verify")


def test_answers_that_others_wrote_are_told(out: Any, asked: dict[str, str]) -> None:
    subject = {"op": "add", "path": "/subject", "value": {"reference": asked["Lena Prado"]}}
    out("patch", asked["session"], json.dumps([subject]))
    done = {"op": "replace", "path": "/status", "value": "completed"}
    out("patch", asked["task"], json.dumps([done]))
    assert "0 new sessions, 1 answer taken\n" in out("import", *OPTIONS)
    assert "taken" not in out("replay")


@pytest.mark.parametrize(
    ("task", "patient", "words"),
    [
        ("nothing", "Lena Prado", "there is no Task/nothing"),
        ("task", "Patient/other", "not about Patient/other"),
        ("held", "Lena Prado", "does not ask whom a session is about"),
    ],
)
def test_an_answer_that_cannot_be_is_a_sentence(
    task: str, patient: str, words: str, out: Any, asked: dict[str, str], capsys: Any
) -> None:
    held = json.loads(out("quarantine", "--format", "json"))[0]["task"]
    named = {**asked, "held": held}
    assert main(["answer", named.get(task, task), named.get(patient, patient)]) == 1
    printed, err = capsys.readouterr()
    assert (printed, err.count("\n")) == ("", 1)
    assert err.startswith("threadwell: ")
    assert words in err
    assert "subject" not in json.loads(out("get", asked["session"]))


def test_the_facade_answers_too(asked: dict[str, str]) -> None:
    with threadwell.open("threadwell.db") as tw:
        (question,) = tw.reviews()
        chosen = next(one for one in question.candidates if one.name == "Omar Farouk")
        assert tw.answer_review(question.task, [chosen.patient]).answers == 1
        session = tw.read_resource("Encounter", question.focus.removeprefix("Encounter/"))
        assert session["subject"]["reference"] == asked["Omar Farouk"] == chosen.patient
        assert tw.reviews() == []
        with pytest.raises(BadAnswer):
            tw.answer_review(question.task, [])


def _after_import(out: Any, *command: str) -> str:
    out("import", *OPTIONS)
    return str(out(*command))


def test_a_dry_run_counts_and_writes_nothing(out: Any, here: Path) -> None:
    report = json.loads(out("import", *OPTIONS, "--dry-run", "--format", "json"))
    assert (report["new"], report["quarantined"], report["sessions"]) == (3, 2, 3)
    assert "Nothing was written" in out("import", *OPTIONS, "--dry-run")
    assert not (here / "threadwell.db").exists()
    with threadwell.open("threadwell.db"):
        pass
    out("import", *OPTIONS, "--dry-run")
    for type_ in ("Patient", "Organization", "Communication", "Encounter", "Task", "Binary"):
        assert json.loads(out("get", f"{type_}?_summary=count"))["total"] == 0
    with threadwell.open("threadwell.db") as tw:
        assert tw.care_zone.key == "UTC"


def test_what_is_threadwells_own_is_left_out_with_a_word(here: Path, out: Any) -> None:
    out("client", "add", "x", "--store", "old.db")
    (here / "old.client.json").write_text(out("client", "add", "y", "--store", "old.db"))
    command = [sys.executable, "-m", "threadwell", "import", ".", *OPTIONS[1:]]
    command += ["--store", "new.db", "--format", "json"]
    done = stem.ran(command)
    assert done.returncode == 0, done.stderr
    report, err = json.loads(done.stdout), done.stderr
    assert report["reasons"].get("broken", 0) == 1  # a row of messages.csv
    for name in ("old.db: it is a database of Threadwell", "old.client.json: it is the secret"):
        assert err.count(f"left out {name}") == 1
    # What the first command has written down waits there to be chained.
    assert err.count(".spool: it is a part of the audit trail") == 1


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
        ("kind,shoe\n", "shoe"),
        ("kind,id,birth_date\npatient,a,yesterday\n", "birth_date"),
        ("kind,id\nwizard,a\n", "kind"),
        ('{"resourceType": "Bundle"', "is no JSON"),
    ],
)
def test_wrong_people_are_named_and_nothing_is_written(
    people: str, words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "people.csv").write_text(people)
    assert main(["import", *OPTIONS]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert not (here / "threadwell.db").exists()


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


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_where_there_is_no_message_it_says_so(
    here: Path, out: Any, options: tuple[str, ...]
) -> None:
    (here / "exports").mkdir()
    (here / "exports" / "empty.csv").touch()
    told = "No message was found there; `threadwell import --help` says what is read."
    assert told in out("import", "exports", *options)
