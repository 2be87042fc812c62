"""Mails are handed to a mail server that behaves, and to one that does not."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mail_relay import PASSWORD, USER, Relay
from threadwell.calls.mail_codes import code_of, meaning
from threadwell.calls.smtp import SmtpSubmitter
from threadwell.calls.submission import Security, Submission, SubmissionFailed, Submitted

MAIL = b"Subject: Hello\r\n\r\n.dot\r\n..\r\nlast line\r\n"
CARE, ANA, BEA = "care@clinic.example.org", "ana@example.org", "bea@example.org"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("relay")


@pytest.fixture(scope="module")
def relays(folder: Path) -> Iterator[dict[str, Relay]]:
    made = {
        "none": Relay(folder),
        "starttls": Relay(folder, "starttls", login=True),
        "tls": Relay(folder, "tls"),
        "old": Relay(folder, utf8=False, size=1000),
    }
    yield made
    for one in made.values():
        one.close()


@pytest.fixture
def relay(relays: dict[str, Relay]) -> Relay:
    one = relays["none"]
    one.taken.clear()
    one.next.clear()
    one.nobody.clear()
    one.grey = False
    return one


def it(relay: Relay, **more: Any) -> Submission:
    usual: dict[str, Any] = {
        "id": "m1@clinic.example.org",
        "host": "127.0.0.1",
        "port": relay.port,
        "sender": CARE,
        "recipients": (ANA,),
        "content": MAIL,
        "security": Security(relay.tls),
        "hosts": ("127.0.0.1", "localhost"),
    }
    return Submission(**(usual | more))


def submit(relay: Relay, context: Any = None, **more: Any) -> Submitted:
    submitter = SmtpSubmitter(context)
    try:
        return asyncio.run(submitter.submit(it(relay, **more)))
    finally:
        submitter.close()


def failure(relay: Relay, context: Any = None, **more: Any) -> SubmissionFailed:
    with pytest.raises(SubmissionFailed) as caught:
        submit(relay, context, **more)
    return caught.value


@pytest.mark.parametrize(
    "content",
    [MAIL, b".\r\n", b"Subject: x\r\n\r\n", b"no end", b"a\r\n.\r\nMAIL FROM:<x@example.org>\r\n"],
)
def test_a_mail_arrives_as_it_is(relay: Relay, content: bytes) -> None:
    assert submit(relay, content=content) == Submitted()
    [taken] = relay.taken
    whole = content if content.endswith(b"\r\n") else content + b"\r\n"
    assert (taken.sender, taken.recipients, taken.raw) == (CARE, [ANA], whole)


@pytest.mark.parametrize("how", ["starttls", "tls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_over_tls_to_whoever_can_prove_it(relays: dict[str, Relay], how: str, host: str) -> None:
    relay = relays[how]
    known = {"user": USER, "password": PASSWORD} if relay.login else {}
    before = len(relay.taken)
    assert submit(relay, relay.context, host=host, **known) == Submitted()
    error = failure(relay, host=host, **known)
    assert "cannot prove" in str(error)
    assert (error.again, error.doubtful) == (True, False)
    assert len(relay.taken) == before + 1


@pytest.mark.parametrize(
    ("known", "reason", "code"),
    [
        ({"user": USER, "password": "wrong"}, "user and the password", "5.7.8"),
        ({"user": USER, "token": "any"}, "user and the token", "5.5.4"),
        ({}, "puts it off", "5.7.0"),
    ],
)
def test_who_is_not_let_in(relays: dict[str, Relay], known: Any, reason: str, code: str) -> None:
    relay = relays["starttls"]
    before, asked = len(relay.taken), relay.connections
    error = failure(relay, relay.context, **known)
    assert reason in str(error)
    assert (error.code, error.again) == (code, True)
    assert (len(relay.taken), relay.connections) == (before, asked + 1)


def test_without_tls_only_where_it_is_allowed(relay: Relay) -> None:
    error = failure(relay, security=Security.STARTTLS)
    assert (str(error), error.again) == ("127.0.0.1 offers no TLS", True)
    for hosts, reason in (((), "TLS, or allowed"), (("127.0.0.1:1",), "TLS, or allowed")):
        error = failure(relay, hosts=hosts)
        assert reason in str(error)
        assert not error.again
    for security in (Security.TLS, Security.STARTTLS):
        error = failure(relay, hosts=(), security=security)
        assert "private network" in str(error)
        assert not error.again
    assert relay.taken == []


@pytest.mark.parametrize(
    ("misbehaves", "code", "again", "doubtful"),
    [
        (("MAIL", "451 4.3.0 busy"), "4.3.0", True, False),
        (("MAIL", "553 5.1.8 you?"), "5.1.8", False, False),
        (("RCPT", "450 4.2.1 later"), "4.2.1", True, False),
        (("RCPT", "550 no such user ana@example.org"), "550", False, False),
        (("DATA", "452 4.2.2 full"), "4.2.2", True, False),
        (("DATA", "554 5.7.1 spam"), "5.7.1", False, False),
        # A code that does not go with its number counts for nothing.
        (("DATA", "554 2.0.0 odd"), "554", False, False),
        ("lost", "", True, True),
        ("cut", "", True, True),
    ],
    ids=str,
)
def test_what_the_server_says_of_a_mail(
    relay: Relay, misbehaves: Any, code: str, again: bool, doubtful: bool
) -> None:
    relay.next = [misbehaves]
    error = failure(relay)
    assert (error.code, error.again, error.doubtful) == (code, again, doubtful)
    # What a server says may quote a patient.
    assert "ana" not in str(error)
    assert submit(relay) == Submitted()


def test_several_recipients(relay: Relay) -> None:
    relay.nobody = {BEA: "550 5.1.1 nobody"}
    assert submit(relay, recipients=(BEA, ANA)) == Submitted({BEA: "5.1.1"})
    assert [one.recipients for one in relay.taken] == [[ANA]]
    # For now: nobody gets it, so that nobody gets it twice.
    relay.nobody = {BEA: "451 4.2.1 later"}
    assert failure(relay, recipients=(ANA, BEA)).again
    relay.nobody = {BEA: "550 5.1.1 nobody", ANA: "550 5.2.1 shut"}
    error = failure(relay, recipients=(ANA, BEA))
    assert (error.code, error.again) == ("5.2.1", False)
    assert len(relay.taken) == 1


def test_what_the_server_cannot_take_is_not_sent(relays: dict[str, Relay], relay: Relay) -> None:
    old = relays["old"]
    error = failure(old, content=b"x" * 2000)
    assert (error.code, error.again) == ("5.3.4", False)
    assert "such letters" in str(failure(old, recipients=("zoë@example.org",)))
    assert old.taken == []
    assert submit(relay, recipients=("zoë@example.org",)) == Submitted()
    assert relay.taken[0].recipients == ["zoë@example.org"]


def test_no_command_can_be_put_into_an_address(relay: Relay) -> None:
    for bad in ("ana@example.org>\r\nRCPT TO:<eve@example.org", "ana@example.org\nDATA"):
        assert "is none" in str(failure(relay, recipients=(bad,)))
        assert "is none" in str(failure(relay, sender=bad))
    assert relay.taken == []


def scripted(talk: Callable[[socket.socket], None]) -> int:
    """A server that does whatever it likes with its first connection."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listening.accept()
        with connection, listening:
            talk(connection)

    threading.Thread(target=run, daemon=True).start()
    return int(listening.getsockname()[1])


def slowly(text: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        import time

        connection.sendall(text)
        while True:
            time.sleep(0.02)
            try:
                connection.sendall(b"x")
            except OSError:
                return

    return talk


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"220 hello\r\n", "took too long"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the connection"),
        (b"220-" + b"x" * 9000 + b"\r\n", "no SMTP"),
        (b"421 4.3.2 closing\r\n", "puts it off"),
        (b"554 go away\r\n", "refuses it"),
        (b"\xff\xfe\x00\r\n", "the connection"),
    ],
    ids=["silent", "HTTP", "endless", "closing", "shut", "binary"],
)
def test_a_server_that_is_none(relay: Relay, text: bytes, reason: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.calls.submission.SECONDS", 0.5)
    error = failure(relay, port=scripted(slowly(text)))
    assert reason in str(error)
    assert not error.doubtful


def test_whoever_is_not_there(relay: Relay) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "takes no connections" in str(failure(relay, port=port))
    assert "no address" in str(failure(relay, host="nowhere.invalid", hosts=("nowhere.invalid",)))


@pytest.mark.parametrize(
    ("number", "text", "code", "words"),
    [
        (550, "5.1.1 no such user", "5.1.1", "no such mailbox"),
        (550, "5.1.1: no", "550", "not there"),
        (452, "4.2.2", "4.2.2", "full"),
        (554, "5.7.26 unauthenticated", "5.7.26", "a rule"),
        (554, "", "554", ""),
        (550, "5.9.9 odd", "5.9.9", ""),
    ],
)
def test_codes_in_words(number: int, text: str, code: str, words: str) -> None:
    assert code_of(number, text) == code
    assert words in meaning(code)
    assert bool(words) == bool(meaning(code))
