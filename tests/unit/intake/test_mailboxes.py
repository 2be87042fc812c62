"""Mailboxes on a real mail server are read, once, and stay as they are."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

import dovecot
from threadwell.app import channel_labels, live_channels
from threadwell.calls.mailbox import Held, Mailbox, MailboxFailed, Place
from threadwell.channels.account import Account
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake.accounts import checked, keep_account, remove_account
from threadwell.intake.arrivals.journal import ARRIVED, Entry, entries
from threadwell.intake.arrivals.mailboxes import Mailboxes
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.bad_setting import BadSetting
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreBusy
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")
_USERS = count()


def mail(number: int, body: str = "Hello", **more: str) -> bytes:
    """A mail as it is on a server."""
    fields = {
        "From": "ana@example.org",
        "To": "care@clinic.example.org",
        "Date": f"Mon, 3 Jun 2024 09:{number % 60:02}:00 +0000",
        "Message-ID": f"<m{number}@example.org>",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{lines}\r\n{body}\r\n".encode()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    match request.param:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return SqliteStore.open(tmp_path / "threadwell.db")
        case _:
            return PostgresStore.open(request.getfixturevalue("empty_postgres_url"))


class Clinic:
    """A mailbox of its own on the server, and a store that takes what is new there."""

    def __init__(self, server: dovecot.Server, store: Store) -> None:
        self.server, self.store = server, store
        self.user = f"clinic{next(_USERS)}"
        self.runner = asyncio.Runner()
        self.mailboxes = self.opened()

    def opened(self, **options: Any) -> Mailboxes:
        """The mailboxes as a process keeps them that has just begun."""
        usual: dict[str, Any] = {"pauses": (0.0,), "look": 0.0}
        return Mailboxes(options.pop("store", self.store), DEFAULT_PROJECT, **usual | options)

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def account(self, name: str = "mail", **values: str) -> Account:
        usual = {
            "provider": "imap",
            "host": f"127.0.0.1:{self.server.port}",
            "user": self.user,
            "password": dovecot.PASSWORD,
            "tls": "no",
        }
        account = Account(name, "email", (CARE,), usual | values, hosts=("127.0.0.1", "localhost"))
        self.run(keep_account(self.store, DEFAULT_PROJECT, account))
        return account

    def client(self) -> IMAPClient:
        client = IMAPClient("127.0.0.1", self.server.port, ssl=False, timeout=20)
        client.login(self.user, dovecot.PASSWORD)
        return client

    def put(self, *mails: bytes, folder: str = "INBOX", flags: tuple[str, ...] = ()) -> None:
        """Deliver mails."""
        for one in mails:
            # A server that is busy with a folder that was removed may refuse the new one at first.
            for tries_left in (4, 3, 2, 1, 0):
                try:
                    with self.client() as client:
                        if not client.folder_exists(folder):
                            client.create_folder(folder)
                        client.append(folder, one, flags)
                except IMAPClientError:
                    if not tries_left:
                        raise
                else:
                    break

    def read(self, mailboxes: Mailboxes | None = None) -> None:
        """Take all that is new."""

        async def all_() -> None:
            while await (mailboxes or self.mailboxes).round() == 0.0 and await self.grown():
                pass

        self.seen = -1
        self.run(all_())

    async def grown(self) -> bool:
        before, self.seen = self.seen, len(await entries(self.store, DEFAULT_PROJECT, ARRIVED))
        return self.seen != before

    def journal(self) -> list[Entry]:
        found = self.run(entries(self.store, DEFAULT_PROJECT, ARRIVED))
        return [one.entry for one in found]

    def bodies(self) -> list[bytes]:
        return sorted(one.delivery.body for one in self.journal())

    def take(self) -> None:
        """Take the journal in."""
        options = (self.store, DEFAULT_PROJECT, live_channels(), channel_labels())
        self.run(Taking(*options).round())

    def stored(self, type_: str) -> list[dict[str, Any]]:
        page = self.run(self.store.search(DEFAULT_PROJECT, Query(type_, count=1000)))
        return [decode(stored.body) for stored in page.matches]

    def close(self) -> None:
        self.mailboxes.close()
        self.run(self.store.close())
        self.runner.close()


@pytest.fixture
def clinic(mail_server: dovecot.Server, store: Store) -> Iterator[Clinic]:
    one = Clinic(mail_server, store)
    yield one
    one.close()


@pytest.fixture
def quick(mail_server: dovecot.Server) -> Iterator[Clinic]:
    """A clinic whose store is in memory, for what a store has no part in."""
    one = Clinic(mail_server, MemoryStore())
    yield one
    one.close()


def test_what_is_there_and_what_comes_is_taken_once(clinic: Clinic) -> None:
    clinic.account()
    clinic.put(mail(1), mail(2, "Grüße"))
    clinic.read()
    assert clinic.bodies() == sorted([mail(1), mail(2, "Grüße")])
    clinic.put(mail(3))
    clinic.read()
    clinic.read(clinic.opened())
    assert clinic.bodies() == sorted([mail(1), mail(2, "Grüße"), mail(3)])
    clinic.take()
    assert clinic.journal() == []
    clinic.read(clinic.opened())
    assert clinic.journal() == []


def test_nothing_is_marked_moved_or_removed(quick: Clinic) -> None:
    quick.account()
    quick.put(mail(1), flags=("\\Flagged",))
    quick.put(mail(2))
    quick.read()
    with quick.client() as client:
        client.select_folder("INBOX", readonly=True)
        flags = client.get_flags(client.search())
    # That a mail is \Recent is the server's own note.
    assert {uid: set(said) - {b"\\Recent"} for uid, said in flags.items()} == {
        1: {b"\\Flagged"},
        2: set(),
    }


def test_more_mails_than_one_commit_takes(quick: Clinic) -> None:
    quick.account()
    with quick.client() as client:
        for number in range(230):
            client.append("INBOX", mail(number))
    quick.read()
    assert len(quick.bodies()) == len(set(quick.bodies())) == 230


def test_large_mails_do_not_come_in_one_commit(quick: Clinic, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.intake.arrivals.mailboxes._BYTES", 1000)
    quick.account()
    large = [mail(number, "x" * 900) for number in range(5)]
    quick.put(*large)
    quick.read()
    assert quick.bodies() == sorted(large)


def test_a_mail_that_no_server_would_take_leaves_a_trace(quick: Clinic, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.intake.arrivals.mailboxes._LARGEST", 1000)
    quick.account()
    quick.put(mail(1), mail(2, "x" * 1000), mail(3))
    quick.read()
    assert quick.bodies() == sorted([b"", mail(1), mail(3)])
    quick.take()
    held = [one for one in quick.stored("Task") if "did not hand it over" in str(one)]
    assert len(held) == 1


def test_the_server_tells_what_is_new(quick: Clinic) -> None:
    quick.account()
    mailboxes = quick.opened(look=3600.0)
    quick.put(mail(1))
    quick.read(mailboxes)
    assert quick.run(mailboxes.round()) > 0
    quick.put(mail(2))

    async def until_told() -> None:
        while len(await entries(quick.store, DEFAULT_PROJECT, ARRIVED)) < 2:
            await asyncio.sleep(min(await mailboxes.round(), 0.1))

    quick.run(asyncio.wait_for(until_told(), 30))
    assert quick.bodies() == sorted([mail(1), mail(2)])
    mailboxes.close()


def test_a_server_that_goes_away_is_tried_again(quick: Clinic, caplog: Any) -> None:
    quick.account()
    quick.put(mail(1))
    mailboxes = quick.opened(look=3600.0, pauses=(0.05, 0.1))
    quick.read(mailboxes)
    quick.server.stop()

    async def until_noticed() -> None:
        while "cannot be read" not in caplog.text:
            await asyncio.sleep(min(await mailboxes.round(), 0.1))

    quick.run(asyncio.wait_for(until_noticed(), 30))
    for _ in range(3):
        assert quick.run(mailboxes.round()) <= 0.1
    quick.server.start()
    quick.put(mail(2))

    async def until_read() -> None:
        while len(await entries(quick.store, DEFAULT_PROJECT, ARRIVED)) < 2:
            await asyncio.sleep(await mailboxes.round())

    quick.run(asyncio.wait_for(until_read(), 30))
    assert quick.bodies() == sorted([mail(1), mail(2)])
    mailboxes.close()


def test_folders_and_what_they_mean(clinic: Clinic, caplog: Any) -> None:
    clinic.account(folders="INBOX, Sent ,Ärzte/Extern,Gone,Drafts")
    clinic.put(mail(1))
    clinic.put(mail(2, From="care@clinic.example.org", To="ana@example.org"), folder="Sent")
    clinic.put(mail(3), folder="Ärzte/Extern")
    clinic.put(mail(4), folder="Drafts")
    clinic.put(mail(5), flags=("\\Draft",))
    clinic.put(mail(6), folder="Other")
    clinic.read()
    assert len(clinic.journal()) == 5
    warned = [one for one in caplog.records if "no folder 'Gone'" in one.getMessage()]
    assert len(warned) == 1
    clinic.take()
    assert clinic.journal() == []
    aside = [one for one in clinic.stored("Task") if "a draft, never sent" in str(one)]
    assert len(aside) == 2


def test_mails_that_are_counted_anew_are_the_same_mails(clinic: Clinic) -> None:
    clinic.account(folders="Patients")
    mails = [mail(1), mail(2), mail(3, Message_ID="")]
    clinic.put(*mails, folder="Patients")
    clinic.read()
    clinic.take()
    before = clinic.stored("Task"), clinic.stored("Communication")
    for _ in range(2):
        clinic.mailboxes.close()
        with clinic.client() as client:
            client.delete_folder("Patients")
        clinic.put(*mails[::-1], folder="Patients")
        clinic.read()
        assert len(clinic.journal()) == 3
        clinic.take()
        assert (clinic.stored("Task"), clinic.stored("Communication")) == before


def test_reading_begins_at_a_day(quick: Clinic) -> None:
    quick.account(since="2099-01-01")
    quick.put(mail(1))
    quick.read()
    assert quick.journal() == []
    quick.account(since="2020-01-01")
    quick.read(quick.opened())
    assert quick.bodies() == [mail(1)]


def test_where_a_process_ends_nothing_is_lost_or_doubled(clinic: Clinic) -> None:
    clinic.account()
    mails = [mail(number) for number in range(6)]

    class Breaking:
        """A store that breaks off a commit, before it is done or after."""

        def __init__(self, store: Store, *, after: bool) -> None:
            self._store, self._after = store, after

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def commit(self, *of: Any) -> None:
            if self._after:
                await self._store.commit(*of)
            raise StoreBusy("gone")

    for number, one in enumerate(mails):
        clinic.put(one)
        broken: Any = Breaking(clinic.store, after=bool(number % 2))
        with pytest.raises(StoreBusy):
            clinic.read(clinic.opened(store=broken))
        assert len(clinic.journal()) == number + number % 2
        clinic.read(clinic.opened())
        assert clinic.bodies() == sorted(mails[: number + 1])


def test_two_processes_at_once_take_each_mail_once(clinic: Clinic) -> None:
    clinic.account()
    mails = [mail(number) for number in range(8)]
    clinic.put(*mails)
    several = [clinic.opened() for _ in range(3)]

    async def all_() -> None:
        await asyncio.gather(*(one.round() for one in several), return_exceptions=True)

    clinic.run(all_())
    for one in several:
        clinic.read(one)
        one.close()
    assert clinic.bodies() == sorted(mails)


def test_an_account_that_is_gone_or_changed(quick: Clinic, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.intake.arrivals.mailboxes._NONE", 0.0)
    quick.account()
    quick.put(mail(1))
    quick.read()
    quick.run(remove_account(quick.store, DEFAULT_PROJECT, "mail"))
    quick.put(mail(2))
    quick.read()
    assert quick.bodies() == [mail(1)]
    # What waits of it is kept whole.
    quick.take()
    assert quick.journal() == []
    quick.account(password="another")
    quick.read()
    assert quick.journal() == []
    quick.account()
    quick.read(quick.opened())
    assert quick.bodies() == [mail(2)]


def failure(place: Place) -> MailboxFailed:
    with pytest.raises(MailboxFailed) as failed:
        Mailbox(place)
    return failed.value


def test_who_is_not_let_in(mail_server: dovecot.Server, monkeypatch: Any) -> None:
    port = mail_server.port
    said = failure(Place("127.0.0.1", "a", port, password="hunter-two", secure=False, allowed=True))
    assert (said.refused, "hunter" in str(said)) == (True, False)
    assert "password" in str(said)
    assert "private network" in str(failure(Place("localhost", "a", port)))
    assert "with TLS" in str(failure(Place("mail.example.org", "a", 143, secure=False)))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        free = closed.getsockname()[1]
    assert "no connections" in str(failure(Place("127.0.0.1", "a", free, allowed=True)))
    # The server's certificate is its own, until somebody trusts it.
    place = Place("localhost", "a", mail_server.tls_port, dovecot.PASSWORD, allowed=True)
    assert "cannot prove" in str(failure(place))
    monkeypatch.setenv("SSL_CERT_FILE", str(mail_server.certificate))
    Mailbox(place).close()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"provider": "pigeon"}, "provider is one of sendgrid"),
        ({"provider": "mailgun"}, "needs signing-key"),
        ({"provider": "postmark", "user": "hook"}, "needs password"),
        ({"provider": "imap", "user": "a", "password": "b"}, "needs host"),
        ({"provider": "imap", "host": "mail.example.org", "user": "a"}, "password or token"),
        ({"provider": "IMAP", "host": "mail.example.org", "user": "a", "token": "t"}, ""),
        ({"provider": "sendgrid", "user": "a", "password": "b"}, ""),
    ],
)
def test_what_an_account_needs(values: dict[str, str], said: str) -> None:
    account = Account("mail", "email", (CARE,), values)
    if not said:
        assert checked(account, live_channels()) == account
        return
    with pytest.raises(BadSetting, match=said):
        checked(account, live_channels())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"host": "127.0.0.1:none"}, "no port"),
        ({"host": "127.0.0.1:70000"}, "no port"),
        ({"since": "yesterday"}, "no day"),
        ({"user": ""}, "needs host, user"),
    ],
)
def test_an_account_that_makes_no_sense(
    quick: Clinic, values: dict[str, str], said: str, caplog: Any
) -> None:
    quick.account(**values)
    mailboxes = quick.opened(pauses=(1.0, 900.0))
    assert quick.run(mailboxes.round()) > 800
    assert said in caplog.text


class Scripted:
    """A server that says what it is told to say, for what a good one never does."""

    def __init__(self, *answers: bytes) -> None:
        self.heard: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(answers,), daemon=True)
        self._thread.start()

    def _serve(self, answers: tuple[bytes, ...]) -> None:
        client, _ = self._listening.accept()
        with client, client.makefile("rb") as lines, suppress(OSError):
            client.sendall(b"* OK [CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2] ready\r\n")
            for answer in answers:
                line = lines.readline()
                while b"CAPABILITY" in line:
                    tag = line.split(b" ")[0]
                    client.sendall(
                        b"* CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2\r\n%s OK done\r\n" % tag
                    )
                    line = lines.readline()
                self.heard.append(line)
                # What goes on with a command has no tag of its own.
                tag = (line if b" " in line else self.heard[0]).split(b" ")[0]
                client.sendall(answer.replace(b"TAG", tag))

    def place(self, **values: Any) -> Place:
        usual: dict[str, Any] = {"password": "x", "secure": False, "allowed": True}
        return Place("127.0.0.1", "care@example.org", self.port, **usual | values)

    def close(self) -> None:
        self._listening.close()
        self._thread.join(60)


LET_IN = b"TAG OK [CAPABILITY IMAP4rev1 IDLE] logged in\r\n"


def test_a_token_in_the_place_of_a_password() -> None:
    server = Scripted(b"+ \r\n", LET_IN)
    Mailbox(server.place(token="t0k3n", password="")).close()
    server.close()
    assert b"XOAUTH2" in server.heard[0].upper()
    said = base64.b64decode(server.heard[1])
    assert said == b"user=care@example.org\x01auth=Bearer t0k3n\x01\x01"


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] no such user\r\n", True),
        (b"TAG NO [UNAVAILABLE] later\r\n", False),
        (b"TAG NO [LIMIT] too many connections\r\n", False),
        (b"* BYE over\r\n", False),
        (b"", False),
    ],
)
def test_a_login_that_fails_for_now_is_no_refusal(answer: bytes, refused: bool) -> None:
    server = Scripted(answer)
    assert failure(server.place()).refused is refused
    server.close()


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n", b"* BYE over\r\n", b"TAG BAD what\r\n", b"TAG OK EXAMINE done\r\n"],
)
def test_a_server_that_answers_badly(answer: bytes) -> None:
    server = Scripted(LET_IN, answer)
    mailbox = Mailbox(server.place())
    with pytest.raises(MailboxFailed):
        mailbox.open("INBOX")
    mailbox.close()
    server.close()


def test_a_mail_that_is_not_handed_over_is_asked_for_again_and_leaves_a_trace(
    quick: Clinic,
) -> None:
    class Withholding(Mailbox):
        def fetch(self, uids: Any) -> list[Held]:
            return [one for one in super().fetch(uids) if one.uid != 2]

    quick.account()
    quick.put(mail(1), mail(2), mail(3))
    quick.read(quick.opened(connect=Withholding))
    assert quick.bodies() == sorted([b"", mail(1), mail(3)])


def test_nothing_of_a_mail_or_a_secret_is_in_the_log(quick: Clinic, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    quick.account()
    quick.put(mail(1, "Leonora", Subject="Leonora"))
    quick.read()
    quick.account("other", password="hunter-two")
    quick.read(quick.opened())
    assert "Leonora" not in caplog.text
    assert "hunter" not in caplog.text + repr(Place("a", "b", password="hunter-two"))
