"""However an app sends, retries and loses its connection, both sides end with the same messages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from threadwell.app import channel_labels, live_channels
from threadwell.channels.account import Account
from threadwell.channels.chat.names import Patient, own_address
from threadwell.channels.live import State
from threadwell.fhir.json import encode
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.arrivals.telling import Telling
from threadwell.intake.chat import history
from threadwell.intake.chat.posting import post
from threadwell.intake.chat.seen import Seen
from threadwell.intake.chat.told import tell
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.writing import reply
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write
from threadwell.stores.memory import MemoryStore
from threadwell.stores.sqlite import SqliteStore

ACCOUNT = Account("app", "chat", (own_address("app"),), {"secret": "x" * 40})
INES = Patient("app", "ines")
OF = DEFAULT_PROJECT
NOON = 1_710_072_000_000

#: What may happen: a message is sent (again), the record is brought up, the app asks for what is
#: new, or loses what it was just answered; somebody replies; the patient reads.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 4)),
        st.tuples(st.just("take"), st.just(0)),
        st.tuples(st.just("ask"), st.booleans()),
        st.tuples(st.just("reply"), st.integers(0, 2)),
        st.tuples(st.just("read"), st.just(0)),
    ),
    max_size=14,
)


@dataclass
class Phone:
    """An app: what it has by id, and its cursor."""

    store: Store
    cursor: history.Cursor | None = None
    has: dict[str, Seen] = field(default_factory=dict)
    now: int = NOON

    async def ask(self, *, lost: bool = False) -> None:
        """Ask for what is new; where the answer is ``lost``, it is as if it had never come."""
        if self.cursor is None:
            found = await history.latest(self.store, OF, INES, self.now)
        else:
            found = await history.since(self.store, OF, INES, self.cursor, self.now)
        if lost:
            return
        if found.anew:
            self.has.clear()
        self.has |= {one.id: one for one in found.messages}
        self.cursor = found.cursor

    async def read(self) -> None:
        ids = [one.id for one in self.has.values() if one.ours]
        await tell(self.store, OF, INES, ids, State.READ, self.now)


@given(STEPS)
def test_both_sides_end_with_the_same(steps: list[tuple[str, Any]]) -> None:
    asyncio.run(_both_sides(MemoryStore(), steps))


def test_both_sides_end_with_the_same_on_disk(tmp_path: Any) -> None:
    steps: list[tuple[str, Any]] = [
        ("send", 0), ("send", 0), ("ask", False), ("take", 0), ("send", 0), ("reply", 0),
        ("ask", True), ("read", 0), ("send", 1), ("ask", False), ("read", 0), ("reply", 0),
        ("take", 0), ("send", 1), ("reply", 1), ("ask", True), ("take", 0),
    ]  # fmt: skip
    asyncio.run(_both_sides(SqliteStore.open(tmp_path / "chat.db"), steps))


async def _both_sides(store: Store, steps: list[tuple[str, Any]]) -> None:
    await keep_account(store, OF, ACCOUNT)
    await _person(store, "Patient", "p1", telecom=[{"system": "other", "value": "chat:app/ines"}])
    await _person(store, "Practitioner", "n1")
    phone, other = Phone(store), Phone(store)
    taking = Taking(store, OF, live_channels(), channel_labels(), clock=lambda: phone.now)
    telling = Telling(store, OF, clock=lambda: phone.now)
    sent: dict[int, str] = {}
    replied: dict[int, str] = {}
    read: set[str] = set()
    for what, how in [*steps, ("take", 0)]:
        phone.now += 1000
        match what:
            case "send":
                done = await post(store, OF, ACCOUNT, INES, f"k{how}", f"text {how}", (), phone.now)
                assert done.there == (how in sent)
                assert sent.setdefault(how, done.id) == done.id
            case "take":
                await taking.round()
                await telling.round()
            case "ask":
                await phone.ask(lost=how)
            case "reply" if threads := await history.headers(store, OF, INES):
                done_ = await reply(
                    Seat(
                        store,
                        OF,
                        await kept_settings(store, OF, channel_labels()),
                        clock=lambda: phone.now,
                    ),
                    f"Communication/{threads[-1]}",
                    f"answer {how}",
                    live_channels(),
                    sender="Practitioner/n1",
                    key=f"r{how}",
                )
                replied[how] = done_.message.removeprefix("Communication/")
            case "read":
                await phone.read()
                read |= {one.id for one in phone.has.values() if one.ours}
    await telling.round()
    await phone.ask()
    await other.ask()
    assert {one.id: one.text for one in other.has.values()} == {
        **{id_: f"text {number}" for number, id_ in sent.items()},
        **{id_: f"answer {number}" for number, id_ in replied.items()},
    }
    assert phone.has == other.has
    assert {one.id for one in phone.has.values() if one.state == "read"} == read
    await store.close()


async def _person(store: Store, type_: str, id_: str, **more: Any) -> None:
    body = {"resourceType": type_, "id": id_, **more}
    body["meta"] = {"versionId": "1", "lastUpdated": "2024-03-10T12:00:00Z"}
    write = Write(type_, id_, "1", NOON, body, encode(body))
    await store.commit(OF, ChangeSet((write,)))
