"""What an import reads is brought together by circle, whatever the memory that it has for it."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell import zones
from threadwell.intake.gathered.gathering import Gathering
from threadwell.intake.gathered.packing import batches, even
from threadwell.intake.gathered.spool import Belongs, Spool, unpacked
from threadwell.intake.gathered.wire import Line
from threadwell.messages import Address, AddressKind, Attachment, Broken, Message

HERE = Address(AddressKind.PHONE, "+15550100000")
START = datetime(2024, 3, 9, 20, tzinfo=UTC)


def message(number: int, minute: int = 0, size: int = 0, zone: ZoneInfo | None = None) -> Message:
    sent = START + timedelta(minutes=minute)
    return Message(
        *("sms", str(number), HERE, (HERE,), sent.astimezone(zone) if zone else sent, "a", "a"),
        attachments=(Attachment("a", "image/png", b"a" * size),) if size else (),
    )


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from([0, 9, 300_000]))),
    st.sampled_from([0, 2000, 10**9]),
    st.sampled_from([0, 3, 100]),
)
def test_all_that_goes_in_comes_out_by_circle(items, memory, enough):
    every = [Belongs(key, message(n, size=size)) for n, (key, size) in enumerate(items)]
    with Spool(memory) as spool:
        for one in every:
            spool.add([one])
        parts = [unpacked(part) for part in spool.parts(lambda _: enough)]
        waiting = [one for part in spool.waiting() for one in unpacked(part)]
    out = [one for part in parts for one in part]
    assert Counter(one.item.external_id for one in [*out, *waiting]) == Counter(
        one.item.external_id for one in every
    )
    assert {one.item.external_id: one for one in [*out, *waiting]} == {
        one.item.external_id: one for one in every
    }
    assert all(one.key for one in out)
    assert not any(one.key for one in waiting)
    if memory == 10**9:
        homes = Counter(key for part in parts for key in {one.key for one in part})
        assert set(homes.values()) <= {1}


class Named:
    """Tells that each message belongs to what its text names."""

    async def of(self, items):
        return [one.text for one in items]


def test_the_less_is_left_the_smaller_are_the_parts():
    """So no process has much left to do when the others are at their end."""
    every = [replace(message(n), text=f"c{n % 5000}") for n in range(40_000)]

    async def nothing(_):
        pass

    with Gathering(Named(), 10**9, lambda _: None) as gathering:
        asyncio.run(gathering.read(every, nothing))
        parts = [unpacked(part) for part in gathering.shares(5000, 2)]
    sizes = list(map(len, parts))
    assert sum(sizes) == 40_000
    assert all(5000 <= size < 6000 for size in sizes[:4])
    assert all(size < 2000 for size in sizes[-2:])
    assert sorted(sizes[3:], reverse=True)[-1] >= 100
    homes = Counter(key for part in parts for key in {one.key for one in part})
    assert set(homes.values()) == {1}


def test_values_of_many_megabytes_go_both_ways_at_once_and_in_order():
    async def scene():
        ours, theirs = socket.socketpair()
        here, there = await Line.over(ours), await Line.over(theirs)
        large = [bytes([n]) * (3_000_000 + n) for n in range(4)]
        for one in large:
            here.say(one)
            there.say(("other", one))
            here.say(len(one))
        heard = [await there.hear() for _ in range(8)]
        answered = [await here.hear() for _ in range(4)]
        assert heard == [said for one in large for said in (one, len(one))]
        assert answered == [("other", one) for one in large]
        # What is cut off is no value.
        here.say(large[0])
        await asyncio.sleep(0)
        here.close()
        with pytest.raises(EOFError):
            await there.hear()
        there.say(large[0])
        await there.said()
        there.close()

    asyncio.run(scene())


def test_small_parts_come_together():
    every = [Belongs(f"c{n}", message(n)) for n in range(100)]
    with Spool(10**9) as spool:
        spool.add(every)
        sizes = [len(unpacked(part)) for part in spool.parts(lambda _: 40)]
    assert sum(sizes) == 100
    assert len(sizes) == 3
    assert min(sizes[:-1]) >= 40


def test_a_disk_without_room_is_named(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/spare")
    with Path("/dev/full").open("w+b", 0) as full, Spool(0) as spool:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda *_: full)
        every = [Belongs("a", message(number)) for number in range(200)]
        with pytest.raises(OSError, match=r"No space left .*/spare .*TMPDIR"):
            spool.add(every)


def test_a_time_keeps_the_zone_that_it_was_read_by():
    chicago = zones.current().data.zone("America/Chicago").info
    with Spool(0) as spool:
        spool.add([Belongs("a", message(1, zone=chicago))])
        (part,) = spool.parts()
    (one,) = unpacked(part)
    assert isinstance(one.item, Message)
    assert one.item.sent.tzinfo is chicago


A = [Belongs("a", message(n, minute=9 - n)) for n in range(3)]
B = [Belongs("b", message(n + 10)) for n in range(2)]
BROKEN = Belongs("", Broken("sms", "a.xml", "it is cut off", b"<"))


@pytest.mark.parametrize(
    ("items", "size", "expected"),
    [
        ([], 3, []),
        ([*B, *A], 5, [["2", "1", "0", "10", "11"]]),
        ([*B, *A], 4, [["2", "1", "0"], ["10", "11"]]),
        ([A[0], B[0], A[1], B[1], A[2]], 2, [["2", "1"], ["0"], ["10", "11"]]),
        ([*B, *A], 1, [["2"], ["1"], ["0"], ["10"], ["11"]]),
        ([*A, BROKEN], 4, [["", "2", "1", "0"]]),
    ],
)
def test_a_circle_is_in_one_batch_as_long_as_it_fits(items, size, expected):
    out = [[getattr(one, "external_id", "") for one in some] for some in batches([items], size)]
    assert out == expected


def test_a_batch_has_of_several_parts():
    parts = [[Belongs(f"c{n}", message(n))] for n in range(5)]
    assert [len(some) for some in batches(parts, 2)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [
        (10, 2000, 2000),
        (2000, 2000, 2250),
        # None of them is followed by a batch with the rest.
        (2187, 2000, 2460),
        (2999, 2000, 3373),
        (3100, 2000, 2000),
        (8100, 2000, 2278),
        (3, 1, 1),
    ],
)
def test_batches_are_of_about_the_same_size(count, size, expected):
    assert even(count, size) == expected
