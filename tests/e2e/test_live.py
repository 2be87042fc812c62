"""Messages as they come, under a real server: kept, acknowledged, and in the record by itself."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import stem
import threadwell
from threadwell.app import create_server, duties_of, open_store
from threadwell.channels.account import Account
from threadwell.duties.rota import perform
from threadwell.encounters.delivery import delivery_of
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, FILES, entries
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, Store

from .conftest import THREADWELL, free_port
from .provider import ACCOUNT, OFFICE, TOKEN, Provider, status, text

ANA, BEN = "+12075550111", "+12075550122"


@dataclass
class Practice:
    """A practice with an account at the provider, and the server that it runs."""

    store: str
    log: Path
    provider: Provider = field(default_factory=lambda: Provider(""))
    process: subprocess.Popen[str] | None = None
    duties: list[subprocess.Popen[str]] = field(default_factory=list)
    port: int = 0

    def set_up(self) -> None:
        with threadwell.open(self.store) as tw:
            tw.add_account(
                "desk",
                "twilio",
                {"account_sid": ACCOUNT, "auth_token": TOKEN},
                addresses=OFFICE,
                hosts=[f"{host}:{self.provider.port}" for host in ("127.0.0.1", "localhost")],
            )
            tw.create_resource(patient("Ana", ANA))
            tw.create_resource(patient("Ben", BEN))

    def serve(self, *options: str) -> None:
        """Start the server, on the port that it had before."""
        command = [*THREADWELL, "serve", "--store", self.store, "--port", str(self.port), *options]
        with self.log.open("a") as errors:
            self.process = stem.start(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
            )
        assert self.process.stdout
        url = re.search(r"http\S+:(\d+)/", self.process.stdout.readline())
        assert url, self.log.read_text()
        while "Ctrl-C" not in self.process.stdout.readline():
            assert self.process.poll() is None
        self.port = int(url[1])
        self.provider.hook = f"{url[0]}hooks/desk"

    def do_duties(self) -> subprocess.Popen[str]:
        """Start a process that does the duties alone."""
        with self.log.open("a") as errors:
            command = [*THREADWELL, "duties", "--store", self.store]
            process = stem.start(command, stdout=errors, stderr=errors, text=True)
        self.duties.append(process)
        return process

    def end(self) -> None:
        for process in (self.process, *self.duties):
            if process is not None and process.poll() is None:
                process.kill()
            if process is not None:
                process.wait()
                if process.stdout:
                    process.stdout.close()

    def children(self) -> list[dict[str, Any]]:
        """The messages of the record, as they were sent."""
        return self.wait_until(lambda *_: True)

    def wait_for(self, messages: int, seconds: float = 60) -> list[dict[str, Any]]:
        """The messages, once there are so many and nothing waits any more."""
        return self.wait_until(
            lambda found, waiting: len(found) == messages and not waiting, seconds
        )

    def wait_until(
        self, fits: Callable[[list[dict[str, Any]], int], bool], seconds: float = 60
    ) -> list[dict[str, Any]]:
        """The messages, once they fit with how many entries wait, asked of one open store."""

        async def wait() -> list[dict[str, Any]]:
            until = time.monotonic() + seconds
            store = open_store(self.store)
            try:
                while True:
                    waiting = await _waiting(store)
                    found = await _found(store)
                    if fits(found, waiting):
                        return found
                    assert time.monotonic() < until, (len(found), waiting, self.log.read_text())
                    await asyncio.sleep(0.1)
            finally:
                await store.close()

        return asyncio.run(wait())


async def _found(store: Store) -> list[dict[str, Any]]:
    page = await store.search(DEFAULT_PROJECT, Query("Communication", count=1000))
    found = [decode(one.body) for one in page.matches]
    return sorted((one for one in found if "partOf" in one), key=lambda one: one["sent"])


async def _waiting(store: Store) -> int:
    return sum([len(await entries(store, DEFAULT_PROJECT, kind)) for kind in (ARRIVED, FILES)])


@pytest.fixture
def practice(new_store: Callable[[], str], tmp_path: Path) -> Iterator[Practice]:
    one = Practice(new_store(), tmp_path / "log")
    with ExitStack() as stack:
        stack.callback(one.end)
        stack.enter_context(one.provider.serving_files())
        one.set_up()
        yield one


def patient(name: str, phone: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "name": [{"given": [name], "family": "Sample"}],
        "telecom": [{"system": "phone", "value": phone}],
    }


def words(child: dict[str, Any]) -> str:
    return str(child["payload"][0].get("contentString", ""))


def test_a_server_takes_in_what_arrives(practice: Practice) -> None:
    provider = practice.provider
    provider.files["/media/1"] = b"a rash"
    provider.files["/bare/2"] = b"another"
    provider.moved["/media/2"] = provider.file_url("/bare/2", "localhost")
    practice.serve()
    media = {
        "NumMedia": "1",
        "MediaUrl0": provider.file_url("/media/1"),
        "MediaContentType0": "image/jpeg",
    }
    whatsapp = {
        "From": f"whatsapp:{ANA}",
        "To": f"whatsapp:{OFFICE}",
        "ProfileName": "Ana",
        **media,
        "MediaUrl0": provider.file_url("/media/2"),
    }
    assert provider.deliver(text(1, "Are you open on Friday?", ANA)) == 1
    assert provider.deliver(text(2, "Look at this", BEN, **media)) == 1
    assert provider.deliver(text(3, "And here", ANA, **whatsapp)) == 1
    # A retry after the first one was taken in, or while it waits.
    for number in (1, 3, 1):
        said = text(number, "Are you open on Friday?", ANA) if number == 1 else None
        provider.deliver(said or text(3, "And here", ANA, **whatsapp))
    found = practice.wait_for(3)
    assert sorted(map(words, found)) == ["And here", "Are you open on Friday?", "Look at this"]
    pictures = {words(one): one for one in found if len(one["payload"]) == 2}
    sizes = {name: one["payload"][1]["contentAttachment"]["size"] for name, one in pictures.items()}
    assert sizes == {"Look at this": 6, "And here": 7}
    assert all("note" not in one for one in found)
    # Where a redirect leads gets no credentials.
    given = {(path, bool(given)) for _, path, given in provider.asked}
    assert given == {("/media/1", True), ("/media/2", True), ("/bare/2", False)}
    with threadwell.open(practice.store) as tw:
        assert tw.verify() == []
        sessions = tw.sessions()
    assert sum(one.messages for one in sessions) == 3
    assert TOKEN not in practice.log.read_text()
    assert "Friday" not in practice.log.read_text()


def test_a_store_in_memory_takes_in_what_arrives() -> None:
    async def run() -> int:
        store = open_store(":memory:")
        own = Address(AddressKind.PHONE, OFFICE)
        values = {"account_sid": ACCOUNT, "auth_token": TOKEN}
        await keep_account(store, DEFAULT_PROJECT, Account("desk", "twilio", (own,), values))
        stop = asyncio.Event()
        doing = asyncio.create_task(perform(store, DEFAULT_PROJECT, duties_of(store), stop))
        app = create_server(store, base_url="http://testserver")
        transport = httpx.ASGITransport(app)
        signed = Provider("http://testserver/hooks/desk").request(text(1, "Who is there?", ANA))
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.send(signed)).status_code == 200
        try:
            async with asyncio.timeout(60):
                while not (await store.search(DEFAULT_PROJECT, Query("Task"))).matches:
                    await asyncio.sleep(0.02)
                while await entries(store, DEFAULT_PROJECT, ARRIVED):
                    await asyncio.sleep(0.02)
        finally:
            stop.set()
            await doing
            await store.close()
        return 1

    assert asyncio.run(run())


def delivered_as(child: dict[str, Any]) -> tuple[str, str]:
    delivery = delivery_of(child)
    return (delivery.state, delivery.error) if delivery else ("", "")


def logged(path: Path, *numbers: int) -> Path:
    """A message log of the provider's, with messages that the practice has sent."""
    lines = ["Sid,Date Sent,From,To,Direction,Body,Status,Num Media"]
    lines += [
        f"SM{number:032x},2024-04-10T09:{number:02}:00Z,{OFFICE},{ANA},outbound-api,"
        f"Answer {number},sent,0"
        for number in numbers
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_states_come_before_and_after_their_message(practice: Practice, tmp_path: Path) -> None:
    provider = practice.provider
    practice.serve()
    for word in ("sent", "delivered", "read"):
        provider.deliver(status(11, word, ANA))
    with threadwell.open(practice.store) as tw:
        tw.import_messages(logged(tmp_path / "log.csv", 11, 12), owner=OFFICE, zone="UTC")
    provider.deliver(status(12, "undelivered", ANA, ErrorCode="30006"))
    expected = [("read", ""), ("failed", "30006")]
    practice.wait_until(lambda found, _: [delivered_as(one) for one in found] == expected)
    assert practice.wait_for(2)[1]["statusReason"]["text"] == (
        "It was not delivered: it is a landline, or its carrier takes no text messages "
        "(the provider's error 30006)"
    )


@pytest.mark.parametrize("log_first", [True, False])
def test_a_log_and_a_webhook_are_one_message(
    practice: Practice, tmp_path: Path, log_first: bool
) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "Sid,Date Sent,From,To,Direction,Body,Status,Num Media\n"
        f"SM{7:032x},2024-04-10T09:00:00Z,{ANA},{OFFICE},inbound,Can I come?,received,0\n"
    )

    def read_log() -> None:
        with threadwell.open(practice.store) as tw:
            tw.import_messages(log, owner=OFFICE, zone="UTC")

    if log_first:
        read_log()
    practice.serve()
    practice.provider.deliver(text(7, "Can I come?", ANA))
    practice.wait_for(1)
    if not log_first:
        read_log()
    (child,) = practice.wait_for(1)
    # The log knows when it was sent, the webhook when it arrived.
    assert child["sent"] == "2024-04-10T09:00:00Z"
    assert child["received"] > "2024-04-11"
    with threadwell.open(practice.store) as tw:
        assert tw.verify() == []


def test_a_kill_between_acknowledgement_and_record_loses_nothing(practice: Practice) -> None:
    """Server and duties are killed again and again while a provider delivers, and retries."""
    provider = practice.provider
    practice.serve("--no-duties")
    duties = practice.do_duties()
    for number in range(24):
        provider.deliver(text(number, f"Message {number}", (ANA, BEN)[number % 2]))
        if number == 7:
            assert practice.process
            os.killpg(practice.process.pid, signal.SIGKILL)
            practice.process.wait()
            practice.serve("--no-duties")
        if number in (4, 18):
            duties.kill()
            duties.wait()
            duties = practice.do_duties()
        if number % 9 == 0:
            provider.deliver(
                text(number // 2, f"Message {number // 2}", (ANA, BEN)[number // 2 % 2])
            )
    found = practice.wait_for(24, seconds=90)
    assert sorted(map(words, found)) == sorted(f"Message {number}" for number in range(24))
    with threadwell.open(practice.store) as tw:
        assert tw.verify() == []
        assert tw.quarantine() == []


def test_the_page_can_be_followed_from_an_empty_account(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "live.md").read_text()
    steps = re.findall(r"^ *```sh\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL)
    *before, serve, after, answer, by_hand = [
        re.sub(r"^   ", "", step, flags=re.MULTILINE) for step in steps
    ]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TWILIO_TOKEN": TOKEN,
    }

    programs = tmp_path / "programs"
    programs.mkdir()
    forking = {**environment, "PATH": stem.on_the_path(programs)}

    def run(step: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", step],
            cwd=tmp_path,
            env=forking,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for step in before:
        run(step)
    port = free_port()
    command = f"exec {serve.strip()} --port {port}"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            ["bash", "-ec", command],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout
        while "Ctrl-C" not in process.stdout.readline():
            assert process.poll() is None, (tmp_path / "log").read_text()
        signed = Provider("https://threadwell.example.org/hooks/front-desk")
        request = signed.request(text(1, "Are you open on Friday?", ANA))
        request.url = httpx.URL(f"http://127.0.0.1:{port}/hooks/front-desk")
        with httpx.Client(timeout=60) as client:
            assert client.send(request).status_code == 200
        if all(map(shutil.which, ("curl", "openssl"))):
            told = run(by_hand.replace("127.0.0.1:8103", f"127.0.0.1:{port}"))
            assert "200" in told.splitlines()[0], told
        until = time.monotonic() + 60
        while "Ana" not in (shown := run(after)):
            assert time.monotonic() < until, shown + (tmp_path / "log").read_text()
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    # Nobody sends any more: what is written stays in the outbox.
    post, todos, reply, outbox = answer.strip().splitlines()
    nora = f"Practitioner/{json.loads(run(post))['id']}"
    [task] = re.findall(r"Ana Sample +(Task/\S+)", run(todos))
    message = run(reply.replace("Practitioner/…", nora).replace("Task/…", task)).split()[0]
    assert message in run(outbox)
    assert "No thread waits" in run(todos)
