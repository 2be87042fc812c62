"""Postfix hands mails over to the listener, over LMTP and SMTP, and hears of each recipient."""

from __future__ import annotations

import asyncio
import smtplib
import threading
import time
from collections.abc import Coroutine, Iterator
from datetime import datetime
from typing import Any, TypeVar

import pytest

import postfix
from threadwell.channels.account import Account
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, entries
from threadwell.messages import Address, AddressKind
from threadwell.server.mail.listener import Listener
from threadwell.server.mail.place import Place
from threadwell.server.mail.running import rules_for
from threadwell.stores.contract import DEFAULT_PROJECT, StoreBusy
from threadwell.stores.memory import MemoryStore

T = TypeVar("T")
CARE, TEAM, OLD = (f"{name}@clinic.example.org" for name in ("care", "team", "old"))
NOBODY = "nobody@clinic.example.org"
MOST = 20_000


class Clinic:
    """Two listeners on one store, in a thread: LMTP for ``care`` and ``team``, SMTP for ``old``."""

    def __init__(self, program: str) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.store, self.busy = MemoryStore(), 0
        for one in (CARE, TEAM, OLD):
            address = Address(AddressKind.EMAIL, one)
            account = Account(one.partition("@")[0], "email", (address,), {"provider": "lmtp"})
            self.run(keep_account(self.store, DEFAULT_PROJECT, account))
        lmtp, smtp = (f"127.0.0.1:{self.run(self.listen(kind))}" for kind in (True, False))
        host, _, port = smtp.partition(":")
        names = dict.fromkeys((CARE, TEAM, NOBODY), f"lmtp:inet:{lmtp}")
        self.postfix = postfix.start(program, {**names, OLD: f"smtp:[{host}]:{port}"})

    async def listen(self, lmtp: bool) -> int:
        rules = rules_for(self.store, Place("127.0.0.1", 0, lmtp, MOST), None)
        kept = rules.keep

        async def keep(into: list[Account], raw: bytes, sender: str, when: datetime) -> None:
            if self.busy:
                self.busy -= 1
                raise StoreBusy("not now")
            await kept(into, raw, sender, when)

        object.__setattr__(rules, "keep", keep)
        server = await Listener(rules).start("127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def send(self, sender: str, to: list[str], words: bytes, *options: str) -> None:
        head = f"From: Kin <{sender}>\r\nTo: {', '.join(to)}\r\nSubject: Tomorrow\r\n\r\n"
        with smtplib.SMTP("127.0.0.1", self.postfix.port) as client:
            client.ehlo()
            client.sendmail(sender, to, head.encode() + words, options)

    def mails(self, words: bytes) -> list[tuple[str, bytes]]:
        """The mails in the journal that have these words, each with its account."""
        found = self.run(entries(self.store, DEFAULT_PROJECT, ARRIVED))
        all_ = [(one.entry.account, one.entry.delivery.body) for one in found]
        return sorted(one for one in all_ if words in one[1])

    def until(self, count: int, words: bytes) -> list[tuple[str, bytes]]:
        """Wait until so many of them are there."""
        deadline = time.monotonic() + 60
        while len(found := self.mails(words)) < count:
            assert time.monotonic() < deadline, self.postfix.log()[-2000:]
            time.sleep(0.01)
        return found


@pytest.fixture(scope="module")
def clinic(postfix_program: str) -> Iterator[Clinic]:
    one = Clinic(postfix_program)
    yield one
    one.postfix.remove()
    one.loop.call_soon_threadsafe(one.loop.stop)


@pytest.mark.parametrize(
    ("sender", "to", "options"),
    [
        ("kin@example.org", CARE, ["BODY=8BITMIME"]),
        ("kin@example.org", OLD, ["BODY=8BITMIME"]),
        ("jörg@example.org", "care+käse@clinic.example.org", ["BODY=8BITMIME", "SMTPUTF8"]),
        ("", CARE, []),
    ],
)
def test_a_mail_comes_as_it_was_sent(clinic: Clinic, sender: str, to: str, options: Any) -> None:
    words = f"Of <{sender}> to <{to}>.".encode()
    body = words + b"\r\n.\r\n..twice\r\n" + ("Grüße " * 100).encode() + b"\r\n"
    clinic.send(sender, [to], body, *options)
    [(_, raw)] = clinic.until(1, words)
    assert raw.endswith(b"\r\n\r\n" + body)
    assert raw.startswith(f"Return-Path: <{sender}>\r\n".encode())


def test_each_recipient_has_an_answer(clinic: Clinic) -> None:
    clinic.send(CARE, [CARE, NOBODY, TEAM], b"For two of three\r\n")
    found = clinic.until(2, b"\r\n\r\nFor two of three\r\n")
    assert [account for account, _ in found] == ["care", "team"]
    # It was handed over once, and so both have the very same mail.
    assert found[0][1] == found[1][1]
    [(account, bounce)] = clinic.until(1, b"Final-Recipient: rfc822; nobody@")
    assert account == "care"
    assert bounce.startswith(b"Return-Path: <>\r\n")
    assert b"Status: 5.1.1" in bounce
    assert clinic.mails(b"\r\n\r\nFor two of three\r\n") == found


@pytest.mark.parametrize("to", [CARE, OLD])
def test_what_is_too_large_is_told_to_its_sender(clinic: Clinic, to: str) -> None:
    clinic.send(TEAM, [to], b"Too large\r\n" * 3000)
    [(account, bounce)] = clinic.until(1, f"Final-Recipient: rfc822; {to}".encode())
    assert account == "team"
    assert b"Status: 5.3.4" in bounce
    assert clinic.mails(b"\r\n\r\nToo large\r\n") == []


def test_what_cannot_be_kept_now_comes_again(clinic: Clinic) -> None:
    clinic.busy = 1
    clinic.send("kin@example.org", [CARE, TEAM], b"A little later\r\n")
    deadline = time.monotonic() + 60
    while "451 4.3.0" not in clinic.postfix.log():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    clinic.postfix.retry()
    found = clinic.until(2, b"\r\n\r\nA little later\r\n")
    assert [account for account, _ in found] == ["care", "team"]
