"""Replies: written, kept in the outbox with their message, and sent, by text and by mail."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from bench.faults.journeys import mails, texts
from bench.faults.journeys.desk import CARE, OFFICE, Desk, Found, Journey, counted
from bench.faults.journeys.stand_ins import MailServer, Twilio
from bench.faults.watched import watched_calls
from threadwell.app import channel_labels, live_channels
from threadwell.calls import HttpCaller
from threadwell.calls.smtp import SmtpSubmitter
from threadwell.channels.account import Account
from threadwell.duties import lease, rota
from threadwell.duties.duty import Duty
from threadwell.encounters.child_ids import sent_as
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query
from threadwell.intake import import_messages, import_people
from threadwell.intake.accounts import keep_account
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.outbox import dead_letters, replay_letter, waiting
from threadwell.intake.replies.sending import UNKNOWN, Outbox
from threadwell.intake.replies.writing import reply
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, Kept, Store

_START = datetime(2024, 4, 10, 9, tzinfo=UTC)
#: Seconds between two beats and until a lease is over; else each kill would take five.
_BEAT, _LEASE = 0.05, 0.6
#: Milliseconds after which whoever waits for an outbox has waited for nothing.
_LONGEST = 2 * 3600 * 1000


def _held_by_nobody() -> tuple[Kept, ...]:
    return ()


class _Replies(Journey):
    channel: ClassVar[str]
    provider: Any

    def end(self) -> None:
        self.provider.close()

    async def set_up(self, store: Store) -> None:
        await import_people(store, DEFAULT_PROJECT, self._people())
        await keep_account(store, DEFAULT_PROJECT, self._account())
        settings = await kept_settings(store, DEFAULT_PROJECT, channel_labels())
        first = [self._first(case) for case in range(self.cases)]
        await import_messages(Seat(store, DEFAULT_PROJECT, settings), first)

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        if "written" not in told:
            [first] = await desk.children(self.channel, self._first(case).external_id)
            # Who does not know whether a reply was kept says it again, by the same key.
            await reply(
                Seat(
                    desk.store,
                    DEFAULT_PROJECT,
                    await kept_settings(desk.store, DEFAULT_PROJECT, channel_labels()),
                ),
                f"Communication/{first['id']}",
                self._words(case),
                live_channels(),
                sender=f"Practitioner/{await _practitioner(desk)}",
                key=f"key-{case}",
            )
            desk.steps.tell("written")
        outbox = Outbox(
            *(desk.store, DEFAULT_PROJECT, live_channels(), channel_labels()),
            watched_calls(HttpCaller(), desk.steps, "call"),
            desk.nowhere,
            submitter=watched_calls(SmtpSubmitter(), desk.steps, "submit"),
            still_held=self._still_held,
            clock=desk.clock,
        )
        await self._send(desk, outbox)
        await self._tell(desk, case)
        await desk.take_in()

    async def _send(self, desk: Desk, outbox: Outbox) -> None:
        """Have the outbox sent, whatever has to be waited for or decided."""
        while True:
            while (due := await outbox.round()) is not None:
                assert desk.ahead < _LONGEST, "it stays in the outbox"
                desk.ahead += int(due * 1000) + 1
            if not await self._decide(desk):
                break

    async def _decide(self, desk: Desk) -> int:
        """What a person does: what is not in the provider's list is sent after all."""
        dead = await dead_letters(desk.store, DEFAULT_PROJECT)
        for one in dead:
            body = await _read(desk, one.entry.message)
            said = body["payload"][0]["contentString"]
            assert one.entry.reason == UNKNOWN, one.entry.reason
            assert not self.provider.sent(said), "nobody had to be asked"
            await replay_letter(desk.store, DEFAULT_PROJECT, one.id)
        return len(dead)

    async def check(self, desk: Desk, case: int) -> Found:
        sent: list[str] = self.provider.sent(self._words(case))
        known = await desk.children(self.channel, *sent)
        there = counted(known, state=self._state)
        ids = {one for body in known for one in sent_as(body)}
        left = len(await waiting(desk.store, DEFAULT_PROJECT)) + await desk.settled()
        lost = there.lost + left + (not sent)
        twice = len(set(sent)) - 1 if sent else 0
        return Found(lost, there.doubled + twice, there.stateless + (ids != set(sent)))

    _state: ClassVar[str]
    #: What its commits rest on.
    _still_held = staticmethod(_held_by_nobody)

    def _words(self, case: int) -> str:
        # Its provider is the same for all of its stores.
        return f"Reply number {case} of {self.store}."

    def begin(self) -> None:
        raise NotImplementedError

    def _people(self) -> list[dict[str, str]]:
        raise NotImplementedError

    def _account(self) -> Account:
        raise NotImplementedError

    def _first(self, case: int) -> Message:
        """What is answered."""
        raise NotImplementedError

    async def _tell(self, desk: Desk, case: int) -> None:
        """Tell what has become of it, as the provider does."""


class TextReplies(_Replies):
    """By a provider that does not know which requests are meant as one."""

    name, channel, _state = "reply by text", "twilio", "delivered"

    def begin(self) -> None:
        self.provider = Twilio(b"")

    def _people(self) -> list[dict[str, str]]:
        return texts.people(self.cases)

    def _account(self) -> Account:
        return texts.account(self.provider.port)

    def _first(self, case: int) -> Message:
        who = texts.patient(case)
        sent = _START + timedelta(minutes=case)
        ends = f"{OFFICE.value}|{who.value}"
        return Message(
            *("twilio", f"SM{case:031x}a", who, (OFFICE,), sent, "hello", "hello", ends),
            medium="SMSWRIT",
        )

    async def _tell(self, desk: Desk, case: int) -> None:
        for sid in self.provider.sent(self._words(case)):
            ends = {"From": OFFICE.value, "To": texts.patient(case).value}
            await texts.deliver(desk, {"MessageSid": sid, "MessageStatus": "delivered", **ends})


class LeasedReplies(TextReplies):
    """The same by the duty that sends, under its lease: whoever is killed leaves it behind."""

    name = "outbox by lease"
    _still_held = staticmethod(lease.still_held)

    async def _send(self, desk: Desk, outbox: Outbox) -> None:
        lease.BEAT = rota.BEAT = _BEAT
        lease.LEASE = _LEASE

        async def send() -> float | None:
            due = await outbox.round()
            if due is not None:
                assert desk.ahead < _LONGEST, "it stays in the outbox"
                desk.ahead += int(due * 1000) + 1
            return None if due is None else 0.0

        duty, stop = Duty("outbox", send), asyncio.Event()
        performing = asyncio.create_task(rota.perform(desk.store, DEFAULT_PROJECT, [duty], stop))
        async with asyncio.timeout(40):
            while await waiting(desk.store, DEFAULT_PROJECT) or await self._decide(desk):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stop.set()
        await performing


class MailReplies(_Replies):
    """By a mail server, to which a mail may go twice: it is the same one to whoever gets it."""

    name, channel, _state = "reply by mail", "email", "queued"

    def begin(self) -> None:
        self.provider = MailServer()

    def _people(self) -> list[dict[str, str]]:
        return mails.people(self.cases)

    def _account(self) -> Account:
        values = {
            "provider": "lmtp",
            "smtp-host": f"127.0.0.1:{self.provider.port}",
            "smtp-tls": "no",
        }
        return Account("care", "email", (CARE,), values, ("127.0.0.1",))

    def _first(self, case: int) -> Message:
        who = Address(AddressKind.EMAIL, mails.patient(case))
        sent = _START + timedelta(minutes=case)
        return Message(
            *("email", mails.message_id(case), who, (CARE,), sent, "hello", "hello", ""),
            subject="Tomorrow",
            medium="EMAILWRIT",
        )


def _words(case: int) -> str:
    return f"Reply number {case}."


async def _practitioner(desk: Desk) -> str:
    found = await desk.store.search(DEFAULT_PROJECT, Query("Practitioner"))
    return found.matches[0].id


async def _read(desk: Desk, id_: str) -> Resource:
    stored = await desk.store.read(DEFAULT_PROJECT, "Communication", id_)
    assert stored is not None
    body: Resource = decode(stored.body)
    return body
