"""Mails are taken over LMTP and SMTP: from real clients, and from those that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from mail_relay import certificate
from threadwell.channels.account import Account
from threadwell.messages import Address, AddressKind
from threadwell.server.loop import loop_factory
from threadwell.server.mail.listener import Limits, Listener
from threadwell.server.mail.talk import Rules
from threadwell.stores.contract import StoreError

ANA, CARE, DESK = "ana@example.org", "care@clinic.example.org", "desk@clinic.example.org"
MAIL = "From: ana@example.org\r\nSubject: x\r\n\r\n.dot\r\n..\r\nlast\r\n"
MOST = 5000


class Office:
    """What a listener of one kind hands on, and a store that may be busy."""

    def __init__(self, lmtp: bool, context: Any = None, must_tls: bool = False) -> None:
        self.kept: list[tuple[list[str], bytes, str]] = []
        self.busy = False
        self.rules = Rules(lmtp, MOST, self.find, self.keep, tls=context, must_tls=must_tls)
        self.limits = Limits(connections=6, of_one=6, together=20_000, patience=2.0, longest=20.0)
        self.listener = Listener(self.rules, self.limits)
        # That of the process.
        self.loop = loop_factory()()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.run(self.listener.start("127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def find(self, address: str) -> Account | None:
        if address == "busy@clinic.example.org":
            raise StoreError("busy")
        names = {CARE: "care", DESK: "desk", "zoë@clinic.example.org": "care"}
        value = Address(AddressKind.EMAIL, address)
        return Account(names[address], "email", (value,)) if address in names else None

    async def keep(self, into: list[Account], raw: bytes, sender: str, at: datetime) -> None:
        assert at.tzinfo is not None
        if self.busy:
            raise StoreError("busy")
        self.kept.append(([one.name for one in into], raw, sender))

    def close(self) -> None:
        self.server.close()
        self.run(self.listener.finish(0.1))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Office]]:
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate(tmp_path_factory.mktemp("mail")))
    made = {"lmtp": Office(True), "smtp": Office(False), "tls": Office(False, context, True)}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture(params=["lmtp", "smtp"])
def office(request: pytest.FixtureRequest, offices: dict[str, Office]) -> Office:
    return clean(offices[request.param])


@pytest.fixture
def lmtp(offices: dict[str, Office]) -> Office:
    return clean(offices["lmtp"])


def clean(one: Office) -> Office:
    one.kept.clear()
    one.busy = False
    return one


def client(office: Office) -> smtplib.SMTP:
    kind = smtplib.LMTP if office.rules.lmtp else smtplib.SMTP
    one = kind("127.0.0.1", office.port, local_hostname="mx.example.net")
    one.timeout = 10
    return one


def talk(office: Office, *lines: bytes) -> list[bytes]:
    """What is answered to lines that are all sent at once."""
    with socket.create_connection(("127.0.0.1", office.port), 10) as connected:
        connected.sendall(b"".join(lines))
        connected.shutdown(socket.SHUT_WR)
        said = b""
        while part := connected.recv(65536):
            said += part
    return said.splitlines()


def codes(replies: list[bytes]) -> list[str]:
    return [one[:3].decode() for one in replies if one[3:4] == b" "]


def hello(office: Office) -> bytes:
    return b"LHLO mx\r\n" if office.rules.lmtp else b"EHLO mx\r\n"


@pytest.mark.parametrize(
    "body", [MAIL, "", "\r\n", ".\r\n", "a\r\n.b\r\n", "x: y\r\n\r\nno end\r\n"]
)
def test_a_mail_is_kept_as_it_is(office: Office, body: str) -> None:
    with client(office) as one:
        assert one.sendmail(ANA, [CARE], body) == {}
    [(into, raw, sender)] = office.kept
    # The client ends its last line by itself.
    assert (into, raw.decode(), sender) == (["care"], body or "\r\n", ANA)


def test_nobody_else_is_taken_mail_for(office: Office) -> None:
    # Python's own client of LMTP reads one answer for all recipients of a mail.
    more = [] if office.rules.lmtp else [DESK, CARE]
    with client(office) as one:
        refused = one.sendmail("", [CARE, "eve@example.com", *more], MAIL)
        assert set(refused) == {"eve@example.com"}
    [(into, _, sender)] = office.kept
    assert (into, sender) == (["care", "desk"] if more else ["care"], "")
    with client(office) as one, pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        one.sendmail(ANA, ["busy@clinic.example.org"], MAIL)
    [(number, _)] = caught.value.recipients.values()
    assert number == 451


def test_each_recipient_has_an_answer_over_lmtp(office: Office) -> None:
    to = b"RCPT TO:<care@clinic.example.org>\r\nRCPT TO:<x@example.com>\r\n"
    head = hello(office) + b"MAIL FROM:<>\r\n" + to + to
    for busy, last in ((False, "250"), (True, "451")):
        office.busy = busy
        said = codes(talk(office, head, b"DATA\r\n", MAIL.encode(), b".\r\nQUIT\r\n"))
        answers = [last] * (2 if office.rules.lmtp else 1)
        assert said == ["220", "250", "250", "250", "550", "250", "550", "354", *answers, "221"]
    assert len(office.kept) == 1


def test_what_cannot_be_kept_is_not_acknowledged(office: Office) -> None:
    office.busy = True
    with client(office) as one, pytest.raises(smtplib.SMTPException) as caught:
        one.sendmail(ANA, [CARE], MAIL)
    assert "451" in str(caught.value)
    assert office.kept == []


@pytest.mark.parametrize(
    ("pieces", "wanted", "kept"),
    [
        ([b"BDAT 4 LAST\r\nab\r\n"], ["250"], b"ab\r\n"),
        ([b"BDAT 3\r\na\r\n", b"BDAT 0 LAST\r\n"], ["250", "250"], b"a\r\n"),
        ([b"BDAT 7\r\n\r\n.\r\nxy", b"BDAT 1 LAST\r\nz"], ["250", "250"], b"\r\n.\r\nxyz"),
        ([b"BDAT x\r\n"], ["501"], None),
        ([b"BDAT 1\r\nx", b"DATA\r\n", b"BDAT 1 LAST\r\ny"], ["250", "503", "250"], b"xy"),
        ([b"BDAT 5000\r\n" + b"a" * 5000, b"BDAT 1 LAST\r\nb"], ["250", "552"], None),
        ([b"BDAT 6000 LAST\r\n" + b"a" * 6000], ["552"], None),
    ],
    ids=str,
)
def test_in_pieces(lmtp: Office, pieces: list[bytes], wanted: list[str], kept: Any) -> None:
    head = b"LHLO mx\r\nMAIL FROM:<a@b.example> BODY=8BITMIME\r\nRCPT TO:<" + CARE.encode()
    said = codes(talk(lmtp, head + b">\r\n", *pieces, b"NOOP\r\n"))
    assert said == ["220", "250", "250", "250", *wanted, "250"]
    assert [raw for _, raw, _ in lmtp.kept] == ([kept] if kept is not None else [])


@pytest.mark.parametrize("size", [MOST, MOST + 1, 40_000])
def test_how_large_a_mail_may_be(office: Office, size: int) -> None:
    to = b"MAIL FROM:<>\r\nRCPT TO:<care@clinic.example.org>\r\nDATA\r\n"
    body = b"x" * (size - 2) + b"\r\n"
    said = codes(talk(office, hello(office), to, body, b".\r\nNOOP\r\n"))
    # Whatever follows is read as commands again.
    assert said[-2:] == ["250" if size <= MOST else "552", "250"]
    assert [len(raw) for _, raw, _ in office.kept] == ([size] if size <= MOST else [])
    said = codes(talk(office, hello(office), b"MAIL FROM:<> SIZE=%d\r\n" % size))
    assert said[-1] == ("250" if size <= MOST else "552")


def test_only_one_thing_ends_a_mail(lmtp: Office) -> None:
    to = b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<care@clinic.example.org>\r\nDATA\r\n"
    for end in (b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r"):
        body = b"a" + end + b"MAIL FROM:<eve@example.com>\r\nb\r\n"
        said = codes(talk(lmtp, to, body, b".\r\nQUIT\r\n"))
        assert said == ["220", "250", "250", "250", "354", "250", "221"]
        [(_, raw, sender)] = lmtp.kept
        assert (raw, sender) == (body.replace(b"\r\n.", b"\r\n"), "")
        lmtp.kept.clear()


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([b"EHLO mx\r\n"], ["500"]),
        ([b"LHLO\r\n"], ["501"]),
        ([b"MAIL FROM:<>\r\n"], ["503"]),
        ([b"LHLO x\r\n", b"RCPT TO:<care@clinic.example.org>\r\n"], ["250", "503"]),
        ([b"LHLO x\r\n", b"DATA\r\n"], ["250", "503"]),
        ([b"LHLO x\r\n", b"MAIL FROM:<a@b>\r\n", b"MAIL FROM:<c@d>\r\n"], ["250", "250", "503"]),
        ([b"LHLO x\r\n", b"MAIL FROM:<a@b> AUTH=<>\r\n"], ["250", "555"]),
        ([b"LHLO x\r\n", b"MAIL FROM: a@b\r\n"], ["250", "501"]),
        ([b"LHLO x\r\n", b"MAIL FROM:<a\0b>\r\n"], ["250", "501"]),
        ([b"LHLO x\r\n", b"MAIL FROM:<>\r\n", b"RSET\r\n", b"MAIL FROM:<>\r\n"], ["250"] * 4),
        ([b"\xff\xfe\r\n"], ["500"]),
        ([b"STARTTLS\r\n"], ["500"]),
        ([b"x" * 9000 + b"\r\n", b"NOOP\r\n"], ["500", "250"]),
        ([b"VRFY ana\r\n"], ["252"]),
        ([b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n"], ["500", "500", "500"]),
        ([b"nonsense\r\n"] * 14, ["500"] * 11 + ["421"]),
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_is_no_mail(lmtp: Office, lines: list[bytes], wanted: list[str]) -> None:
    assert codes(talk(lmtp, *lines)) == ["220", *wanted]
    assert lmtp.kept == []


def test_letters_beyond_ascii(office: Office) -> None:
    with client(office) as one:
        one.ehlo_or_helo_if_needed()
        options = ["SMTPUTF8", "BODY=8BITMIME"]
        sent = one.sendmail("añ@example.org", ["zoë@clinic.example.org"], "ä\r\n".encode(), options)
        assert sent == {}
    assert office.kept == [(["care"], "ä\r\n".encode(), "añ@example.org")]


def test_tls_where_it_has_to_be(offices: dict[str, Office]) -> None:
    import ssl

    office = clean(offices["tls"])
    with client(office) as one, pytest.raises(smtplib.SMTPException):
        one.sendmail(ANA, [CARE], MAIL)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with client(office) as one:
        one.starttls(context=context)
        assert one.sendmail(ANA, [CARE], MAIL) == {}
    assert len(office.kept) == 1
    # What was sent before TLS began does not count after it.
    assert codes(talk(office, b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<>\r\n")) == ["220", "250", "220"]


def test_so_many_connections_and_so_much_at_once(lmtp: Office) -> None:
    with contextlib.ExitStack() as stack:
        some = []
        for _ in range(6):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", lmtp.port), 10))
            assert one.recv(100).startswith(b"220")
            some.append(one)
        assert codes(talk(lmtp)) == ["421"]
        # All together they may hold 20,000 bytes; each has 4,000 and wants more.
        head = b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<care@clinic.example.org>\r\nDATA\r\n"
        for one in some:
            one.sendall(head + b"x" * 4500)
        said = []
        for one in some:
            while b"354" not in one.recv(1000):
                pass
        for one in some:
            one.sendall(b"\r\n.\r\n")
            said.append(one.recv(1000)[:3])
    assert sorted(said) == [b"250"] * 4 + [b"452"] * 2
    while codes(talk(lmtp)) == ["421"]:
        # It has not noticed yet that they have left.
        pass
    with client(lmtp) as again:
        assert again.sendmail(ANA, [CARE], MAIL) == {}


def test_who_breaks_off_has_sent_nothing(office: Office) -> None:
    to = b"MAIL FROM:<>\r\nRCPT TO:<care@clinic.example.org>\r\nDATA\r\n"
    talk(office, hello(office), to, b"half a mail\r\n")
    talk(office, hello(office), b"MAIL FROM:<>\r\nRCPT TO:<care@clinic.example.org>\r\nBDAT 9\r\nx")
    assert office.kept == []


def test_what_is_forgotten_takes_no_room(lmtp: Office) -> None:
    for again in (b"RSET", b"LHLO x"):
        begun = [
            *(b"LHLO x", b"MAIL FROM:<ana@example.org>", b"RCPT TO:<care@clinic.example.org>"),
            *(b"BDAT 4000", b"x" * 3998, again),
        ]
        with socket.create_connection(("127.0.0.1", lmtp.port), timeout=10) as one:
            one.sendall(b"".join(line + b"\r\n" for line in begun))
            answers = one.makefile("rb")
            # Once this is answered, what was begun is forgotten.
            one.sendall(b"VRFY x\r\n")
            while not next(answers).startswith(b"252"):
                pass
            assert sum(lmtp.listener._held.values()) == 0
