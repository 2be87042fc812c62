"""A folder that is filled: as by an import, taken up where it ended, made anew where needed."""

from __future__ import annotations

import asyncio
import csv
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import threadwell
from threadwell.backfill.folder import Taken
from threadwell.backfill.remote import Unreachable
from threadwell.cli import main
from threadwell.facade import backfilling
from threadwell.facade.backfilling import BackfillJob, begin_backfill, run_backfill
from threadwell.facade.importing import ImportJob, Who, run_import
from threadwell.fhir.content import with_data
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.choices import Asked
from threadwell.stores.contract import DEFAULT_PROJECT, START, StoreError
from threadwell.stores.memory import MemoryStore

PRACTICE = "+12075550100"
MOTHER, SHARED, NOBODY = "+12075550150", "+12075550160", "+12075550199"
PEOPLE = f"""kind,id,family,given,phone,patient
organization,us,Harbour Lane,,{PRACTICE},
patient,ana,Prado,Ana,+12075550111,
patient,ben,Adler,Ben,+12075550112,
patient,leo,Sato,Leo,,
patient,mia,Sato,Mia,,
patient,tom,Reed,Tom,{SHARED},
patient,una,Reed,Una,{SHARED},
related-person,kim,Sato,Kim,{MOTHER},leo;mia
"""
#: A backfill that is killed when its first part is made; its processes have its output.
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.backfill.test_filling import run

def told(what, *_):
    if what == "made":
        print(what, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    run(Path(sys.argv[1]), told, workers=2, partitions=30)
"""
#: A backfill, and Ctrl-C once its processes have been started, which reaches them too.
STOPPED = """
import os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from threadwell.__main__ import main

submit = ProcessPoolExecutor.submit

def submitted(*what):
    future = submit(*what)
    os.killpg(0, signal.SIGINT)
    return future

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ProcessPoolExecutor.submit = submitted
    sys.exit(main())
"""
ROWS = [
    ("a1", "2024-05-13T15:04:00-04:00", "+12075550111", PRACTICE, "My cough is back."),
    ("a2", "2024-05-13T15:20:00-04:00", PRACTICE, "+12075550111", "Any fever?"),
    ("a3", "2024-05-15T09:00:00-04:00", "+12075550111", PRACTICE, "No, none."),
    # Another one's message under an id that is taken: both are kept, and told apart.
    ("a3", "2024-05-15T09:05:00-04:00", "+12075550112", PRACTICE, "Please call me."),
    ("b1", "2024-05-16T09:05:00-04:00", "+12075550112", PRACTICE, "Thank you."),
    ("", "2024-05-16T09:06:00-04:00", "+12075550112", PRACTICE, "And one without an id."),
    ("", "2024-05-16T09:06:00-04:00", "+12075550112", PRACTICE, "And one without an id."),
    ("m1", "2024-05-13T10:00:00-04:00", MOTHER, PRACTICE, "Leo has a fever, and Mia a rash."),
    ("s1", "2024-05-13T10:01:00-04:00", SHARED, PRACTICE, "Who am I?"),
    ("s2", "2024-05-12T10:01:00-04:00", SHARED, PRACTICE, "And before?"),
    ("n1", "2024-05-13T10:02:00-04:00", NOBODY, PRACTICE, "Nobody knows me."),
    ("n2", "2024-05-13T10:03:00-04:00", PRACTICE, NOBODY, "Who is there?"),
    ("x1", "yesterday", "+12075550111", PRACTICE, "A row without a time."),
]


def write(path: Path, rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("id", "sent", "from", "to", "text"), *rows])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    write(folder / "one.csv", ROWS[::2])
    write(folder / "two.csv", ROWS[1::2])
    return folder


def job(source: Path, **more) -> BackfillJob:
    what = ImportJob(
        (source,),
        who=Who(source.parent / "people.csv", more.pop("unknown", "quarantine")),
        asked=Asked(zone="America/New_York"),
    )
    return BackfillJob(what, source.parent / "made", **{"workers": 1, "partitions": 5, **more})


def run(source: Path, told=lambda *_: None, **more):
    one = job(source, **more)
    basis, folder, plan, _ = asyncio.run(begin_backfill(one))
    return run_backfill(basis, folder, plan, one.workers, told)


def lines(folder: Path) -> dict[str, dict]:
    found = {}
    for file in folder.glob("*.ndjson"):
        for line in file.read_text(encoding="utf-8").splitlines():
            resource = json.loads(line)
            del resource["meta"]
            name = f"{resource['resourceType']}/{resource['id']}"
            assert name not in found
            found[name] = resource
    return found


def imported(source: Path, unknown: str = "quarantine") -> dict[str, dict]:
    store = MemoryStore()

    async def work():
        await run_import(store, DEFAULT_PROJECT, job(source, unknown=unknown).what)
        return await store.versions(DEFAULT_PROJECT, START, 10_000)

    found = {}
    for version in asyncio.run(work()):
        resource = json.loads(with_data(version.stored.body, version.content))
        del resource["meta"]
        found[f"{version.stored.type}/{version.stored.id}"] = resource
    return found


def notes(source: Path) -> dict[str, tuple[int, bytes]]:
    """Every file that was made, and when."""
    made = source.parent / "made"
    return {one.name: (one.stat().st_mtime_ns, one.read_bytes()) for one in made.glob("*.ndjson")}


@pytest.mark.parametrize("unknown", ["quarantine", "patient"])
def test_it_is_what_an_import_makes(source, unknown):
    filled = run(source, unknown=unknown)
    made = lines(source.parent / "made")
    assert made == imported(source, unknown)
    assert len(made) == filled.resources
    counts = filled.report.counts
    assert counts.read == counts.new + counts.known + counts.quarantined == len(ROWS)


def test_the_manifest_names_every_line(source):
    run(source)
    folder = source.parent / "made"
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    named = {one["url"]: (one["type"], one["count"]) for one in told["output"]}
    there = {
        file.name: (file.name.partition(".")[0], len(file.read_bytes().splitlines()))
        for file in folder.glob("*.ndjson")
    }
    assert named == there


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("ids", [True, False])
def test_rows_of_one_table_are_read_by_several(source, parts, ids, monkeypatch):
    monkeypatch.setattr(backfilling, "_STRIPE", 64)
    monkeypatch.setattr(backfilling, "cores", lambda: parts)
    # Where each row has an id the table is cut into spans. Where some have none, that is found out.
    rows = [
        (one[0] if not ids or one[0] else f"y{number}", *one[1:]) for number, one in enumerate(ROWS)
    ]
    write(source / "one.csv", rows[::2])
    write(source / "two.csv", [*rows[1::2], *rows[5:7]])
    if parts == 1:
        run(source, workers=0)
    else:
        basis, folder, plan, _ = asyncio.run(begin_backfill(job(source, workers=parts)))
        assert len(plan.units) > 2 * parts
        assert all(one.span for one in plan.units)
        told: list[str] = []
        run_backfill(basis, folder, plan, 1, lambda what, *_: told.append(what))
        assert (told.count("read") == len(plan.units)) == ids
    assert lines(source.parent / "made") == imported(source)


def test_what_is_broken_off_goes_on(source, monkeypatch):
    monkeypatch.setattr("threadwell.backfill.folder._TASK", 1)
    whole = run(source).report
    expected = lines(source.parent / "made")
    shutil.rmtree(source.parent / "made")
    done: list[tuple[str, int]] = []

    class Killed(Exception):
        pass

    for kill_at in [("read", 1), ("made", 1), ("made", 2)]:

        def told(what, number, _of, kill_at=kill_at):
            done.append((what, number))
            if (what, number) == kill_at:
                raise Killed

        with pytest.raises(Killed):
            run(source, told)
    before = notes(source)
    filled = run(source)
    assert done == [("read", 1), ("read", 1), ("made", 1), ("made", 1), ("made", 2)]
    assert lines(source.parent / "made") == expected
    assert filled.report == whole
    after = notes(source)
    assert before
    assert {name: after[name] for name in before} == before


def test_only_what_changed_is_made_anew(source):
    first = run(source)
    before = notes(source)
    assert run(source).made == 0
    assert {name: one for name, one in notes(source).items() if ".0" in name} == {
        name: one for name, one in before.items() if ".0" in name
    }
    write(source / "three.csv", [("z1", "2024-05-20T10:00:00-04:00", MOTHER, PRACTICE, "Mia?")])
    again = run(source)
    assert (again.made, again.report.counts.read) == (1, first.report.counts.read + 1)
    assert lines(source.parent / "made") == imported(source)
    (source / "three.csv").unlink()
    assert run(source).made == 1
    assert lines(source.parent / "made") == imported(source)


def test_who_is_who_makes_it_anew(source):
    run(source)
    people = source.parent / "people.csv"
    people.write_text(PEOPLE + f"patient,nia,New,Nia,{NOBODY},\n", encoding="utf-8")
    run(source)
    assert lines(source.parent / "made") == imported(source)


def test_a_folder_with_something_else_is_left_alone(source):
    (source.parent / "made").mkdir()
    (source.parent / "made" / "letter.txt").touch()
    with pytest.raises(Taken, match="made is not empty"):
        run(source)


@pytest.mark.parametrize(("memory", "workers", "least"), [(1, 1, 96), (287, 2, 288), (400, 8, 864)])
def test_too_little_memory_is_refused_before_anything_is_done(source, memory, workers, least):
    with pytest.raises(BadSetting, match=f"needs {least} MB at least"):
        run(source, memory=memory * 1024 * 1024, workers=workers)
    assert not (source.parent / "made").exists()


def test_a_folder_is_filled_by_one_at_a_time(source):
    def told(*_):
        with pytest.raises(Taken, match="another process"):
            run(source)

    run(source, told)
    assert lines(source.parent / "made") == imported(source)


def script_run(source: Path, content: str, *arguments: str):
    """What became of a script; as all its output is read, its processes have ended too."""
    script = source.parent / "script.py"
    script.write_text(content, encoding="utf-8")
    root = str(Path(__file__).parents[3])
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])},
    )


def test_processes_end_with_the_one_that_has_started_them(source):
    done = script_run(source, KILLED, str(source))
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "made\n"), done.stderr


def test_ctrl_c_ends_it_with_a_sentence(source):
    people, made = source.parent / "people.csv", source.parent / "made"
    done = script_run(
        *(source, STOPPED, "backfill", str(source), "--people", str(people)),
        *("--zone", "America/New_York", "--to", str(made), "--workers", "2"),
    )
    # Python may end itself by the signal after all was told: for a shell that is 130 as well.
    assert done.returncode in (130, -signal.SIGINT)
    assert done.stderr.splitlines() == [
        "Sessions: per-day; time zone: America/New_York",
        "threadwell: stopped before it was done; what was acknowledged is kept",
    ]
    run(source)
    assert lines(made) == imported(source)


def test_processes_make_the_same_after_one_has_died(source):
    def told(what, *_):
        if what == "made":
            for one in multiprocessing.active_children():
                one.kill()

    with pytest.raises(StoreError, match="start it again to go on"):
        run(source, told, workers=2, partitions=30)
    run(source, workers=2, partitions=30)
    assert lines(source.parent / "made") == imported(source)


def test_a_store_has_the_same(source, tmp_path):
    store = str(tmp_path / "x.db")
    one = replace(job(source, store=store, workers=2), folder=tmp_path / "x.db-backfill")
    basis, folder, plan, _ = asyncio.run(begin_backfill(one))
    filled = run_backfill(basis, folder, plan, 2)
    assert not one.folder.exists()
    with threadwell.open(store) as tw:
        assert tw.verify() == []
        assert tw.import_plan(one.what).counts.known == len(ROWS) - filled.report.counts.quarantined
    exported = tmp_path / "exported"
    assert main(["export", str(exported), "--store", store]) == 0
    assert lines(exported) == imported(source)


def test_files_at_an_address_are_read(source):
    run(source)
    here = lines(source.parent / "made")
    shutil.rmtree(source.parent / "made")
    far = replace(job(source), remote=(source.as_uri(),))
    far = replace(far, what=replace(far.what, paths=()))
    basis, folder, plan, _ = asyncio.run(begin_backfill(far))
    run_backfill(basis, folder, plan, 1)
    assert lines(source.parent / "made") == here


@pytest.mark.parametrize("address", ["file:///nowhere/at/all", "nonsense://x/y"])
def test_an_address_that_leads_nowhere_is_told(source, address):
    with pytest.raises(Unreachable, match=address):
        asyncio.run(begin_backfill(replace(job(source), remote=(address,))))
