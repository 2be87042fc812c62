"""Stores that nothing can be written to: commands that read work, others say at once that they
cannot.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from itertools import count
from pathlib import Path

import asyncpg
import pytest

import threadwell
from threadwell.cli import main
from threadwell.stores.contract import StoreError

_NUMBERS = count()
PEOPLE = """\
kind,id,family,given,phone,patient,relationship
organization,elm,Elm Street Clinic,,+1 207-555-0100,,
patient,ana,Prado,Ana,+1 207-555-0111,,
"""
MESSAGES = """\
id,sent,from,to,text
1,2024-03-05T09:00:00-05:00,+12075550111,+12075550100,My knee hurts
2,2024-03-05T10:00:00-05:00,+12075550177,+12075550100,Nobody knows me
"""
READING = (
    ("sessions",),
    ("reviews",),
    ("get", "Encounter?_count=5"),
    ("verify",),
    ("quarantine",),
    ("zones",),
)
WRITING = (
    ("import", "messages.csv"),
    ("recut",),
    ("client", "add", "x"),
    ("post", "Patient", '{"resourceType": "Patient"}'),
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder in which commands run."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "messages.csv").write_text(MESSAGES)
    return tmp_path


@pytest.fixture(params=["file", "file with a log", "served before", "postgres", "postgres role"])
def frozen(request: pytest.FixtureRequest, files: Path) -> Iterator[tuple[str, str]]:
    """The URL of such a store, and what is said of a write to it."""
    if request.param.startswith("postgres"):
        yield from _frozen_postgres(request, files, role=request.param.endswith("role"))
        return
    place = files / "mounted"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a file system")
    try:
        made = files / "made.db"
        _make(files, str(made))
        if request.param == "served before":
            _run(files, "client", "add", "front-desk", "--store", str(made))
        if request.param == "file with a log":
            with threadwell.open(made) as tw:
                tw.create_resource({"resourceType": "Patient", "name": [{"family": "Log"}]})
                assert (files / "made.db-wal").stat().st_size
                shutil.copy(files / "made.db-wal", place / "practice.db-wal")
                shutil.copy(made, place / "practice.db")
        else:
            shutil.copy(made, place / "practice.db")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        yield str(place / "practice.db"), "for writing: Read-only file system"
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _frozen_postgres(
    request: pytest.FixtureRequest, files: Path, *, role: bool
) -> Iterator[tuple[str, str]]:
    server = request.getfixturevalue("postgres_server")
    number = next(_NUMBERS)
    schema, user = f"frozen{number}", f"reader{number}"
    url = f"{server.url()}&schema={schema}"
    _make(files, url)
    statements = [f"CREATE ROLE {user} LOGIN"]
    statements += [f"GRANT USAGE ON SCHEMA {schema} TO {user}"]
    kind = "SELECT" if role else "ALL"
    statements += [f"GRANT {kind} ON ALL TABLES IN SCHEMA {schema} TO {user}"]
    if not role:
        statements += [f"ALTER ROLE {user} SET default_transaction_read_only = on"]
    asyncio.run(_do(url.partition("&schema")[0], *statements))
    assert "//threadwell@" in url
    why = "has not the rights" if role else "takes no writes"
    yield url.replace("//threadwell@", f"//{user}@"), why


async def _do(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _make(files: Path, store: str) -> None:
    with threadwell.open(store) as tw:
        report = tw.import_messages(
            files / "messages.csv", people=files / "people.csv", zone="America/New_York"
        )
        assert (report.counts.new, report.counts.quarantined) == (1, 1)


def _run(files: Path, *argv: str, code: int = 0) -> str:
    """What a command says in that folder; in this process, as a start costs more than most do."""
    out, err = StringIO(), StringIO()
    with chdir(files), redirect_stdout(out), redirect_stderr(err):
        assert main(argv) == code, err.getvalue()
    return out.getvalue() if code == 0 else err.getvalue()


def test_commands_that_read_work_and_others_say_that_they_cannot_write(
    frozen: tuple[str, str], files: Path
) -> None:
    store, why = frozen
    said = {argv[0]: _run(files, *argv, "--store", store) for argv in READING}
    assert "Ana Prado" in said["sessions"]
    assert "keeps the pattern: 1 session" in said["verify"]
    assert "Nobody known has the address" in said["quarantine"]
    (entry,) = json.loads(said["get"])["entry"]
    assert entry["resource"]["resourceType"] == "Encounter"
    for argv in WRITING:
        told = _run(files, *argv, "--store", store, code=1)
        assert why in told
        assert "Traceback" not in told


def test_nothing_can_be_changed_through_a_store_that_is_only_read(
    frozen: tuple[str, str], tmp_path: Path
) -> None:
    with threadwell.open(frozen[0], read_only=True) as tw:
        assert len(tw.search_resources("Patient")) >= 1
        with pytest.raises(StoreError, match="for reading only"):
            tw.create_resource({"resourceType": "Patient"})


def test_a_store_that_could_be_written_is_only_read_too(files: Path) -> None:
    store = files / "practice.db"
    _make(files, str(store))
    with threadwell.open(store, read_only=True) as tw:
        assert len(tw.search_resources("Patient")) == 1
        with pytest.raises(StoreError, match="for reading only"):
            tw.create_resource({"resourceType": "Patient"})
    with pytest.raises(StoreError, match="there is no store"):
        threadwell.open(files / "none.db", read_only=True)
    assert not (files / "none.db").exists()
