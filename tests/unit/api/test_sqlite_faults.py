"""What clients and the log are told of a search without end, and of a file that is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from threadwell.stores.sqlite import SqliteStore, heavy

_NAME = "Zmeskal"


def test_a_search_that_takes_too_long_is_broken_off(
    new_api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heavy, "PATIENCE", -1.0)
    monkeypatch.setattr(heavy, "STEPS_ON_LOOP", 1)
    api = new_api(store=SqliteStore.open(tmp_path / "x.db"))
    api.make(name=[{"family": _NAME}])
    monkeypatch.setattr(heavy, "LONGEST", 0.0)
    answer = api.call("GET", f"Patient?name:contains={_NAME}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.json()["issue"][0]["code"] == "timeout"
    monkeypatch.setattr(heavy, "LONGEST", 60.0)
    assert api.call("GET", f"Patient?name:contains={_NAME}").json()["entry"]
    api.run(api.store.close())


def test_searches_that_would_wait_too_long_are_refused(
    new_api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heavy, "PATIENCE", -1.0)
    monkeypatch.setattr(heavy, "STEPS_ON_LOOP", 1)
    api = new_api(store=SqliteStore.open(tmp_path / "x.db"))
    api.make(name=[{"family": _NAME}])
    entries = [api.entry("GET", f"Patient?name:contains={_NAME}") for _ in range(20)]
    monkeypatch.setattr(heavy, "MAX_WAITING", 3)
    told = [entry["response"] for entry in api.bundle("batch", *entries).json()["entry"]]
    assert {one["status"][:3] for one in told} == {"200", "503"}
    refused = [one["outcome"]["issue"][0]["code"] for one in told if one["status"][:3] == "503"]
    assert set(refused) == {"throttled"}
    api.run(api.store.close())


def test_a_damaged_file_is_told_once_and_without_what_was_asked(
    new_api, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "x.db"
    filled = new_api(store=SqliteStore.open(path))
    id_ = filled.make(name=[{"family": _NAME}])["id"]
    filled.run(filled.store.close())
    api = new_api(store=SqliteStore.open(path))
    assert api.call("GET", "/health/ready").status_code == 200
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    caplog.clear()
    for path_ in (f"Patient/{id_}", f"Patient?name={_NAME}", f"Patient/{id_}/_history"):
        answer = api.call("GET", path_)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30"), path_
        assert answer.json()["issue"][0]["code"] == "no-store"
    (line,) = [record.getMessage() for record in caplog.records]
    assert "damaged" in line
    assert id_ not in caplog.text
    assert _NAME not in caplog.text
    api.run(api.store.close())
