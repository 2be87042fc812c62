"""Too much to do, a store that fails, and what the server tells of itself."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest

from threadwell.api.load.allowance import Allowance, Tables
from threadwell.api.load.exposition import exposition
from threadwell.api.load.gate import Load
from threadwell.api.load.meter import Board, Meter
from threadwell.stores.contract import (
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreSlow,
)
from threadwell.stores.memory import MemoryStore


class Faulty(MemoryStore):
    """A store that fails when it is told to."""

    error: StoreError | None = None

    async def commit(self, *of: Any) -> None:
        if self.error:
            raise self.error
        await super().commit(*of)

    async def put_private(self, *of: Any, **more: Any) -> bool:
        if self.error:
            raise self.error
        return await super().put_private(*of, **more)


class Slow(MemoryStore):
    """A store that takes its time to write."""

    async def commit(self, *of: Any) -> None:
        await asyncio.sleep(0.05)
        await super().commit(*of)


class Gated(MemoryStore):
    """A store that answers no read before its gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def read(self, *of: Any) -> Any:
        await self.gate.wait()
        return await super().read(*of)


def value(text: str, series: str) -> float:
    """The value of one line of the metrics."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
    assert found, f"no {series} in\n{text}"
    return float(found[1])


def test_what_is_too_much_is_refused_and_the_rest_answered(new_api) -> None:
    store = Gated()
    api = new_api(store=store, load=Load(max_in_flight=5))

    async def crowd() -> list[Any]:
        asked = [asyncio.create_task(api.send("GET", f"Patient/{api.never}")) for _ in range(8)]
        await asyncio.sleep(0.05)
        told = [await api.send("GET", path) for path in ("/health/live", "/metrics", "/")]
        store.gate.set()
        answers = [await one for one in asked]
        assert [one.status_code for one in told] == [200, 200, 503]
        assert value(told[1].text, 'threadwell_refused_total{reason="in-flight"}') == 3
        answers.append(await api.send("GET", f"Patient/{api.never}"))
        return answers

    answers = asyncio.run(crowd())
    assert [answer.status_code for answer in answers] == [404] * 5 + [503] * 3 + [404]
    refused = answers[5]
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["issue"][0]["code"] == "throttled"


@pytest.mark.parametrize(
    ("error", "status", "retry", "code", "kind"),
    [
        (StoreError("disk gone"), 503, "1", "no-store", "failed"),
        (StoreFull("no space"), 507, "30", "no-store", "full"),
        (StoreDamaged("pages are gone"), 503, "30", "no-store", "damaged"),
        (StoreSlow("took too long"), 503, "30", "timeout", "slow"),
    ],
)
def test_a_store_that_fails_is_told_as_such(
    new_api,
    caplog: pytest.LogCaptureFixture,
    error: StoreError,
    status: int,
    retry: str,
    code: str,
    kind: str,
) -> None:
    store = Faulty()
    api = new_api(store=store)
    api.call("GET", "/health/live")
    patient = {"resourceType": "Patient", "name": [{"family": "Zmeskal"}]}
    store.error = error
    answer = api.call("POST", "Patient", patient)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, retry)
    assert answer.json()["issue"][0]["code"] == code
    metrics = api.call("GET", "/metrics", authorization=None).text
    assert value(metrics, f'threadwell_store_errors_total{{kind="{kind}"}}') == 1
    request_id = answer.json()["extension"][0]["extension"][0]["valueId"]
    (line,) = [record.getMessage() for record in caplog.records if "create" in record.getMessage()]
    assert request_id in line
    assert str(error) in line
    assert "Zmeskal" not in caplog.text
    store.error = None
    assert api.call("POST", "Patient", patient).status_code == 201


def test_a_store_that_fails_in_a_batch_takes_no_other_answer_with_it(new_api) -> None:
    store = Faulty()
    api = new_api(store=store)
    api.call("GET", "/health/live")
    id_ = api.make()["id"]
    store.error = StoreFull("no space")
    answer = api.bundle(
        "batch",
        api.entry("GET", f"Patient/{id_}"),
        api.entry("POST", "Patient", {"resourceType": "Patient"}),
        api.entry("GET", f"Patient/{id_}"),
    )
    assert answer.status_code == 200
    told = [entry["response"] for entry in answer.json()["entry"]]
    assert [one["status"][:3] for one in told] == ["200", "507", "200"]
    assert told[1]["outcome"]["issue"][0]["code"] == "no-store"


def test_a_store_that_has_too_much_to_do_is_no_failure(
    new_api, caplog: pytest.LogCaptureFixture
) -> None:
    store = Faulty()
    api = new_api(store=store)
    api.call("GET", "/health/live")
    store.error = StoreBusy("too many wait")
    answer = api.call("POST", "Patient", {"resourceType": "Patient"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["issue"][0]["code"] == "throttled"
    metrics = api.call("GET", "/metrics", authorization=None).text
    assert value(metrics, 'threadwell_refused_total{reason="searches"}') == 1
    assert "threadwell_store_errors_total{" not in metrics
    assert not caplog.records


def test_ready_means_that_the_store_takes_writes(
    new_api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("threadwell.api.readiness._HOLDS", 0.0)
    caplog.set_level(logging.INFO, "threadwell.api.readiness")
    store, load = Faulty(), Load()
    api = new_api(store=store, load=load)

    def ready() -> tuple[int, Any]:
        answer = api.call("GET", "/health/ready", authorization=None)
        return answer.status_code, answer.json()

    assert ready()[0] == 200
    store.error = StoreFull("no space")
    status, told = ready()
    assert (status, told["ok"], told["read"], told["write"]) == (503, False, True, False)
    store.error = None
    assert ready()[0] == 200
    changes = [r.levelno for r in caplog.records if "the store can" in r.getMessage()]
    assert changes == [logging.ERROR, logging.INFO]
    load.draining = True
    assert ready() == (503, {**ready()[1], "ok": False, "draining": True})
    assert api.call("GET", "/health/live", authorization=None).status_code == 200


def test_a_store_that_hangs_is_not_ready(new_api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threadwell.api.readiness.PATIENCE", 0.05)

    class Hanging(MemoryStore):
        hangs = False

        async def get_private(self, *of: Any) -> Any:
            if self.hangs:
                await asyncio.sleep(10)
            return await super().get_private(*of)

    store = Hanging()
    api = new_api(store=store)
    api.call("GET", "/health/live")
    store.hangs = True
    answer = api.call("GET", "/health/ready", authorization=None)
    assert (answer.status_code, answer.json()["read"]) == (503, False)


def test_a_client_has_its_requests_a_minute(new_api) -> None:
    load = Load(allowance=Allowance(3))
    api = new_api(load=load)
    answers = [api.call("GET", f"Patient/{api.never}") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    left = [answer.headers["ratelimit"].split(";") for answer in answers]
    assert [parts[1] for parts in left] == ["r=2", "r=1", "r=0", "r=0"]
    assert all(len(parts) == 3 for parts in left)
    refused = answers[-1]
    assert refused.json()["id"] == "too-many-requests"
    assert left[-1][2] == f"t={refused.headers['retry-after']}"
    api.clock.now += 60_000
    assert api.call("GET", f"Patient/{api.never}").status_code == 404
    assert api.call("GET", "metadata", authorization=None).status_code == 200


def test_an_allowance_is_shared_by_all_workers() -> None:
    tables = Tables(2)
    one, two = Allowance(10, tables, 0), Allowance(10, tables, 1)
    assert [one.take("a", 60).requests for _ in range(4)] == [9, 8, 7, 6]
    assert two.take("a", 61).requests == 5
    assert two.take("b", 61).requests == 9
    assert one.take("a", 119) == (4, 1)
    assert one.take("a", 120) == (9, 60)


def test_requests_are_counted_by_what_they_are(api) -> None:
    id_ = api.make()["id"]
    api.call("GET", f"Patient/{id_}")
    api.call("GET", f"Patient/{id_}")
    api.call("GET", "Patient?name=Zmeskal")
    api.call("GET", "Patient?nonsense=Zmeskal")
    api.bundle("batch", api.entry("GET", f"Patient/{id_}"))
    api.call("GET", "/somewhere")
    text = api.call("GET", "/metrics", authorization=None).text
    for series, count in [
        ('interaction="create",status="201"', 1),
        ('interaction="read",status="200"', 2),
        ('interaction="search",status="200"', 1),
        ('interaction="search",status="400"', 1),
        ('interaction="batch",status="200"', 1),
        ('interaction="page",status="404"', 1),
    ]:
        assert value(text, f"threadwell_requests_total{{{series}}}") == count
    assert value(text, "threadwell_requests_in_flight") == 1  # the one that asks
    duration = "threadwell_request_duration_seconds"
    assert value(text, f'{duration}_bucket{{interaction="read",le="+Inf"}}') == 2
    assert value(text, f'{duration}_count{{interaction="read"}}') == 2
    assert 0 < value(text, f'{duration}_sum{{interaction="read"}}') < 2
    assert "Zmeskal" not in text
    assert id_ not in text


def test_a_scrape_tells_of_all_workers_and_of_those_that_died() -> None:
    board = Board(2)
    one, two = Meter(board, 0), Meter(board, 1)
    for meter in (one, one, two):
        meter.begin()
        meter.end("read", 200, 0.003)
    two.begin()
    two.committed(5, 0.02)
    two.waiting(7)
    series = 'threadwell_requests_total{interaction="read",status="200"}'
    text = exposition(board)
    assert value(text, series) == 3
    assert value(text, "threadwell_requests_in_flight") == 1
    assert value(text, "threadwell_change_sets_waiting") == 7
    successor = Meter(board, 1)
    board.restarted()
    successor.begin()
    successor.end("read", 200, 0.003)
    text = exposition(board)
    assert value(text, series) == 4
    assert value(text, "threadwell_requests_in_flight") == 0
    assert value(text, "threadwell_worker_restarts_total") == 1
    assert value(text, 'threadwell_commit_change_sets_bucket{le="4"}') == 0
    assert value(text, 'threadwell_commit_change_sets_bucket{le="8"}') == 1
    assert value(text, "threadwell_commit_change_sets_sum") == 5
    assert (
        value(text, 'threadwell_request_duration_seconds_bucket{interaction="read",le="0.0025"}')
        == 0
    )
    assert (
        value(text, 'threadwell_request_duration_seconds_bucket{interaction="read",le="0.005"}')
        == 4
    )


def test_the_metrics_are_well_formed(api) -> None:
    api.make()
    answer = api.call("GET", "/metrics", authorization=None)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        if not line.startswith("#"):
            match = re.fullmatch(
                r'([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+', line
            )
            assert match, line
            assert re.sub("_(bucket|sum|count)$", "", match[1]) in named or match[1] in named
    assert len(lines) == len(set(lines))


def test_large_answers_wait_for_their_readers_in_bounded_room(
    new_api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threadwell.api.load.gate.LARGE", 1000)
    monkeypatch.setattr("threadwell.api.load.gate.MAX_HELD", 7000)
    monkeypatch.setattr("threadwell.api.app.LARGE", 1000)
    monkeypatch.setattr("threadwell.api.sending.LARGE", 1000)
    api = new_api()
    large = api.make(name=[{"text": "x" * 2000}])
    path = f"/fhir/R4/Patient/{large['id']}"
    patch = b'[{"op":"add","path":"/active","value":true}]'
    parts: list[int] = []

    async def ask(method: str, body: bytes, reads: asyncio.Event) -> int:
        """The status of an answer whose reader waits for ``reads`` before it takes the rest."""
        status = 0

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(len(message.get("body", b"")))
            if message.get("more_body"):
                await reads.wait()

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        headers = [(b"authorization", api.basic.encode()), (b"content-length", b"%d" % len(body))]
        scope = {"type": "http", "method": method, "path": path, "query_string": b""}
        await api.app({**scope, "headers": headers}, receive, send)
        return status

    async def crowd() -> list[int]:
        reads, now = asyncio.Event(), asyncio.Event()
        now.set()
        waiting = [asyncio.create_task(ask("GET", b"", reads)) for _ in range(5)]
        await asyncio.sleep(0)
        # What was written is told, however little room there is.
        written = await ask("PATCH", patch, now)
        reads.set()
        return [written, *sorted(await asyncio.gather(*waiting))]

    assert asyncio.run(crowd()) == [200, 200, 200, 200, 503, 503]
    assert max(parts) <= 1000
    assert api.call("GET", path).json()["active"] is True


def test_large_bodies_share_the_room_there_is(new_api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threadwell.api.load.gate.LARGE", 1000)
    monkeypatch.setattr("threadwell.api.load.gate.MAX_HELD", 5000)
    store = Slow()
    api = new_api(store=store)
    api.call("GET", "/health/live")

    async def create(size: int) -> int:
        patient = {"resourceType": "Patient", "name": [{"text": "x" * size}]}
        return (await api.send("POST", "Patient", patient)).status_code

    async def crowd(*sizes: int) -> list[int]:
        return sorted(await asyncio.gather(*map(create, sizes)))

    assert asyncio.run(crowd(2000, 2000, 2000, 10)) == [201, 201, 201, 503]
    assert asyncio.run(crowd(2000, 2000, 10, 10)) == [201] * 4
    form = {"grant_type": "x" * 70_000}
    assert api.call("POST", "/oauth2/token", form, authorization=None).status_code == 413
