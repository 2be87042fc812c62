"""The answers of one bundle are bounded together: none of them can take the server's memory."""

from __future__ import annotations

import pytest

PATIENT = {"resourceType": "Patient"}
SIZE = 100_000


@pytest.fixture
def large(new_api, monkeypatch: pytest.MonkeyPatch):
    """A server with room for three large resources in an answer, and the path of one."""
    monkeypatch.setattr("threadwell.api.rest.room.MAX_ANSWERS", 3 * SIZE + SIZE // 2)
    api = new_api()
    made = api.make("Communication", status="completed", payload=[{"contentString": "x" * SIZE}])
    return api, f"Communication/{made['id']}"


def test_reads_of_a_batch(large) -> None:
    api, path = large
    answer = api.bundle("batch", *(api.entry("GET", path) for _ in range(50)))
    entries = answer.json()["entry"]
    assert [one["response"]["status"] for one in entries] == ["200"] * 3 + ["400"] * 47
    issue = entries[-1]["response"]["outcome"]["issue"][0]
    assert issue["code"] == "too-costly"
    assert len(answer.content) < 4 * SIZE


def test_a_small_answer_fits_where_a_large_one_does_not(large) -> None:
    api, path = large
    entries = [
        *(api.entry("GET", path) for _ in range(5)),
        api.entry("GET", f"{path}?_summary=text"),
    ]
    answered = api.bundle("batch", *entries).json()["entry"]
    assert [one["response"]["status"] for one in answered] == ["200"] * 3 + ["400"] * 2 + ["200"]


def test_what_is_written_is_told_without_the_resource(large) -> None:
    api, path = large
    genders = [{"op": "add", "path": "/status", "value": v} for v in ("completed", "stopped") * 4]
    answer = api.bundle("batch", *(api.entry("PATCH", path, [op]) for op in genders))
    entries = answer.json()["entry"]
    assert [one["response"]["status"] for one in entries] == ["200"] * 8
    assert ["resource" in one for one in entries] == [True] * 3 + [False] * 5
    assert all(one["response"]["etag"] for one in entries)
    assert len(answer.content) < 4 * SIZE + 8 * 1024


def test_reads_of_a_transaction_fail_it_before_anything_is_written(large) -> None:
    api, path = large
    reads = [api.entry("GET", path) for _ in range(4)]
    answer = api.bundle("transaction", api.entry("POST", "Patient", PATIENT), *reads)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "too-costly"
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4]"]
    assert api.ids("Patient") == []


def test_reads_of_what_a_transaction_writes(large) -> None:
    api, path = large
    writes = api.entry("PATCH", path, [{"op": "add", "path": "/status", "value": "stopped"}])
    answer = api.bundle("transaction", writes, *(api.entry("GET", path) for _ in range(4)))
    statuses = [one["response"]["status"] for one in answer.json()["entry"]]
    assert statuses == ["200", "200", "200", "400", "400"]
    assert api.versions(*path.split("/")) == 2


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_of_too_many_entries(new_api, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("threadwell.api.rest.entries.MAX_ENTRIES", 3)
    api = new_api()
    answer = api.bundle(kind, *(api.entry("POST", "Patient", PATIENT) for _ in range(4)))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "too-costly")
    assert api.ids("Patient") == []
    assert api.bundle(kind, *(api.entry("GET", "Patient") for _ in range(3))).status_code == 200
