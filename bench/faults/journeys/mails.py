"""Mails: out of a mailbox that is read over IMAP, and handed over by a mail server over LMTP."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from bench.faults.dying import Steps
from bench.faults.journeys.desk import CARE, Desk, Found, Journey, counted
from threadwell.calls.mailbox import Held, Place
from threadwell.channels.account import Account
from threadwell.intake import import_people
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.mailboxes import Mailboxes
from threadwell.messages import Address, AddressKind
from threadwell.server.mail.listener import Listener
from threadwell.server.mail.place import Place as Listening
from threadwell.server.mail.running import rules_for
from threadwell.stores.contract import DEFAULT_PROJECT, Store

_START = datetime(2024, 4, 10, 9, tzinfo=UTC)
_TEAM = Address(AddressKind.EMAIL, "team@clinic.example.org")


def people(cases: int) -> list[dict[str, str]]:
    """A patient for each case, and one who replies."""
    rows = [{"kind": "practitioner", "id": "dana", "family": "Dana"}]
    return rows + [
        {"kind": "patient", "id": f"p{n}", "family": f"Kin{n}", "email": patient(n)}
        for n in range(cases)
    ]


def patient(case: int) -> str:
    """The address of the patient of a case."""
    return f"kin{case}@example.org"


def message_id(case: int) -> str:
    """That of the mail of a case."""
    return f"m{case}@example.org"


def mail(case: int) -> bytes:
    """The mail of a case."""
    lines = [
        f"From: Kin <{patient(case)}>",
        f"To: {CARE.value}, {_TEAM.value}",
        f"Date: {format_datetime(_START + timedelta(minutes=case))}",
        "Subject: Tomorrow",
        f"Message-ID: <{message_id(case)}>",
        "",
        f"When, on day {case}?",
        "",
    ]
    return "\r\n".join(lines).encode()


class Mailbox(Journey):
    """Mails of a mailbox. What is there was promised to nobody, and has to be read all the same."""

    name = "mailbox"

    async def set_up(self, store: Store) -> None:
        await import_people(store, DEFAULT_PROJECT, people(self.cases))
        values = {"provider": "imap", "host": "imap.example.org", "user": "u", "password": "p"}
        await keep_account(store, DEFAULT_PROJECT, Account("box", "email", (CARE,), values))

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        mailboxes = Mailboxes(
            desk.store,
            DEFAULT_PROJECT,
            connect=lambda place: _Box(place, case, desk.steps),  # type: ignore[arg-type, return-value]
        )
        await mailboxes.round()
        await desk.take_in()

    async def check(self, desk: Desk, case: int) -> Found:
        found = counted(await desk.children("email", message_id(case)))
        return Found(found.lost + await desk.settled(), found.doubled)


class _Box:
    """What a connection to the mailbox tells: the mails of all cases so far, by their numbers."""

    idles = False

    def __init__(self, _place: Place, case: int, steps: Steps) -> None:
        self._case, self._steps = case, steps
        steps.step("connect to the mailbox")

    def open(self, _folder: str) -> int:
        self._steps.step("open the folder")
        return 1

    def after(self, uid: int, _since: date | None) -> list[int]:
        self._steps.step("ask what is new")
        return [one for one in range(1, self._case + 2) if one > uid]

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        return {uid: len(mail(uid - 1)) for uid in uids}

    def fetch(self, uids: Sequence[int]) -> list[Held]:
        self._steps.step("fetch the mails")
        return [Held(uid, mail(uid - 1), (), _START) for uid in uids]

    def close(self) -> None:
        """Leave."""


class HandedOver(Journey):
    """Mails of a mail server, which hands over again what was not answered for every recipient."""

    name = "mail handed over"

    async def set_up(self, store: Store) -> None:
        await import_people(store, DEFAULT_PROJECT, people(self.cases))
        for name, address in (("care", CARE), ("team", _TEAM)):
            account = Account(name, "email", (address,), {"provider": "lmtp"})
            await keep_account(store, DEFAULT_PROJECT, account)

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        if "handed over" not in told:
            rules = rules_for(desk.store, Listening("127.0.0.1", 0, True, 1_000_000), None)
            listener = Listener(rules)
            server = await listener.start("127.0.0.1", 0)
            await desk.steps.ask(str(server.sockets[0].getsockname()[1]))
            server.close()
            await listener.finish(1.0)
        await desk.take_in()

    def outside(self, case: int, what: str) -> list[str]:
        client: Any = smtplib.LMTP()
        try:
            client.connect("127.0.0.1", int(what))
            refused = client.sendmail(patient(case), [CARE.value, _TEAM.value], mail(case))
        except (OSError, smtplib.SMTPException):
            return []
        finally:
            client.close()
        assert not refused
        return ["handed over"]

    async def check(self, desk: Desk, case: int) -> Found:
        found = counted(await desk.children("email", message_id(case)))
        return Found(found.lost + await desk.settled(), found.doubled)
