"""Replies by mail: in the thread of every mail program, once, by a server that misbehaves."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

import stem
from mail_relay import Relay
from threadwell.app import channel_labels, live_channels, open_store
from threadwell.calls import HttpCaller
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.live import State
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, now_ms, stamp
from threadwell.intake import Settings, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals import journal
from threadwell.intake.arrivals.statuses import sent_state
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.arrivals.telling import Telling
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.outbox import OUTBOX, dead_letters, replay_letter, waiting
from threadwell.intake.replies.outgoing import Links
from threadwell.intake.replies.sending import Outbox
from threadwell.intake.replies.writing import BadReply, reply
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Attachment
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, StoreError, Write

P = DEFAULT_PROJECT
#: Each mail is a little younger than the one before.
_AGES = (timedelta(seconds=900 - number) for number in range(900))
CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")


def mail(id_: str, text: str = "When?", **more: str) -> bytes:
    """A mail of Ana's to the practice, unless it says otherwise."""
    fields = {
        "From": "Ana <ana@example.org>",
        "To": "care@clinic.example.org",
        "Date": format_datetime(datetime.now(UTC) - next(_AGES)),
        "Subject": "Tomorrow",
        "Message-ID": f"<{id_}>",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{lines}\r\n{text}\r\n".encode()


class Practice:
    """A practice on a store, whose mailbox is read, and which sends by a relay."""

    def __init__(self, url: str, relay: Relay) -> None:
        self.runner = asyncio.Runner()
        self.store = open_store(url)
        self.relay = relay
        self.ahead = 0
        self.taking = Taking(self.store, P, live_channels(), channel_labels())
        self.account()
        self.put("Practitioner", "dana")
        for who in ("ana", "bea"):
            telecom = [{"system": "email", "value": f"{who}@example.org"}]
            self.put("Patient", who, telecom=telecom)

    def account(self, **values: str) -> None:
        usual = {
            "provider": "imap",
            "host": "imap.example.org",
            "user": "care",
            "password": "secret",
            "smtp-host": f"127.0.0.1:{self.relay.port}",
            "smtp-tls": "no",
            "from-name": "Elm Street Practice",
        }
        kept = Account("mail", "email", (CARE,), usual | values, ("127.0.0.1",))
        self.kept = kept
        self.run(keep_account(self.store, P, kept))

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def put(self, type_: str, id_: str, **members: Any) -> None:
        resource, body = stamp({"resourceType": type_, **members}, id_, new_id(1), 1)
        version = resource["meta"]["versionId"]
        write = Write(type_, id_, version, 1, resource, body)
        self.run(self.store.commit(P, ChangeSet((write,))))

    def arrive(self, *mails: bytes, folder: str = "INBOX") -> None:
        """Mails are in the mailbox."""
        for raw in mails:
            url = f"imap://imap.example.org/?folder={folder}&uid={hash(raw) % 10**9}"
            headers = {"content-type": "message/rfc822"}
            delivery = Delivery("IMAP", (url,), headers, raw, datetime.now(UTC))
            entry = journal.arrived(P, self.kept, delivery)
            self.run(self.store.commit(P, ChangeSet((), kept=(entry,))))
        self.run(self.taking.round())
        self.run(Telling(self.store, P).round())

    def messages(self) -> list[Any]:
        page = self.run(self.store.search(P, Query("Communication", count=1000)))
        bodies = [decode(one.body) for one in page.matches]
        live = [one for one in bodies if one["status"] != "entered-in-error" and "partOf" in one]
        return sorted(live, key=lambda one: one["sent"])

    def thread(self) -> str:
        [thread] = {one["partOf"][0]["reference"] for one in self.messages()}
        return str(thread)

    def settings(self) -> Settings:
        settings: Settings = self.run(kept_settings(self.store, P, channel_labels()))
        return settings

    def reply(self, text: str, thread: str = "", **more: Any) -> str:
        done = self.run(
            reply(
                *(
                    Seat(self.store, P, self.settings()),
                    thread or self.thread(),
                    text,
                    live_channels(),
                ),
                sender="Practitioner/dana",
                **more,
            )
        )
        return str(done.message)

    def round(self) -> float | None:
        async def links() -> Links:
            return Links("", lambda *_: "")

        outbox = Outbox(
            *(self.store, P, live_channels(), channel_labels(), HttpCaller(), links),
            clock=lambda: now_ms() + self.ahead,
        )
        seconds: float | None = self.run(outbox.round())
        self.run(Telling(self.store, P).round())
        return seconds

    def until_done(self) -> None:
        for _ in range(40):
            if (seconds := self.round()) is None:
                return
            self.ahead += int(seconds * 1000) + 1
        raise AssertionError("it goes on for ever")

    def read(self, name: str) -> Any:
        return decode(self.run(self.store.read(P, *name.split("/"))).body)

    def sent_id(self, name: str) -> str:
        [id_] = [
            one["value"]
            for one in self.read(name)["identifier"]
            if one.get("use") == "secondary" and one["system"].endswith("/message/email")
        ]
        return str(id_)

    def dead(self) -> list[Any]:
        return self.run(dead_letters(self.store, P))  # type: ignore[no-any-return]

    def waiting(self) -> list[Any]:
        return self.run(waiting(self.store, P))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    one = Relay(tmp_path_factory.mktemp("relay"))
    yield one
    one.close()


@pytest.fixture
def clean(relay: Relay) -> Relay:
    relay.taken.clear()
    relay.next.clear()
    relay.nobody.clear()
    relay.seen.clear()
    relay.grey = False
    return relay


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def practice(request: pytest.FixtureRequest, tmp_path: Path, clean: Relay) -> Iterator[Practice]:
    url = ":memory:"
    if request.param == "sqlite":
        url = str(tmp_path / "threadwell.db")
    elif request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    one = Practice(url, clean)
    yield one
    one.run(one.store.close())
    one.runner.close()


@pytest.fixture
def quick(clean: Relay) -> Iterator[Practice]:
    """In memory, for what a store has no part in."""
    one = Practice(":memory:", clean)
    yield one
    one.run(one.store.close())
    one.runner.close()


def test_to_and_fro_in_one_thread(practice: Practice) -> None:
    practice.arrive(mail("m1@example.org"))
    file = Attachment("Plan März.pdf", "application/pdf", b"%PDF\xff")
    name = practice.reply("Um drei. Grüße", files=[file])
    assert practice.round() is None
    [taken] = practice.relay.taken
    assert (taken.sender, taken.recipients) == (CARE.value, ["ana@example.org"])
    sent = taken.mail
    assert sent["From"] == "Elm Street Practice <care@clinic.example.org>"
    assert (sent["To"], sent["Subject"]) == ("ana@example.org", "Re: Tomorrow")
    assert (sent["In-Reply-To"], sent["References"]) == ("<m1@example.org>", "<m1@example.org>")
    body = sent.get_body()
    assert body is not None
    assert body.get_content().strip() == "Um drei. Grüße"
    [attached] = sent.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Plan März.pdf", b"%PDF\xff")
    own = practice.sent_id(name)
    assert sent["Message-ID"] == f"<{own}>"
    state = practice.run(sent_state(practice.store, P, "email", own))
    assert state.state is State.QUEUED
    # The server has put the mail into the folder of sent ones, and the patient answers it alone.
    practice.arrive(taken.raw, folder="Sent")
    practice.arrive(taken.raw, folder="Sent Items")
    assert len(practice.messages()) == 2
    practice.arrive(mail("m2@example.org", "Good.", In_Reply_To=f"<{own}>", Subject="Re: Tomorrow"))
    practice.thread()
    # Each mail of Ana's is older than the reply, by the clock of her machine.
    _, answer, own_one = practice.messages()
    assert own_one["id"] == name.partition("/")[2]
    assert own_one["sender"]["reference"] == "Practitioner/dana"
    assert answer["inResponseTo"] == [{"reference": name}]
    again = practice.reply("See you.")
    practice.round()
    last = practice.relay.taken[-1].mail
    assert last["Subject"] == "Re: Tomorrow"
    assert last["In-Reply-To"] == "<m2@example.org>"
    assert str(last["References"]).split()[-2:] == [f"<{own}>", "<m2@example.org>"]
    # A word more, before anybody has answered: it follows our own.
    practice.reply("Bring the card.", answers=again)
    practice.round()
    more = practice.relay.taken[-1].mail
    assert more["In-Reply-To"] == f"<{practice.sent_id(again)}>"
    practice.arrive(*(one.raw for one in practice.relay.taken), folder="Sent")
    assert len(practice.messages()) == 5
    practice.thread()
    assert practice.run(verify(practice.store, P)) == []


def test_a_copy_that_comes_first_is_the_same_mail(practice: Practice) -> None:
    practice.arrive(mail("m1@example.org"))
    name = practice.reply("Three.")
    practice.relay.next = ["lost"]
    assert practice.round() is not None
    [one] = practice.waiting()
    assert one.entry.stage == "doubtful"
    # Nobody knows that it was sent; the folder of sent mails does.
    practice.arrive(practice.relay.taken[0].raw, folder="Sent")
    practice.until_done()
    assert len(practice.relay.taken) == 1
    assert f"<{practice.sent_id(name)}>" == practice.relay.taken[0].mail["Message-ID"]
    assert len(practice.messages()) == 2
    assert practice.messages()[-1]["sender"]["reference"] == "Practitioner/dana"
    assert practice.run(verify(practice.store, P)) == []


@pytest.mark.parametrize("loss", ["lost", "cut"])
def test_what_nobody_knows_of_is_sent_again_as_the_same_mail(quick: Practice, loss: str) -> None:
    quick.arrive(mail("m1@example.org"))
    name = quick.reply("Three.")
    quick.relay.next = [loss, "lost"]
    quick.until_done()
    taken = [one.raw for one in quick.relay.taken]
    assert len(taken) == (3 if loss == "lost" else 2)
    assert len(set(taken)) == 1
    assert quick.sent_id(name) in taken[0].decode()
    assert (quick.waiting(), quick.dead()) == ([], [])


@pytest.mark.parametrize(
    "next_",
    [
        [("MAIL", "421 4.3.2 closing")],
        [("RCPT", "450 4.2.1 later"), ("DATA", "451 4.3.0 later")],
        ["grey"],
    ],
    ids=str,
)
def test_what_is_put_off_is_tried_again_in_its_turn(quick: Practice, next_: Any) -> None:
    quick.arrive(mail("m1@example.org"))
    quick.reply("First.")
    quick.reply("Second.")
    quick.relay.grey = next_ == ["grey"]
    quick.relay.next = [] if quick.relay.grey else next_
    assert quick.round() is not None
    assert quick.relay.taken == []
    assert quick.waiting()[0].entry.code.startswith("4.")
    quick.until_done()
    bodies = [one.mail.get_content().strip() for one in quick.relay.taken]
    assert bodies == ["First.", "Second."]


def test_what_is_refused_waits_for_a_person(quick: Practice) -> None:
    quick.arrive(mail("m1@example.org"))
    name = quick.reply("First.")
    quick.relay.nobody = {"ana@example.org": "550 5.1.1 unknown: ana@example.org"}
    quick.until_done()
    [one] = quick.dead()
    assert (one.entry.code, one.entry.tries) == ("5.1.1", 1)
    assert one.entry.reason == "the mail server refuses it: there is no such mailbox"
    quick.relay.nobody = {}
    quick.run(replay_letter(quick.store, P, one.id))
    quick.until_done()
    assert len(quick.relay.taken) == 1
    assert quick.sent_id(name)


def test_one_of_two_recipients_is_refused(quick: Practice) -> None:
    quick.arrive(mail("m1@example.org", Cc="bea@example.org"))
    quick.relay.nobody = {"bea@example.org": "550 5.1.1 unknown"}
    name = quick.reply("First.", quick.messages()[0]["partOf"][0]["reference"])
    quick.until_done()
    [taken] = quick.relay.taken
    assert taken.recipients == ["ana@example.org"]
    assert sorted(str(taken.mail["To"]).split(", ")) == ["ana@example.org", "bea@example.org"]
    assert "5.1.1" in quick.read(name)["statusReason"]["text"]


def test_what_a_server_told_once_is_kept_wherever_it_ends(
    quick: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom it has refused is told by nobody again."""
    quick.arrive(mail("m1@example.org", Cc="bea@example.org"))
    quick.relay.nobody = {"bea@example.org": "550 5.1.1 unknown"}
    name = quick.reply("First.", quick.messages()[0]["partOf"][0]["reference"])
    commit = quick.store.commit

    async def last(project: str, change_set: ChangeSet) -> None:
        await commit(project, change_set)
        if any(one.kind == OUTBOX and one.value is None for one in change_set.kept):
            raise StoreError("the process ends here")

    monkeypatch.setattr(quick.store, "commit", last)
    with pytest.raises(StoreError):
        quick.round()
    monkeypatch.undo()
    quick.until_done()
    assert len(quick.relay.taken) == 1
    assert "5.1.1" in quick.read(name)["statusReason"]["text"]


def test_an_account_that_does_not_send(quick: Practice) -> None:
    quick.arrive(mail("m1@example.org"))
    quick.account(**{"smtp-host": ""})
    with pytest.raises(BadReply, match="it has no smtp-host"):
        quick.reply("First.")
    assert len(quick.messages()) == 1
    # One with the same address that does is taken for it, whatever it is called.
    values = {"provider": "smtp", "smtp-host": f"127.0.0.1:{quick.relay.port}", "smtp-tls": "no"}
    for name in ("a-way-out", "z-way-out"):
        account = Account(name, "email", (CARE,), values, ("127.0.0.1",))
        quick.run(keep_account(quick.store, P, account))
        quick.reply("First.")
        quick.until_done()
    assert len(quick.relay.taken) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_mail(tmp_path: Path, clean: Relay, moment: str) -> None:
    url = str(tmp_path / "threadwell.db")
    practice = Practice(url, clean)
    practice.arrive(mail("m1@example.org"))
    name = practice.reply("Three.")
    child = Path(__file__).with_name("outbox_child.py")
    process = stem.start([sys.executable, str(child), url], stdout=subprocess.PIPE, text=True)
    clean.at_data = process.kill
    clean.next = ["cut" if moment == "before" else "lost"]
    assert "done" not in process.communicate(timeout=60)[0]
    clean.at_data = None
    [one] = practice.waiting()
    assert one.entry.stage == "trying"
    practice.until_done()
    taken = {one.raw for one in clean.taken}
    assert len(clean.taken) == (1 if moment == "before" else 2)
    assert len(taken) == 1
    assert practice.sent_id(name) in taken.pop().decode()
    assert practice.run(verify(practice.store, P)) == []
    practice.run(practice.store.close())
    practice.runner.close()


def encounters(practice: Practice) -> list[Any]:
    page = practice.run(practice.store.search(P, Query("Encounter", count=100)))
    return [decode(one.body) for one in page.matches]


def test_an_automatic_reply_begins_nothing_and_answers_nothing(practice: Practice) -> None:
    away: dict[str, str] = {"Auto_Submitted": "auto-replied"}
    practice.arrive(mail("a1@example.org", "I am away.", **away))
    assert encounters(practice) == []
    [alone] = practice.messages()
    assert "an automatic reply" in str(alone["note"])
    practice.arrive(mail("m1@example.org"))
    before = len(encounters(practice))
    assert before > 0
    later = format_datetime(datetime.now(UTC))
    practice.arrive(
        mail("a2@example.org", "Away.", In_Reply_To="<m1@example.org>", Date=later, **away)
    )
    assert len(encounters(practice)) == before
    headers = {one["id"]: one["partOf"][0]["reference"] for one in practice.messages()}
    assert len(headers) == 3
    assert len(set(headers.values())) == 2
    assert practice.run(verify(practice.store, P)) == []


BOUNCE = """From: MAILER-DAEMON@mx.example.net
To: care@clinic.example.org
Date: {date}
Message-ID: <bounce@mx.example.net>
Return-Path: <>
Content-Type: multipart/report; report-type=delivery-status; boundary="r"

--r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ana@example.org
Action: failed
Status: 5.1.1

--r
Content-Type: text/rfc822-headers

Message-ID: <{id_}>
--r--
"""


def test_what_comes_back_stands_on_the_message(practice: Practice) -> None:
    practice.arrive(mail("m1@example.org"))
    name = practice.reply("Three.")
    practice.until_done()
    own = practice.sent_id(name)
    date = format_datetime(datetime.now(UTC))
    practice.arrive(BOUNCE.format(date=date, id_=own).replace("\n", "\r\n").encode())
    body = practice.read(name)
    wanted = "It was not delivered: there is no such mailbox (the provider's error 5.1.1)"
    assert body["statusReason"]["text"] == wanted
    assert len(practice.messages()) == 2
    assert practice.run(verify(practice.store, P)) == []


def test_an_address_of_its_own_tells_the_thread_and_not_who_writes(practice: Practice) -> None:
    practice.account(**{"reply-to": "reply@in.clinic.example.org"})
    practice.arrive(mail("m1@example.org"))
    name = practice.reply("Three.")
    practice.relay.next = ["lost"]
    practice.until_done()
    assert len({one.raw for one in practice.relay.taken}) == 1
    answered_at = practice.relay.taken[0].mail["Reply-To"].addresses[0].addr_spec
    assert re.fullmatch(r"reply\+[a-z2-7]{26}@in\.clinic\.example\.org", answered_at)
    now = format_datetime(datetime.now(UTC))
    # Nothing but the address names what it answers.
    practice.arrive(mail("m2@example.org", "Good.", To=answered_at, Subject="", Date=now))
    practice.thread()
    answer = practice.messages()[-1]
    assert answer["inResponseTo"] == [{"reference": name}]
    # Known again from a mailbox file, and whoever else is written to.
    practice.arrive(mail("m2@example.org", "Good.", To=answered_at.upper(), Subject="", Date=now))
    assert len(practice.messages()) == 3
    # Somebody else who has it is somebody else.
    practice.arrive(mail("m3@example.org", "Me, too.", From="bea@example.org", To=answered_at))
    [thread] = [
        one["partOf"][0]["reference"] for one in practice.messages() if "Me, too" in str(one)
    ]
    assert thread != answer["partOf"][0]["reference"]
    before = len(practice.messages())
    practice.arrive(mail("m4@example.org", "And I.", From="eve@example.com", To=answered_at))
    # One that was never given out means nothing.
    wrong = answered_at.replace(answered_at[6:32], "a" * 26)
    practice.arrive(mail("m5@example.org", "Where?", To=wrong, Subject="", Cc=CARE.value))
    assert len(practice.messages()) == before + 1
    token = answered_at[6:32]
    for type_ in ("Communication", "Encounter", "Task", "Provenance"):
        page = practice.run(practice.store.search(P, Query(type_, count=1000)))
        assert not [one for one in page.matches if token in one.body.decode()]
    assert practice.run(verify(practice.store, P)) == []


def test_a_mail_that_a_list_sends_back_is_the_one_that_was_written(practice: Practice) -> None:
    practice.arrive(mail("m1@example.org", Cc="team@lists.example.net"))
    file = Attachment("plan.pdf", "application/pdf", b"%PDF")
    name = practice.reply("Three.", files=[file])
    practice.until_done()
    before = practice.read(name)
    raw = practice.relay.taken[0].raw
    back = raw.replace(b"Subject: Re: Tomorrow", b"Subject: [team] Re: Tomorrow")
    back = back.replace(b"To: ", b"List-Id: <team.lists.example.net>\r\nTo: eve@example.com, ")
    back = back.replace(b"Three.\r\n", b"Three.\r\n\r\n_____________\r\nteam mailing list\r\n")
    other = raw.replace(b"Three.", b"<b>Three</b>").replace(b"text/plain", b"text/html")
    for one in (back, other, raw):
        practice.arrive(b"Received: from a by b; Mon, 2 Mar 2026 09:00:00 +0000\r\n" + one)
    assert len(practice.messages()) == 2
    assert practice.read(name) == before
    assert practice.run(verify(practice.store, P)) == []
