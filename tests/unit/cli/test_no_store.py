"""Where the store is that a command goes to, and what a mistake leaves."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

import threadwell
from threadwell.cli import main
from threadwell.stores.sqlite.missing import stores_beside, told

NAMES = "there is no store at threadwell.db; `threadwell import` makes one, and --store or "
INVITE = ("user", "invite", "mo@clinic.example.org", "--first", "Mo", "--last", "Adeyemi")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADWELL_STORE", raising=False)
    return tmp_path


def make(path: str) -> None:
    with threadwell.open(path) as tw:
        tw.create_resource({"resourceType": "Patient"})


@pytest.mark.parametrize("command", [("sessions",), ("backup", "x.db"), ("user", "list")])
def test_who_finds_no_store_is_told_which_there_are(
    here: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert main(command) == 1
    assert capsys.readouterr().err.endswith(f"{NAMES}$THREADWELL_STORE names another\n")
    make("threadwell-sample.db")
    Path("notes.db").write_text("SQLite format 3")
    Path("folder.db").mkdir()
    with closing(apsw.Connection("other.db")) as other:
        other.execute("CREATE TABLE t (x)")
    assert main(command) == 1
    said = f"{NAMES}$THREADWELL_STORE names another: threadwell-sample.db\n"
    assert capsys.readouterr().err.endswith(said)
    assert not Path("threadwell.db").exists()


def test_of_many_the_first_are_told(here: Path) -> None:
    for name in ("a.db", "b.sqlite", "c.db", "d.db", "e.db"):
        make(name)
    assert told(stores_beside(Path("c.db"))) == "a.db, b.sqlite, d.db, and 1 more there"
    assert stores_beside(Path("no", "x.db")) == []


def test_a_new_store_beside_others_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account in an empty store is of no use to who meant the sample's."""
    note = "Note: threadwell.db was made: a store of its own, beside threadwell-sample.db. --store"
    assert main(INVITE) == 0
    assert "Note:" not in capsys.readouterr().err
    for left in here.glob("threadwell.db*"):
        if left.is_file():
            left.unlink()
    make("threadwell-sample.db")
    assert main((*INVITE, "--store", "mine.db")) == 0
    assert "Note:" not in capsys.readouterr().err
    Path("mine.db").unlink()
    assert main(INVITE) == 0
    assert note in capsys.readouterr().err
    assert main(("user", "list")) == 0
    assert "Note:" not in capsys.readouterr().err
    monkeypatch.setenv("THREADWELL_STORE", "threadwell-sample.db")
    assert main(INVITE) == 0
    assert "Note:" not in capsys.readouterr().err


MISTAKES = [
    (("--people", "none.csv"), 1, "none.csv"),
    (("--people", "bad.csv"), 1, "nobody was imported: line 2"),
    (("--policy", "weekly"), 2, "weekly"),
    (("--people", "people.csv", "--channel", "fax"), 2, "fax"),
]


@pytest.mark.parametrize(("options", "code", "says"), MISTAKES, ids=lambda one: str(one))
@pytest.mark.parametrize("to", ["made", "deep/made", "empty"])
def test_a_backfill_that_has_not_begun_leaves_nothing(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    says: str,
    to: str,
) -> None:
    rows = "id,sent,from,to,text\na1,2024-05-01T15:04:00-04:00,+12075550111,+12075550100,Hello\n"
    people = "kind,id,family,phone\norganization,us,Harbour,+12075550100\n"
    Path("rows.csv").write_text(rows)
    Path("people.csv").write_text(people)
    Path("bad.csv").write_text("kind,id\nnobody,x\n")
    Path("deep").mkdir()
    Path("empty").mkdir()
    before = sorted(here.rglob("*"))
    command = ("backfill", "rows.csv", "--workers", "1", "--partitions", "1", "--to", to)
    assert main((*command, *options)) == code
    assert says in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before
    # What was begun before stays, as it is gone on with.
    assert main((*command, "--people", "people.csv")) == 0
    before = sorted(here.rglob("*"))
    assert main((*command, *options)) == code
    assert set(here.rglob("*")) >= set(before)


@pytest.mark.parametrize("options", [("--people", "none.csv"), ("--policy", "weekly")])
def test_neither_does_one_into_a_store(here: Path, options: tuple[str, ...]) -> None:
    Path("rows.csv").write_text("id,sent,from,to,text\n")
    before = sorted(here.rglob("*"))
    assert main(("backfill", "rows.csv", "--workers", "1", "--to", "a.db", *options)) in (1, 2)
    assert sorted(here.rglob("*")) == before
