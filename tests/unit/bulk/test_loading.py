"""NDJSON goes into a store and out of it again, whatever is in it and wherever it is broken off."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Line, Who
from threadwell.audit.trail import Trail
from threadwell.bulk import loading, walking
from threadwell.bulk.folder import UNDONE, Taken, export_into
from threadwell.bulk.lines import AS_OURS, MISSHAPEN, Bad
from threadwell.bulk.loading import LOADING, Loader, files_of
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.stores.contract import DEFAULT_PROJECT, START, ChangeSet, Key, Store, Stored
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

RUNNER = asyncio.Runner()
MARKS = {"versionId": "7", "lastUpdated": "2020-02-03T04:05:06.789Z"}
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Ames"}], "meta": MARKS}
MESSAGE = {
    "resourceType": "Communication",
    "id": "c1",
    "status": "completed",
    "subject": {"reference": "Patient/p1"},
}
FILE = {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": "aGVsbG8="}


@contextmanager
def beside(_workers: int, _ended: str) -> Iterator[Executor]:
    """What works ahead does so in this process: what it makes goes the same way."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(
    params=["memory", "sqlite", "postgres", "memory, ahead", "sqlite, ahead", "postgres, ahead"]
)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    one: Store
    kind, _, ahead = request.param.partition(", ")
    monkeypatch.setattr(loading, "_worth", lambda _: len(ahead))
    monkeypatch.setattr(loading, "pool_of", beside)
    if ahead:
        # As if it were much.
        monkeypatch.setattr(loading, "_MUCH", 0)
    match kind:
        case "memory":
            one = MemoryStore()
        case "sqlite":
            one = SqliteStore.open(tmp_path / "x.db")
        case _:
            one = PostgresStore.open(request.getfixturevalue("empty_postgres_url"))
    yield one
    RUNNER.run(one.close())


def file(path: Path, *resources: Any) -> Path:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources]
    text = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)
    return path


def load(store: Store, *paths: Path, **options: Any) -> tuple[dict[str, Any], list[Bad]]:
    bad: list[Bad] = []
    loader = Loader(store, DEFAULT_PROJECT, lambda _, one: bad.append(one), **options)
    loaded = RUNNER.run(loader.load(files_of(paths)))
    kept = {name: value for name, value in asdict(loaded).items() if value and name != "types"}
    return kept, bad


def read(store: Store, type_: str, id_: str) -> dict[str, Any]:
    found = RUNNER.run(store.read(DEFAULT_PROJECT, type_, id_))
    assert found is not None
    return dict(json.loads(found.body))


def test_any_order_any_times(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    file(folder / "Communication.ndjson.gz", MESSAGE)
    file(folder / "other.txt", b"no resource")
    file(folder / "zz.ndjson", PATIENT, b"", FILE)
    assert load(store, folder) == ({"files": 2, "lines": 3, "new": 3}, [])
    message = read(store, "Communication", "c1")
    assert {**message, "meta": None} == {**MESSAGE, "meta": None}
    assert read(store, "Patient", "p1")["meta"]["versionId"] != "7"
    binary = RUNNER.run(store.read(DEFAULT_PROJECT, "Binary", "b1"))
    assert binary is not None
    content = store.content(DEFAULT_PROJECT, "b1", binary.version_id)
    assert RUNNER.run(content) == b"hello"
    assert load(store, folder) == ({"files": 2, "lines": 3, "same": 3}, [])
    changed = file(tmp_path / "p.ndjson", {**PATIENT, "active": True}, {**PATIENT, "active": False})
    assert load(store, changed) == ({"files": 1, "lines": 2, "changed": 2}, [])
    assert read(store, "Patient", "p1")["active"] is False
    assert RUNNER.run(store.list_private(LOADING)) == {}


def test_another_process_reads_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_AT_ONCE", 2)
    many = [{**MESSAGE, "id": f"c{number}"} for number in range(5)]
    path = file(tmp_path / "a.ndjson", *many[:3], b"{", *many[2:], {**PATIENT, "id": "c1"})
    store = SqliteStore.open(tmp_path / "x.db")
    told, bad = load(store, path, workers=1)
    assert told == {"files": 1, "lines": 8, "new": 6, "same": 1, "bad": 1}
    assert [one.number for one in bad] == [4]
    assert read(store, "Communication", "c4")["subject"] == MESSAGE["subject"]
    RUNNER.run(store.close())


def test_much_goes_in_larger_commits_and_leaves_the_store_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []

    class Told(MemoryStore):
        bulk: bool | None = None
        much = False

        @asynccontextmanager
        async def in_bulk(self) -> AsyncIterator[None]:
            self.bulk = True
            yield
            self.bulk = False

        async def commit(self, project: str, change_set: ChangeSet) -> None:
            assert bool(self.bulk) is self.much
            commits.append(len(change_set.writes))
            await super().commit(project, change_set)

    many = [{**PATIENT, "id": f"p{number}"} for number in range(2500)]
    path = file(tmp_path / "a.ndjson", *many)
    load(Told(), path, workers=0)
    assert commits == [1000, 1000, 500, 0]
    commits.clear()
    monkeypatch.setattr(loading, "_MUCH", path.stat().st_size)
    store = Told()
    store.much = True
    load(store, path, workers=0)
    assert commits == [2500, 0]
    assert store.bulk is False


def test_where_most_is_new_again_nobody_looks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    class Told(MemoryStore):
        async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
            looked.append(len(keys))
            return await super().read_many(project, keys)

    monkeypatch.setattr(loading, "_AT_ONCE", 2)
    store = Told()
    people = [{"resourceType": "Patient", "id": f"p{number}"} for number in range(20)]
    load(store, file(tmp_path / "a.ndjson", *people[:6]), workers=0)
    assert looked == []
    counts, _ = load(store, file(tmp_path / "b.ndjson", *people), workers=0)
    assert counts == {"files": 1, "lines": 20, "same": 6, "new": 14}
    # The first three were there. One more part was read by the time that one was new.
    assert looked == [2, 2, 2, 2, 2]


def test_versions_are_kept_where_that_is_asked_for(store: Store, tmp_path: Path) -> None:
    first = file(tmp_path / "a.ndjson", PATIENT, MESSAGE)
    assert load(store, first, as_it_was=True)[0] == {"files": 1, "lines": 2, "new": 2}
    assert read(store, "Patient", "p1") == PATIENT
    later = {"versionId": "8", "lastUpdated": "2021-01-01T00:00:00.000Z"}
    then = {**PATIENT, "active": True, "meta": later}
    second = file(tmp_path / "b.ndjson", then)
    assert load(store, second, as_it_was=True)[0]["changed"] == 1
    assert load(store, first, as_it_was=True)[0] == {
        "files": 1,
        "lines": 2,
        "same": 1,
        "older": 1,
    }
    assert read(store, "Patient", "p1")["meta"] == later


def test_no_two_versions_of_a_resource_have_one_id(store: Store, tmp_path: Path) -> None:
    """Two servers number theirs alike, and who has seen the one has not seen the other."""
    told = [("1", "aGVsbG8="), ("1", "aGk="), ("2", "aG8="), ("1", "aGE=")]
    every = [
        FILE | {"data": data, "meta": {"versionId": one, "lastUpdated": f"{year}-01-01T00:00:00Z"}}
        for year, (one, data) in enumerate(told, 2020)
    ]
    counts, _ = load(store, file(tmp_path / "a.ndjson", *every), as_it_was=True)
    assert counts == {"files": 1, "lines": 4, "new": 1, "changed": 3}
    found, _ = RUNNER.run(store.history(DEFAULT_PROJECT, "Binary", "b1", 9, 0))
    ids = [one.version_id for one in reversed(found)]
    assert (ids[0], ids[2], len(set(ids))) == ("1", "2", 4)
    texts = [RUNNER.run(store.content(DEFAULT_PROJECT, "b1", one)) for one in ids]
    assert texts == [b"hello", b"hi", b"ho", b"ha"]


BAD = [
    (b'{"resourceType": "Patient", "id"', "it is no JSON: Input data was truncated"),
    (b'["Patient"]', "it is no JSON object"),
    (b'{"resourceType": "Horse", "id": "1"}', "its resourceType is none of R4"),
    (b'{"resourceType": "Patient"}', "it has no id by which others could refer to it"),
    (b'{"resourceType": "Patient", "id": "a b"}', "it has no id by which others could refer to it"),
    (
        b'{"resourceType": "Patient", "id": "1", "hooves": 4, "active": "yes"}',
        'Invalid additional property "hooves" (Patient.hooves); Invalid JSON type: expected'
        " boolean, but got string (Patient.active)",
    ),
    (
        b'{"resourceType": "Communication", "id": "1", "status": "completed",'
        b' "subject": {"reference": "Patient?phone=1"}}',
        "a reference in it is a search: here it has to name a resource",
    ),
    (
        b'{"resourceType": "Patient", "id": "1", "meta": {"tag": [{"system":'
        b' "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]}}',
        "it is a part of a resource (SUBSETTED): the rest would be lost",
    ),
    (b'{"resourceType": "Patient", "id": "1", "id": "2"}', None),
    (b"\xff\xfe", None),
    (b'{"resourceType": "AuditEvent", "id": "audit.3.1"}', AS_OURS),
]


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_a_bad_line_is_told_and_kept(tmp_path: Path, text: bytes, reason: str | None) -> None:
    store = MemoryStore()
    path = file(tmp_path / "x.ndjson", PATIENT, text, MESSAGE)
    counts, bad = load(store, path)
    assert counts == {"files": 1, "lines": 3, "new": 2, "bad": 1}
    assert [(one.number, one.text) for one in bad] == [(2, text)]
    assert reason is None or sorted(bad[0].reason.split("; ")) == sorted(reason.split("; "))


def test_what_is_trusted_is_not_checked(store: Store, tmp_path: Path) -> None:
    odd = {"resourceType": "Patient", "id": "odd", "hooves": 4}
    wrong = b'{"resourceType": "Patient", "id": "wrong", "name": 7, "meta": "none"}'
    # Only the store itself looks at it.
    parameter = {"resourceType": "SearchParameter", "id": "wrong", "base": 7, "code": ["a"]}
    path = file(tmp_path / "x.ndjson", PATIENT, odd, wrong, MESSAGE, parameter)
    counts, bad = load(store, path, trusted=True)
    assert counts == {"files": 1, "lines": 5, "new": 3, "bad": 2}
    assert [(one.number, one.reason) for one in bad] == [(3, MISSHAPEN), (5, MISSHAPEN)]
    assert read(store, "Patient", "odd")["hooves"] == 4


@pytest.mark.parametrize("damage", [lambda text: text[:-9], lambda text: text[:9] + b"no" * 9])
def test_damaged_gzip_is_told_with_its_file(tmp_path: Path, damage: Any) -> None:
    path = file(tmp_path / "x.ndjson.gz", PATIENT, MESSAGE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OSError, match=r"damaged.*x\.ndjson\.gz"):
        load(MemoryStore(), path)


def test_a_subscription_calls_nobody(tmp_path: Path) -> None:
    store = MemoryStore()
    subscription = {
        "resourceType": "Subscription",
        "id": "s1",
        "status": "active",
        "reason": "all",
        "criteria": "Communication",
        "channel": {"type": "rest-hook", "endpoint": "https://hooks.example.org/"},
    }
    load(store, file(tmp_path / "x.ndjson", subscription))
    assert read(store, "Subscription", "s1")["status"] == "off"


class _Dies(MemoryStore):
    """Its machine stops at the commit of that number, before or after it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.left = -1
        self.after = False

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise KeyboardInterrupt
        await super().commit(project, change_set)
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commits", [1, 2, 3, 4])
def test_what_is_broken_off_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int, after: bool
) -> None:
    monkeypatch.setattr(loading, "_AT_ONCE", 2)
    people = [{"resourceType": "Patient", "id": f"p{n}"} for n in range(7)]
    path = file(tmp_path / "x.ndjson.gz", *people[:3], b"bad", *people[3:])
    store = _Dies()
    store.left, store.after = commits, after
    seen: list[int] = []

    async def begin() -> None:
        await Loader(store, DEFAULT_PROJECT, lambda _, one: seen.append(one.number)).load([path])

    with asyncio.Runner() as runner, pytest.raises(KeyboardInterrupt):
        runner.run(begin())
    store.left = -1
    counts, bad = load(store, path)
    seen += [one.number for one in bad]
    assert set(seen) == {4}
    versions = RUNNER.run(store.versions(DEFAULT_PROJECT, START, 100))
    assert sorted(one.stored.id for one in versions) == [f"p{n}" for n in range(7)]
    assert counts.get("lines", 0) + counts.get("skipped", 0) == 8


def export(store: Store, folder: Path, **options: Any) -> dict[str, bytes]:
    RUNNER.run(export_into(store, DEFAULT_PROJECT, folder, sorted(RESOURCE_TYPES), **options))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_exported_is_loaded_as_it_was(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "SETTLES", 0)
    load(store, file(tmp_path / "in.ndjson", PATIENT, MESSAGE, FILE), as_it_was=True)
    files = export(store, tmp_path / "out")
    assert set(files) == {
        *("Binary.1.ndjson", "Communication.1.ndjson", "Patient.1.ndjson", "manifest.json"),
    }
    manifest = json.loads(files["manifest.json"])
    assert [one["count"] for one in manifest["output"]] == [1, 1, 1]
    other = MemoryStore()
    assert load(other, tmp_path / "out", as_it_was=True)[0]["new"] == 3
    again = export(other, tmp_path / "again")
    assert {name: text for name, text in again.items() if name != "manifest.json"} == {
        name: text for name, text in files.items() if name != "manifest.json"
    }


def test_what_is_exported_is_recorded(store: Store, tmp_path: Path) -> None:
    load(store, file(tmp_path / "in.ndjson", PATIENT, MESSAGE))
    export(store, tmp_path / "out", by=Who(name="robin", way="command export"))

    async def told() -> list[Line]:
        found = find(Trail(store), DEFAULT_PROJECT, Wanted(act="export"))
        return [line async for line in found]

    lines = RUNNER.run(told())
    seen = {f"{one.type}/{one.id}" for line in lines for one in line.record.touched}
    assert seen == {"Patient/p1", "Communication/c1"}
    assert {line.record.by.name for line in lines} == {"robin"}
    assert {patient for line in lines for patient in line.patients} == {"p1"}


def test_an_export_that_is_broken_off_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "SETTLES", 0)
    monkeypatch.setattr(walking, "PAGE", 2)
    store, out = MemoryStore(), tmp_path / "out"
    people = [{"resourceType": "Patient", "id": f"p{n}"} for n in range(7)]
    load(store, file(tmp_path / "in.ndjson", *people))

    def stops(progress: Any) -> None:
        if progress.lines() >= 4:
            raise KeyboardInterrupt

    with asyncio.Runner() as runner, pytest.raises(KeyboardInterrupt):
        runner.run(export_into(store, DEFAULT_PROJECT, out, ["Patient"], told=stops))
    assert (out / UNDONE).exists()
    # What was written after its progress was kept is not counted.
    with (out / "Patient.1.ndjson").open("ab") as there:
        there.write(b'{"resourceType": "Pat')
    RUNNER.run(export_into(store, DEFAULT_PROJECT, out, ["Patient"]))
    lines = (out / "Patient.1.ndjson").read_bytes().splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == [f"p{n}" for n in range(7)]
    assert not (out / UNDONE).exists()
    with pytest.raises(Taken):
        RUNNER.run(export_into(store, DEFAULT_PROJECT, out, ["Patient"]))


@pytest.mark.parametrize("trusted", [False, True])
def test_no_record_is_forged(tmp_path: Path, *, trusted: bool) -> None:
    store = MemoryStore()
    forged = {"resourceType": "AuditEvent", "id": "audit.3.1"}
    counts, bad = load(store, file(tmp_path / "x.ndjson", forged, PATIENT), trusted=trusted)
    assert counts == {"files": 1, "lines": 2, "new": 1, "bad": 1}
    assert [(one.number, one.reason) for one in bad] == [(1, AS_OURS)]
