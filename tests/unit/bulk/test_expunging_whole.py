"""What is expunged goes with all that has its words, also where it is killed on the way."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.app import open_store
from threadwell.bulk.expunging import Expunging, NotThere
from threadwell.fhir.stamp import now_ms
from threadwell.stores.contract import DEFAULT_PROJECT, Key, Store

HEAD = "kind,id,given,family,phone\n"
LEO = "patient,leo,Leo,Moss,+12125550122\n"
ANA = "patient,ana,Ana,Cruz,+12125550121\n"
TABLE = """id,from,to,sent,text
1,+12125550121,+12125550100,2026-01-05T09:00:00Z,a zebra is at my door
2,+12125550122,+12125550100,2026-01-05T10:00:00Z,when may I come
"""
#: What the record says of an expunged message is here.
WORD = b"zebra"


def take_in(folder: Path, *people: str, table: str = TABLE) -> tuple[int, int, int]:
    """Import a table; how many messages were new, known and held."""
    (folder / "people.csv").write_text(HEAD + "".join(people))
    (folder / "portal.csv").write_text(table)
    with threadwell.open(str(folder / "practice.db")) as tw:
        counts = tw.import_messages(
            folder / "portal.csv",
            people=folder / "people.csv",
            owner="+12125550100",
            zone="UTC",
            workers=0,
        ).counts
    return counts.new, counts.known, counts.quarantined


def people(tw: Any, folder: Path) -> None:
    """Import people alone."""
    (folder / "none.csv").write_text(TABLE.splitlines()[0] + "\n")
    tw.import_messages(
        folder / "none.csv",
        people=folder / "people.csv",
        owner="+12125550100",
        zone="UTC",
        workers=0,
    )


def zebra(folder: Path) -> str:
    with threadwell.open(str(folder / "practice.db")) as tw:
        every = list(tw.search_all("Communication", "part-of:missing=false"))
    (name,) = [f"Communication/{one['id']}" for one in every if "zebra" in str(one)]
    return name


def places(folder: Path) -> list[str]:
    """The files of the store in which the word stands."""
    files = [one for one in folder.iterdir() if one.name.startswith("practice.db")]
    return [one.name for one in files if one.is_file() and WORD in one.read_bytes()]


def test_what_it_was_held_in_goes_along(tmp_path: Path) -> None:
    assert take_in(tmp_path, LEO) == (1, 0, 1)
    take_in(tmp_path, LEO, ANA)
    assert places(tmp_path)
    with threadwell.open(str(tmp_path / "practice.db")) as tw:
        done = tw.expunge(zebra(tmp_path))
    assert dict(done.removed) == {"Communication": 1, "Task": 1, "Binary": 1}
    assert places(tmp_path) == []
    assert take_in(tmp_path, LEO, ANA) == (0, 2, 0)


def test_what_is_held_is_not_held_again(tmp_path: Path) -> None:
    assert take_in(tmp_path, LEO) == (1, 0, 1)
    with threadwell.open(str(tmp_path / "practice.db")) as tw:
        (task,) = tw.search_all("Task")
        done = tw.expunge(f"Task/{task['id']}")
    assert dict(done.removed) == {"Task": 1, "Binary": 1}
    assert take_in(tmp_path, LEO, ANA) == (0, 2, 0)
    assert places(tmp_path) == []


def test_a_person_is_known_by_an_identifier_too(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(HEAD + LEO + ANA)
    with threadwell.open(":memory:") as other:
        people(other, tmp_path)
        (own,) = next(other.search_all("Patient", "family=cruz"))["identifier"]
    path = str(tmp_path / "practice.db")
    with threadwell.open(path) as tw:
        # Somebody has entered her, and the import takes it for the same person.
        body = {"resourceType": "Patient", "identifier": [own], "name": [{"family": "Cruz"}]}
        entered = tw.create_resource(body)
        people(tw, tmp_path)
        assert {one["id"] for one in tw.search_all("Patient", "family=cruz")} == {entered["id"]}
        tw.expunge(f"Patient/{entered['id']}", everything=True)
        people(tw, tmp_path)
        assert [one["name"][0]["family"] for one in tw.search_all("Patient")] == ["Moss"]


def test_a_related_person_of_somebody_expunged_ends_no_import(tmp_path: Path) -> None:
    head = "kind,id,given,family,phone,patient\n"
    rows = f"{LEO.strip()},\n{ANA.strip()},\nrelated-person,mum,Mia,Cruz,+12125550123,ana\n"
    (tmp_path / "people.csv").write_text(head + rows)
    path = str(tmp_path / "practice.db")
    with threadwell.open(path) as tw:
        people(tw, tmp_path)
        ana = next(tw.search_all("Patient", "family=cruz"))
        tw.expunge(f"Patient/{ana['id']}")
        people(tw, tmp_path)
        assert [one["name"][0]["family"] for one in tw.search_all("Patient")] == ["Moss"]


class Dying:
    """A store of which a process is killed at the ``at``-th of its writes, before or after it."""

    def __init__(self, real: Store, at: int) -> None:
        self._real, self._at, self._taken = real, at, 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name not in ("commit", "put_private", "expunge"):
            return real

        async def call(*given: Any, **more: Any) -> Any:
            self._step()
            answer = await real(*given, **more)
            self._step()
            return answer

        return call

    def _step(self) -> None:
        self._taken += 1
        if self._taken == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(path: str, name: str, at: int) -> bool:
    """Whether a process that expunges it was killed at that step, and had not ended before."""
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(_expunge(path, name, at))
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


async def _expunge(path: str, name: str, at: int) -> None:
    store: Any = Dying(open_store(path), at)

    async def nothing() -> None:
        return None

    type_, _, id_ = name.partition("/")
    work = Expunging(store, DEFAULT_PROJECT, now_ms, "", nothing)
    await (work.all_of(id_) if type_ == "Patient" else work.one(Key(type_, id_)))
    await store.close()


@pytest.mark.parametrize("what", ["Communication", "Patient"])
def test_whoever_is_killed_at_any_step_is_gone_on_with(tmp_path: Path, what: str) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    take_in(begun, LEO)
    take_in(begun, LEO, ANA)
    name = zebra(begun)
    with threadwell.open(str(begun / "practice.db")) as tw:
        told = {
            "resourceType": "Provenance",
            "target": [{"reference": name}],
            "recorded": "2026-01-05T12:00:00Z",
            "reason": [{"text": "a zebra"}],
            "agent": [{"who": {"display": "x"}}],
        }
        tw.create_resource(told)
        if what == "Patient":
            name = f"Patient/{next(tw.search_all('Patient', 'family=cruz'))['id']}"
    at = 1
    while True:
        folder = tmp_path / str(at)
        shutil.copytree(begun, folder)
        path = str(folder / "practice.db")
        if not killed(path, name, at):
            break
        with threadwell.open(path) as tw:
            try:
                tw.expunge(name, everything=what == "Patient")
            except NotThere:
                # It was killed once all was done.
                assert at >= 8
            assert list(tw.search_all("Provenance", f"target={name}")) == []
        assert places(folder) == [], at
        with threadwell.open(path) as tw:
            assert tw._loop.call(tw._store.list_private("expunging")) == {}
        at += 1
    assert at > 8
