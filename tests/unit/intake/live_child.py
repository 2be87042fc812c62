"""A process that takes in messages live, one batch after the other.

``STORE PHONES FIRST COUNT SIZE`` takes messages numbered from FIRST, one from each of the phones in
turn, in batches of that size, once a line is read from its input. It prints ``ready`` before, and
then how many were new, how many known, and how many batches it had to decide again.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from threadwell.app import open_store
from threadwell.intake import Intake, Settings, parse_options
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
START = datetime(2024, 4, 10, 8, tzinfo=UTC)
SETTINGS = Settings(
    owner=(OFFICE,), policy="inactivity-gap", options=parse_options(gap="6h"), country="US"
)


def message(phone: str, number: int) -> Message:
    """The message of that number: a minute after the one before."""
    sent = START + timedelta(minutes=number)
    patient = Address(AddressKind.PHONE, phone)
    text = f"number {number}"
    return Message(
        *("sms", f"{phone}/{number}", patient, (OFFICE,), sent, text, text, phone),
        medium="SMSWRIT",
    )


async def settings() -> Settings:
    return SETTINGS


async def main(url: str, phones: list[str], first: int, count: int, size: int) -> None:
    store = open_store(url)
    intake = Intake(store, DEFAULT_PROJECT, settings)
    await intake.look()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    new = known = 0
    every = [message(phones[n % len(phones)], n) for n in range(first, first + count)]
    for at in range(0, count, size):
        report = await intake.take(every[at : at + size])
        new += report.counts.new
        known += report.counts.known
    print(new, known, intake.refused, flush=True)
    await store.close()


if __name__ == "__main__":
    url, phones, *numbers = sys.argv[1:]
    asyncio.run(main(url, phones.split(","), *map(int, numbers)))
