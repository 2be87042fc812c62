"""A mail server hands a mail over, a person answers, and the patient's answer comes back."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import stem
from mail_relay import Relay
from threadwell.cli import main

_THREADWELL = [sys.executable, "-m", "threadwell"]


class Clinic:
    def do(self, *arguments: str) -> str:
        """What a command prints; in this process, as a new one takes long to begin."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert main(arguments) == 0
        return printed.getvalue()

    def get(self, what: str) -> list[Any]:
        found = json.loads(self.do("get", what))
        return [one["resource"] for one in found.get("entry", ())]

    @contextmanager
    def running(self, *arguments: str, says: str) -> Iterator[str]:
        process = stem.start([*_THREADWELL, *arguments], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline()]
            while "Ctrl-C" not in lines[-1]:
                assert process.poll() is None
                lines.append(process.stdout.readline())
            [line] = [line for line in lines if says in line]
            yield line
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0


def mail(id_: str, text: str, more: str = "") -> str:
    date = format_datetime(datetime.now(UTC))
    head = f"From: Ana <ana@example.org>\r\nTo: care@clinic.example.org\r\nDate: {date}\r\n"
    return f"{head}Message-ID: <{id_}>\r\nSubject: Tomorrow\r\n{more}\r\n{text}\r\n"


def listener() -> int:
    """The process that takes mails beside a server that this one has started."""
    shown = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True
    )
    rows = [line.split(None, 2) for line in shown.stdout.splitlines()]
    mine = {str(os.getpid())}
    while more := {pid for pid, parent, _ in rows if parent in mine} - mine:
        mine |= more
    [found] = [pid for pid, _, args in rows if pid in mine and "server.mail.beside" in args]
    return int(found)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_from_a_mail_server_and_back(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("THREADWELL_STORE", str(tmp_path / "threadwell.db"))
    relay = Relay(tmp_path)
    clinic, at_hand = Clinic(), free_port()
    clinic.do(
        *("account", "add", "mail", "--channel", "email", "--address", "care@clinic.example.org"),
        *("--set", "provider=lmtp", "--set", f"smtp-host=127.0.0.1:{relay.port}"),
        *("--set", "smtp-tls=no", "--set", "from-name=Elm Street", "--allow-host", "127.0.0.1"),
    )
    telecom = [{"system": "email", "value": "ana@example.org"}]
    clinic.do("post", "Patient", json.dumps({"resourceType": "Patient", "telecom": telecom}))
    dana = json.loads(clinic.do("post", "Practitioner", '{"resourceType": "Practitioner"}'))["id"]
    try:
        with (
            clinic.running("serve", "--port", "0", "--mail", f"127.0.0.1:{at_hand}", says="serves"),
            clinic.running("mail", "--listen", "127.0.0.1:0", says="LMTP") as line,
        ):
            port = int(re.findall(r":(\d+)", line)[-1])

            def deliver(raw: str, at: int = port) -> None:
                until = time.monotonic() + 60
                while True:
                    try:
                        with smtplib.LMTP("127.0.0.1", at) as server:
                            to = ["care+any@clinic.example.org"]
                            server.sendmail("ana@example.org", to, raw)
                            return
                    except OSError:
                        # It is not there yet, or not any more.
                        assert time.monotonic() < until
                        time.sleep(0.1)

            def messages(count: int) -> list[Any]:
                until = time.monotonic() + 60
                while True:
                    found = [one for one in clinic.get("Communication") if "partOf" in one]
                    if len(found) == count:
                        return found
                    assert time.monotonic() < until, found
                    time.sleep(0.2)

            deliver(mail("m1@example.org", "When?"), at_hand)
            [asked] = messages(1)
            thread = asked["partOf"][0]["reference"]
            clinic.do("reply", thread, "At three.", "--as", f"Practitioner/{dana}")
            until = time.monotonic() + 60
            while not relay.taken and time.monotonic() < until:
                time.sleep(0.1)
            [taken] = relay.taken
            assert taken.mail["In-Reply-To"] == "<m1@example.org>"
            own = taken.mail["Message-ID"]
            deliver(mail("m2@example.org", "Good.", f"In-Reply-To: {own}\r\n"))
            # A mail server that has not heard the answer delivers again.
            deliver(mail("m2@example.org", "Good.", f"In-Reply-To: {own}\r\n"))
            found = messages(3)
            # Whoever serves has another listener where one died.
            os.kill(listener(), signal.SIGKILL)
            deliver(mail("m3@example.org", "Bye.", f"In-Reply-To: {own}\r\n"), at_hand)
            found = messages(4)
            assert {one["partOf"][0]["reference"] for one in found} == {thread}
    finally:
        relay.close()
    assert len(clinic.get("Encounter")) > 0


def test_whoever_is_told_that_mails_are_taken_can_hand_one_over(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("THREADWELL_STORE", str(tmp_path / "threadwell.db"))
    clinic = Clinic()
    clinic.do(
        *("account", "add", "mail", "--channel", "email", "--address", "care@clinic.example.org"),
        *("--set", "provider=lmtp"),
    )
    workers = ("--workers", "2") if hasattr(os, "fork") else ()
    for number, more in enumerate(((), workers)):
        at = ("serve", "--port", "0", "--mail", "127.0.0.1:0", *more)
        with clinic.running(*at, says="LMTP") as line:
            port = int(re.findall(r":(\d+)", line)[-1])
            with smtplib.LMTP("127.0.0.1", port) as server:
                raw = mail(f"m{number}@example.org", "When?")
                server.sendmail("ana@example.org", ["care@clinic.example.org"], raw)
            # The process that takes mails dies: whoever comes meanwhile waits for the next one.
            os.kill(listener(), signal.SIGKILL)
            with smtplib.LMTP("127.0.0.1", port) as server:
                assert server.noop()[0] == 250


def test_a_mail_port_that_is_taken_is_told_before_anything_is_served(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("THREADWELL_STORE", str(tmp_path / "threadwell.db"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = ["serve", "--port", "0", "--mail", f"127.0.0.1:{port}"]
        done = stem.ran([*_THREADWELL, *command])
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "try another --mail" in done.stderr
