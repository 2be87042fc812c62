"""Servers as processes, under load and under faults: what is acknowledged stays, all else ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import stem

THREADWELL = [sys.executable, "-m", "threadwell"]
SECRET = "Zmeskal"
#: To load the authorities anew for each request would take longer than to answer it.
TLS = ssl.create_default_context()
PATIENT = {"resourceType": "Patient", "name": [{"family": SECRET}]}


@dataclass
class Serving:
    """A running server, its log and a login to it."""

    process: subprocess.Popen[str]
    url: str
    store: Path
    log: Path
    authorization: dict[str, str]
    port: int = field(init=False)

    def __post_init__(self) -> None:
        self.port = httpx.URL(self.url).port or 80

    def client(self, **more: Any) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers=self.authorization, timeout=20, verify=TLS, **more
        )

    def create(self, client: httpx.Client, body: Any = PATIENT) -> httpx.Response:
        return client.post("fhir/R4/Patient", json=body)

    def metric(self, series: str) -> float:
        text = get(self.url + "metrics").text
        found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
        return float(found[1]) if found else 0.0

    def workers(self) -> list[int]:
        text = get(self.url + "metrics").text
        return [int(pid) for pid in re.findall(r"^threadwell_worker_pid\S+ (\d+)$", text, re.M)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code: 1 where something was waited for until patience was at its end."""
        self.process.send_signal(number)
        return self.process.wait(60)


Start = Callable[..., Serving]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A store with one client, and the client's credentials."""
    store = tmp_path_factory.mktemp("known") / "x.db"
    command = [*THREADWELL, "client", "add", "tests", "--store", str(store)]
    return store, json.loads(stem.run(command))


@pytest.fixture
def start(tmp_path: Path, known: tuple[Path, dict[str, str]]) -> Iterator[Start]:
    """Starts servers on a store; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []
    made, client = known
    store = tmp_path / "x.db"
    store.write_bytes(made.read_bytes())

    def start(*options: str, port: int = 0, **more: Any) -> Serving:
        log = tmp_path / f"{len(running)}.log"
        command = [*THREADWELL, "serve", "--store", str(store), "--port", str(port), *options]
        with log.open("w") as errors:
            process = stem.start(command, stdout=subprocess.PIPE, stderr=errors, text=True, **more)
        running.append(process)
        assert process.stdout
        shown = process.stdout.readline()
        url = re.search(r"http\S+", shown)
        assert url, log.read_text()
        while "Ctrl-C" not in process.stdout.readline():
            assert process.poll() is None
        grant = {"grant_type": "client_credentials", **client}
        token = httpx.post(url[0] + "oauth2/token", data=grant, verify=TLS).json()["access_token"]
        authorization = {"Authorization": f"Bearer {token}"}
        return Serving(process, url[0], store, log, authorization)

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def get(url: str, **headers: str) -> httpx.Response:
    """An answer over a connection of its own."""
    return httpx.get(url, headers=headers, timeout=20, verify=TLS)


def narrative(text: str) -> dict[str, str]:
    """A text of a resource."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'
    return {"status": "generated", "div": div}


def wait_until(holds: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.05)


def test_workers_share_everything_that_matters(start: Start) -> None:
    serving = start("--workers", "2")
    workers = serving.workers()
    assert len(set(workers)) == 2

    def count(_: int) -> None:
        with serving.client() as client:
            id_ = serving.create(client).json()["id"]
            for _ in range(5):
                with serving.client() as another:
                    assert another.get(f"fhir/R4/Patient/{id_}").status_code == 200

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    # Whoever is asked tells of all.
    reads = 'threadwell_requests_total{interaction="read",status="200"}'
    assert {serving.metric(reads) for _ in range(8)} == {40.0}
    assert serving.metric("threadwell_commit_change_sets_sum") >= 8
    with serving.client() as client:
        assert client.post("oauth2/logout").status_code == 200
    me = serving.url + "auth/me"
    wait_until(lambda: all(get(me, **serving.authorization).status_code == 401 for _ in range(8)))
    assert serving.stop() == 0


def test_a_worker_that_is_killed_takes_nothing_with_it(start: Start) -> None:
    serving = start("--workers", "2")
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            try:
                with serving.client() as client:
                    while not stop.is_set():
                        answer = serving.create(client)
                        assert answer.status_code == 201, answer.text
                        acknowledged.append(answer.json()["id"])
            except httpx.TransportError:
                continue  # the connection was with the worker that died

    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(write) for _ in range(4)]
        try:
            for _ in range(2):
                time.sleep(0.3)
                before = serving.workers()
                os.kill(before[0], signal.SIGKILL)
                wait_until(lambda: serving.workers()[0] not in before)  # noqa: B023 - at once
            time.sleep(0.3)
        finally:
            # Else nothing would end: what fails has to be told.
            stop.set()
        for writer in writers:
            writer.result()
    assert serving.metric("threadwell_worker_restarts_total") == 2
    assert serving.metric("threadwell_ready") == 2
    with serving.client() as client:
        found = {
            id_ for id_ in acknowledged if client.get(f"fhir/R4/Patient/{id_}").status_code == 200
        }
    assert len(found) == len(set(acknowledged)) == len(acknowledged) > 20
    assert serving.stop() == 0
    log = serving.log.read_text()
    assert log.count("died: SIGKILL") == 2
    assert "Traceback" not in log


def test_workers_end_with_the_process_that_watches_over_them(start: Start) -> None:
    serving = start("--workers", "2")
    workers = serving.workers()
    serving.process.kill()
    serving.process.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    start("--workers", "2", port=serving.port)  # the port is free again


def test_of_two_servers_one_has_the_port(start: Start) -> None:
    serving = start("--workers", "2")
    for workers in ("1", "2"):
        command = [*THREADWELL, "serve", "--store", str(serving.store)]
        again = stem.ran([*command, "--port", str(serving.port), "--workers", workers])
        assert again.returncode == 1
        assert "cannot listen on" in again.stderr
        assert "Traceback" not in again.stderr


def test_workers_say_why_they_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is a diary, not a database" * 100)
    command = [*THREADWELL, "serve", "--store", str(tmp_path / "x.db"), "--port", "0"]
    said = stem.ran([*command, "--workers", "2"])
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1].startswith("threadwell: ")
    assert "is not a Threadwell database" in said.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_told_to_stop_it_finishes_what_is_under_way(start: Start, workers: str) -> None:
    serving = start("--workers", workers)
    raw = _connect(serving)
    body = json.dumps(PATIENT).encode()
    raw.sendall(_head(serving, len(body)) + body[:20])
    idle = serving.client()
    idle.get("healthcheck")
    wait_until(lambda: serving.metric("threadwell_requests_in_flight") == 2)
    serving.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    raw.sendall(body[20:])
    answer = _all_of(raw)
    assert answer.startswith(b"HTTP/1.1 201")
    assert serving.process.wait(60) == 0
    with pytest.raises(httpx.TransportError):
        idle.get("healthcheck")
    idle.close()
    again = start()
    with again.client() as client:
        assert client.get("fhir/R4/Patient?_summary=count").json()["total"] == 1
    assert again.stop() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_stalls_does_not_hold_up_the_stop(start: Start, workers: str) -> None:
    serving = start("--workers", workers)
    raw = _connect(serving)
    raw.sendall(_head(serving, 1000) + b"{")
    wait_until(lambda: serving.metric("threadwell_requests_in_flight") == 2)
    assert serving.stop() == 0
    raw.close()


def test_who_reads_nothing_is_cut_off_and_holds_up_nobody(start: Start) -> None:
    serving = start()
    with serving.client() as client:
        large = {**PATIENT, "text": narrative("x" * 2_000_000)}
        id_ = serving.create(client, large).json()["id"]
        stalled = []
        for _ in range(20):
            raw = _connect(serving)
            ask = f"GET /fhir/R4/Patient/{id_} HTTP/1.1\r\nHost: x\r\nAuthorization: "
            ask += serving.authorization["Authorization"] + "\r\n\r\n"
            raw.sendall(ask.encode() * 50)
            stalled.append(raw)
        time.sleep(0.5)
        assert client.get("healthcheck").status_code == 200
        # Of the fifty answers that each asked for, one waits.
        assert serving.metric('process_resident_memory_bytes{worker="0"}') < 400_000_000
        assert serving.stop() == 0
    for raw in stalled:
        raw.close()


def test_a_head_without_end_is_refused(start: Start) -> None:
    serving = start()
    raw = _connect(serving)
    raw.sendall(b"GET /healthcheck HTTP/1.1\r\n" + b"x-more: and more\r\n" * 4000)
    assert b"431" in _all_of(raw).split(b"\r\n")[0]
    assert get(serving.url + "healthcheck").status_code == 200
    assert serving.metric('threadwell_refused_total{reason="head"}') == 1


def test_who_sends_nothing_is_cut_off(start: Start) -> None:
    script = (
        "import sys; from threadwell.server import connection; connection.HEAD_SECONDS = 1; "
        "connection.BODY_GRACE = 1; from threadwell.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    serving = _patched(start, script)
    silent, slow, dripping = (_connect(serving) for _ in range(3))
    slow.sendall(_head(serving, 1000) + b"{")
    with contextlib.suppress(ConnectionError):
        for byte in b"GET /healthcheck":
            dripping.sendall(bytes([byte]))
            time.sleep(0.3)
    for raw in (silent, slow, dripping):
        assert b"201" not in _all_of(raw)
    wait_until(lambda: serving.metric('threadwell_refused_total{reason="slow"}') >= 3)


def test_too_much_at_once_is_refused_and_soon_over(start: Start) -> None:
    serving = start("--max-in-flight", "4")
    held = [_connect(serving) for _ in range(4)]
    for raw in held:
        raw.sendall(_head(serving, 1000))
    wait_until(lambda: serving.metric("threadwell_requests_in_flight") == 5)
    with serving.client() as client:
        refused = client.get("fhir/R4/Patient")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["issue"][0]["code"] == "throttled"
        assert client.get("health/ready").status_code == 200
        for raw in held:
            raw.close()
        wait_until(lambda: client.get("fhir/R4/Patient").status_code == 200)


def test_a_client_has_its_rate(start: Start) -> None:
    serving = start("--rate-limit", "30", "--workers", "2")
    statuses: list[int] = []
    for _ in range(10):
        with serving.client() as client:
            answers = [client.get("fhir/R4/Patient") for _ in range(5)]
        statuses += [answer.status_code for answer in answers]
    last = answers[-1]
    # A minute may end meanwhile, and another begin.
    assert 30 <= statuses.count(200) <= 60
    assert set(statuses) == {200, 429}
    if last.status_code == 429:
        _, r, t = last.headers["ratelimit"].split(";")
        assert (r, t) == ("r=0", f"t={last.headers['retry-after']}")


def test_a_full_disk_loses_nothing_and_is_got_over(start: Start) -> None:
    # No file may grow beyond this. It stands for a full disk: a write fails half-way.
    limit = 1_000_000

    def restrict() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    serving = start(preexec_fn=restrict)
    body = {**PATIENT, "text": narrative("x" * 20_000)}
    acknowledged: list[str] = []
    with serving.client() as client:
        for _ in range(200):
            answer = serving.create(client, body)
            if answer.status_code != 201:
                break
            acknowledged.append(answer.json()["id"])
        assert answer.status_code in (503, 507), answer.text
        assert answer.json()["issue"][0]["code"] == "no-store"
        assert int(answer.headers["retry-after"]) >= 1
        # Whatever fits still goes in; the probe of readiness is small.
        while (answer := serving.create(client)).status_code == 201:
            acknowledged.append(answer.json()["id"])
        wait_until(lambda: client.get("health/ready").status_code == 503)
        assert client.get("health/live").status_code == 200
        for id_ in acknowledged:
            assert client.get(f"fhir/R4/Patient/{id_}").status_code == 200
        resource.prlimit(
            serving.process.pid,
            resource.RLIMIT_FSIZE,
            (resource.RLIM_INFINITY, resource.RLIM_INFINITY),
        )
        wait_until(lambda: client.get("health/ready").status_code == 200)
        acknowledged.append(serving.create(client, body).json()["id"])
        total = client.get("fhir/R4/Patient?_summary=count").json()["total"]
    assert total == len(acknowledged) > 5
    assert serving.stop() == 0
    assert "cannot be written to" in (log := serving.log.read_text())
    assert SECRET not in log


def test_the_log_has_lines_and_nothing_of_patients(start: Start) -> None:
    serving = start()
    with serving.client() as client:
        id_ = serving.create(client).json()["id"]
        client.get(f"fhir/R4/Patient?name={SECRET}&birthdate=1971-02-03")
        client.get(f"fhir/R4/Patient?name={SECRET}&nonsense={SECRET}")
        client.get(f"fhir/R4/Patient/{id_}/_history/{SECRET}")
        client.post("fhir/R4/Patient", content=f'{{"{SECRET}": ')
        client.get(f"somewhere/{SECRET}")
        stem.run([sys.executable, "-c", BREAK, str(serving.store)])
        failed = client.get(f"fhir/R4/Patient?name={SECRET}")
        assert failed.status_code >= 500
        request_id = failed.json()["extension"][0]["extension"][0]["valueId"]
    raw = _connect(serving)
    raw.sendall(f"GET /{SECRET} nonsense\r\n\r\n".encode())
    _all_of(raw)
    serving.stop()
    log = serving.log.read_text()
    assert request_id in log
    form = r'time=\S+ level=\w+( worker=(\d+|duties))? from=\S+ text="([^"\\]|\\.)*"'
    for line in log.splitlines():
        assert re.fullmatch(form, line)
    for never in (SECRET, id_, "1971", "name="):
        assert never not in log


#: Takes the index away under the server's feet.
BREAK = (
    "import sys, apsw; store = apsw.Connection(sys.argv[1]); store.set_busy_timeout(30_000); "
    "store.execute('DROP TABLE posting; DROP TABLE text')"
)


def _patched(start: Start, script: str) -> Serving:
    """A server that runs ``script`` in place of the command."""
    known = THREADWELL[:]
    THREADWELL[:] = [sys.executable, "-c", script]
    try:
        return start()
    finally:
        THREADWELL[:] = known


def _connect(serving: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", serving.port), timeout=20)


def _head(serving: Serving, length: int) -> bytes:
    return (
        "POST /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n"
        f"Authorization: {serving.authorization['Authorization']}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def _all_of(raw: socket.socket) -> bytes:
    """What comes until the other side closes; ``b""`` if it is cut off."""
    parts = []
    try:
        while part := raw.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)
