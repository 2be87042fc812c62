"""What is made of a circle in stretches is what is made of it at once, byte for byte."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from random import Random

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import costly
from tests.property.test_intake import ANA, NOW, OWN, START, with_people
from tests.property.test_tails import HOW, a_life
from threadwell.backfill.grouping import Group, Groups
from threadwell.backfill.making import made
from threadwell.backfill.records import encode as encoded
from threadwell.backfill.spool import schema
from threadwell.fhir.json import decode, encode
from threadwell.intake import Settings, parse_options
from threadwell.intake.whole import Whole
from threadwell.messages import Message
from threadwell.stores.contract import DEFAULT_PROJECT


def groups_with(messages: list[Message], most: int) -> list[Group]:
    """All of them as one group, in two record batches."""
    rows = [(0, 1, number, number, encoded(one)) for number, one in enumerate(messages)]
    batches = [
        pa.record_batch([list(column) for column in zip(*some, strict=True)], schema=schema())
        for some in (rows[::2], rows[1::2])
        if some
    ]
    return list(Groups(batches, most))


class Watched(Whole):
    """Counts how many messages it is given at once."""

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.taken: list[int] = []
        self.looked: list[int] = []

    async def take_stretch(self, items, along):
        self.taken.append(len(items))
        return await super().take_stretch(items, along)

    async def parting(self, items, at, allowed):
        self.looked.append(len(items))
        return await super().parting(items, at, allowed)


async def recorded(messages: list[Message], how: Settings, most: int):
    """All that is made, without ``meta``, what it counts, and how it was cut up."""
    store = await with_people()
    whole = Watched(store, DEFAULT_PROJECT, how, lambda: NOW)
    found: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    async for batch in made(whole, groups_with(messages, most), most):
        for key, write in batch.writes.items():
            body = decode(write.body)
            del body["meta"]
            name = f"{key.type}/{key.id}"
            assert name not in found, name
            found[name] = encode(body)
        numbers = {n: getattr(batch.counts, n) for n in ("read", "new", "known", "quarantined")}
        numbers |= {"sessions": batch.sessions, "reviews": batch.reviews, **batch.reasons}
        for name, number in numbers.items():
            counts[name] = counts.get(name, 0) + number
    return found, {name: number for name, number in counts.items() if number}, whole


async def both(messages: list[Message], how: Settings, most: int):
    """In stretches, and at once."""
    return await recorded(messages, how, most), await recorded(messages, how, 2**30)


@costly(15)
@given(a_life(), HOW, st.sampled_from([1, 1, 1500]), st.randoms(use_true_random=False))
def test_stretches_make_what_all_of_it_makes(messages, how, most, random: Random):
    how = replace(how, tracking=None)
    random.shuffle(messages)

    (stretched, some, _), (whole, every, watched) = asyncio.run(both(messages, how, most))
    assert watched.taken == []
    assert stretched == whole
    assert some == every


def texts(count: int) -> list[Message]:
    """So many texts of one patient, five a day, read in the order of no time."""
    out = [
        Message(
            *("sms", str(n), *((ANA, (OWN,)) if n % 2 else (OWN, (ANA,)))),
            START + timedelta(days=n // 5 - 365, minutes=n % 5),
            *(f"text {n} " + "x" * 100, f"text {n}"),
            thread_hint=ANA.value,
            medium="SMSWRIT",
        )
        for n in range(count)
    ]
    Random(1).shuffle(out)
    return out


def test_no_more_is_held_of_a_long_circle_than_a_stretch_has():
    how = Settings(owner=(OWN,), options=parse_options(zone="America/Chicago"))
    messages = texts(1000)
    most = 20 * len(encoded(messages[0]))
    (made_of_some, counts, some), (made_of_all, _, _) = asyncio.run(both(messages, how, most))
    assert made_of_some == made_of_all
    assert counts == {"read": 1000, "new": 1000, "sessions": 200}
    assert sum(some.taken) == 1000
    assert len(some.taken) > 50
    assert max(some.taken + some.looked) < 30
