"""``threadwell load`` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from threadwell.cli import main


def test_a_store_without_a_zone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.ndjson").write_text('{"resourceType": "Patient", "id": "p"}\n')
    assert main(["load", "p.ndjson", "--store", "a.db"]) == 0
    assert "its days are those of UTC" in capsys.readouterr().out
    assert main(["recut", "--zone", "America/New_York", "--store", "a.db"]) == 0
    capsys.readouterr()
    assert main(["load", "p.ndjson", "--store", "a.db"]) == 0
    assert "UTC" not in capsys.readouterr().out


PEOPLE = (
    "kind,id,family,phone\norganization,us,Harbour,+12075550100\npatient,ana,Prado,+12075550111\n"
)
#: It is still the first of May in New York when the second one is written, and in Berlin no longer.
ROWS = """id,sent,from,to,text
a1,2024-05-01T15:04:00-04:00,+12075550111,+12075550100,My cough is back.
a2,2024-05-01T21:20:00-04:00,+12075550100,+12075550111,Any fever?
"""
NEW_YORK, BERLIN = ("--zone", "America/New_York"), ("--zone", "Europe/Berlin")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(PEOPLE)
    Path("rows.csv").write_text(ROWS)
    return tmp_path


def backfill(to: str, *more: str) -> None:
    """A folder that is filled by one process."""
    people = ("--people", "people.csv", "--workers", "1", "--partitions", "1")
    assert main(["backfill", "rows.csv", *people, "--to", to, *more]) == 0


def imported(store: str, *more: str) -> int:
    return main(["import", "rows.csv", "--people", "people.csv", "--store", store, *more])


def sessions(store: str, capsys: pytest.CaptureFixture[str]) -> int:
    capsys.readouterr()
    assert main(["sessions", "--store", store, "--format", "json"]) == 0
    return len(json.loads(capsys.readouterr().out))


def test_a_store_cuts_on_as_what_was_loaded_was_cut(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a backfill's folder, and by an export of the store that has it."""
    backfill("made", *NEW_YORK, "--policy", "inactivity-gap", "--gap", "5h")
    assert main(["load", "made", "--store", "a.db", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out[out.index("{\n") :])
    cut = {"policy": "inactivity-gap", "gap": "5h", "scope": "thread", "zone": NEW_YORK[1]}
    assert (told["zone"], told["sessions"]) == (NEW_YORK[1], cut)
    assert "inactivity-gap, gap 5h; time zone: America/New_York" in err
    assert main(["export", "exported", "--store", "a.db"]) == 0
    assert main(["load", "exported", "--store", "b.db"]) == 0
    told = "by what the manifest says: inactivity-gap, gap 5h; time zone: America/New_York."
    assert told in capsys.readouterr().out
    for store in ("a.db", "b.db"):
        assert sessions(store, capsys) == 2
        # Nobody says by what: it goes on by that, and knows every message.
        assert imported(store, "--format", "json") == 0
        assert json.loads(capsys.readouterr().out)["known"] == 2
        assert main(["load", "made", "--store", store]) == 0
        assert "From now on" not in capsys.readouterr().out


def test_a_store_takes_nothing_that_was_cut_otherwise(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backfill("made", *NEW_YORK)
    backfill("other", *BERLIN)
    assert imported("a.db", *BERLIN) == 0
    before = sessions("a.db", capsys)
    assert main(["load", "made", "--store", "a.db"]) == 2
    assert "zone Europe/Berlin, not America/New_York" in capsys.readouterr().err
    assert sessions("a.db", capsys) == before
    # Two folders that say two things: neither is loaded.
    assert main(["load", "made", "other", "--store", "b.db"]) == 2
    assert "not Europe/Berlin, by which those in other were cut" in capsys.readouterr().err
    assert main(["load", "other", "--store", "a.db"]) == 0
    # Where no message is in the store, what it was told before is no matter.
    Path("none.csv").write_text(ROWS.splitlines()[0])
    arguments = ["import", "none.csv", "--people", "people.csv", *BERLIN, "--store", "c.db"]
    assert main(arguments) == 0
    assert main(["load", "made", "--store", "c.db"]) == 0
    assert main(["load", "other", "--store", "c.db"]) == 2


def test_what_does_not_cut_sessions_of_the_policy_refuses_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A day has no gap and no keywords, whatever the store was told of them before."""
    backfill("made", *NEW_YORK)
    backfill("gaps", *NEW_YORK, "--policy", "inactivity-gap", "--gap", "5h")
    assert imported("a.db", *NEW_YORK, "--policy", "explicit", "--open-keyword", "My cough") == 0
    capsys.readouterr()
    assert main(["load", "made", "--store", "a.db"]) == 2
    said = "are cut by policy explicit, not per-day, by which"
    assert said in capsys.readouterr().err
    recut = ["recut", "--store", "a.db", "--policy"]
    assert main([*recut, "inactivity-gap", "--gap", "12h"]) == 0
    assert main(["load", "gaps", "--store", "a.db"]) == 2
    assert "are cut by gap 12h, not 5h, by which" in capsys.readouterr().err
    assert imported("a.db", "--gap", "720m", "--open-keyword", "x") == 0
    assert imported("a.db", "--gap", "24h") == 2
    assert main([*recut, "per-day"]) == 0
    assert main(["load", "made", "--store", "a.db"]) == 0
    assert imported("a.db", "--policy", "per-day", "--gap", "24h", "--open-keyword", "x") == 0
    capsys.readouterr()
    assert main(["load", "gaps", "--store", "a.db"]) == 2
    said = "are cut by policy per-day, not inactivity-gap; gap none, not 5h, by which"
    assert said in capsys.readouterr().err
    # What was of no effect is not kept: it is the gap of before that cuts again.
    assert main([*recut, "inactivity-gap"]) == 0
    assert "inactivity-gap, gap 720m; " in capsys.readouterr().err
    assert main([*recut, "explicit"]) == 0
    assert imported("a.db", "--open-keyword", "x") == 2
    assert "opening keyword My cough, not x" in capsys.readouterr().err
    assert main(["load", "made", "--store", "b.db", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["sessions"]["gap"] is None


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda told: told.pop("extension"), 0),
        (lambda told: told["extension"].pop("threadwell-sessions"), 0),
        (lambda told: told["extension"]["threadwell-sessions"]["zone"].pop("rules"), 2),
        (lambda told: told["extension"]["threadwell-sessions"]["choices"].update(gap="long"), 2),
        (lambda told: told["extension"]["threadwell-sessions"]["choices"].update(zone="UTC"), 2),
        (lambda told: told["extension"]["threadwell-sessions"]["choices"].update(policy="x"), 2),
    ],
)
def test_a_manifest_may_say_nothing_of_it_but_not_nonsense(
    here: Path, capsys: pytest.CaptureFixture[str], damage, code: int
) -> None:
    backfill("made", *NEW_YORK)
    manifest = Path("made", "manifest.json")
    told = json.loads(manifest.read_text())
    damage(told)
    manifest.write_text(json.dumps(told))
    capsys.readouterr()
    assert main(["load", "made", "--store", "a.db"]) == code
    out, err = capsys.readouterr()
    assert ("never told the time zone" in out) is (code == 0)
    assert bool(err) is (code == 2)


def test_a_manifest_that_is_cut_off_is_refused(here: Path, capsys: pytest.CaptureFixture[str]):
    backfill("made", *NEW_YORK)
    manifest = Path("made", "manifest.json")
    manifest.write_bytes(manifest.read_bytes()[:-100])
    capsys.readouterr()
    assert main(["load", "made", "--store", "a.db"]) == 2
    assert "manifest.json is damaged: it is no JSON" in capsys.readouterr().err
