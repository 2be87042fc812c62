"""A practice of any size, as an import of its years makes it: what is measured as a store grows.

50 messages of each patient over two years up to now, some five in a row; of each hundred one is of
a stranger and waits, and some patients share a phone. Threads of the last 60 days wait for answers.

python -m bench.filled large.db 1000000
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from threadwell.app import channel_labels, open_store
from threadwell.channels.account import Account
from threadwell.intake import import_messages, import_people
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.settings import live_settings
from threadwell.intake.collecting import rare_collections
from threadwell.intake.seat import Seat
from threadwell.intake.todos.since import keep_since
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
#: The secret by which the account's provider signs what it delivers.
TOKEN = "f2b5a0d19c7e4a68"
ACCOUNT = Account(
    "desk", "twilio", (OFFICE,), {"account_sid": "AC" + "0" * 32, "auth_token": TOKEN}
)
#: Messages of each patient.
EACH = 50
_DAYS = 730
_TRACKED = timedelta(days=60)
_WORDS = (
    "Good morning, the new dose agrees with me. Shall I come in before the holidays?",
    "My knee still hurts when I climb stairs.",
    "Thank you, that helped.",
    "Could you send the referral to the hospital?",
    "The rash on her arm has come back.",
)
#: A word of one message in ten thousand.
RARE = "shellfish"


def phone(number: int) -> str:
    """The number of a patient; one in 500 has that of the one before."""
    return f"+1{2_070_000_000 + 2_000_000 + number - (number % 500 == 499)}"


async def fill(url: str, messages: int, *, workers: int = 1) -> None:
    """Make that store of so many messages."""
    now = datetime.now(UTC)
    people = messages // EACH
    store = open_store(url)
    rows = [{"kind": "organization", "id": "o", "family": "Bench", "phone": OFFICE.value}]
    rows += [{"kind": "practitioner", "id": f"d{n}", "family": f"Doctor{n}"} for n in range(25)]
    rows += [
        {"kind": "patient", "id": f"p{n}", "given": f"Given{n % 97}", "family": f"Family{n}"}
        | {"phone": phone(n)}
        for n in range(people)
    ]
    await import_people(store, DEFAULT_PROJECT, rows)
    await keep_account(store, DEFAULT_PROJECT, ACCOUNT)
    await keep_since(store, DEFAULT_PROJECT, int((now - _TRACKED).timestamp() * 1000))
    settings = await live_settings(store, DEFAULT_PROJECT, channel_labels())
    settings = replace(settings, owner=(OFFICE,), workers=workers)
    began = time.monotonic()

    def told(counts: object) -> None:
        print(f"{time.monotonic() - began:.0f} s: {counts}", flush=True)

    seat = Seat(store, DEFAULT_PROJECT, settings)
    with rare_collections():
        report = await import_messages(seat, _messages(messages, people, now), told)
    print(report.counts, f"{time.monotonic() - began:.0f} s")
    await store.put_private("bench-whole", DEFAULT_PROJECT, b"1")
    await store.close()


def _messages(count: int, people: int, now: datetime) -> Iterator[Message]:
    random = Random(7)
    # The last message of each was some time in the last weeks, and the others lead up to it.
    at = [now - timedelta(hours=random.expovariate(1 / 500)) for _ in range(people)]
    for number in range(count):
        who = random.randrange(people)
        step = timedelta(seconds=random.randrange(60, 1800))
        if random.random() < 0.2:
            step += timedelta(days=random.expovariate(EACH / 5 / _DAYS))
        at[who] -= step
        sent = at[who].replace(microsecond=0)
        stranger = number % 100 == 0
        written = f"+1{9_785_550_000 + number // 100 % 10_000}" if stranger else phone(who)
        theirs = Address(AddressKind.PHONE, written)
        text = f"{random.choice(_WORDS)} {number}" + (f" {RARE}" if number % 10_000 == 7 else "")
        answers = not stranger and random.random() < 0.45
        sender, to = (OFFICE, theirs) if answers else (theirs, OFFICE)
        yield Message(
            *("twilio", f"SM{number:032x}", sender, (to,), sent, text, text, theirs.value),
            ours=(OFFICE,),
        )


if __name__ == "__main__":
    path, count, *workers = sys.argv[1:]
    asyncio.run(fill(path, int(count), workers=int(*workers or "1")))
