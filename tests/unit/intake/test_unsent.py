"""A message that was not sent says so itself: to programs that know nothing of an outbox, too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.intake.provider import Provider
from tests.unit.intake.test_outbox import Desk, P
from threadwell.app import live_channels
from threadwell.encounters.delivery import delivery_of
from threadwell.fhir.json import decode
from threadwell.intake import verify
from threadwell.intake.commits.batch import Batch
from threadwell.intake.replies.again import send_again
from threadwell.intake.replies.asked import BadReply
from threadwell.intake.replies.outbox import NotInOutbox, drop_letter, replay_letter
from threadwell.intake.seat import Seat
from threadwell.stores.contract import Key


@pytest.fixture
def desk() -> Iterator[Desk]:
    provider = Provider()
    one = Desk(":memory:", provider)
    yield one
    one.run(one.store.close())
    one.runner.close()
    provider.close()


def told(desk: Desk, name: str) -> tuple[str, str, str]:
    """Its state, the code of the provider, and the reason in words."""
    [body] = [one for one in desk.bodies() if one["id"] == name.partition("/")[2]]
    found = delivery_of(body)
    why = (body.get("statusReason") or {}).get("text", "")
    assert body["status"] == "in-progress"
    return (found.state, found.error, why) if found else ("", "", why)


WHY = "It was not sent: the number that it goes to takes no text messages"
CODE = " (the provider's error 21614)"


def test_what_is_refused_says_why_until_it_is_sent_after_all(desk: Desk) -> None:
    desk.provider.next = [(400, 21614), (400, 21614)]
    name = desk.reply("First.")
    assert told(desk, name) == ("queued", "", "")
    assert desk.round() is None
    assert told(desk, name) == ("failed", "21614", WHY + CODE)
    for _ in range(2):
        [one] = desk.dead()
        desk.run(replay_letter(desk.store, P, one.id))
        assert told(desk, name) == ("queued", "", "")
        desk.round()
        if desk.dead():
            assert told(desk, name) == ("failed", "21614", WHY + CODE)
    assert told(desk, name)[0] != "failed"
    assert [m["body"] for m in desk.provider.sent] == ["First."]
    assert desk.run(verify(desk.store, P)) == []


def test_what_is_left_unsent_never_looks_sent_and_can_be_written_again(desk: Desk) -> None:
    desk.provider.next = [(400, 21614)]
    name = desk.reply("First.")
    desk.round()
    [one] = desk.dead()
    again = (Seat(desk.store, P, desk.settings), name, live_channels())
    # It would go out twice, once somebody has it sent after all.
    with pytest.raises(BadReply, match="waits in the outbox"):
        desk.run(send_again(*again, sender="Practitioner/dana"))
    desk.run(drop_letter(desk.store, P, one.id))
    assert told(desk, name) == ("failed", "21614", WHY + CODE)
    desk.run(send_again(*again, sender="Practitioner/dana"))
    desk.round()
    assert [m["body"] for m in desk.provider.sent] == ["First."]


def test_of_what_nobody_can_tell_nothing_is_said(desk: Desk) -> None:
    desk.provider.next, desk.provider.silent = ["lost"], True
    name = desk.reply("First.")
    assert told(desk, name) == ("queued", "", "")
    while (seconds := desk.round()) is not None:
        desk.ahead += int(seconds * 1000) + 1
    [one] = desk.dead()
    assert told(desk, name) == ("", "", "")
    desk.run(drop_letter(desk.store, P, one.id))
    assert told(desk, name) == ("", "", "")


def test_whoever_writes_to_the_message_at_the_same_time_keeps_nothing_from_being_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.provider.next = [(400, 21614)]
    name = desk.reply("First.")
    id_, commit, times = name.partition("/")[2], desk.store.commit, iter(range(3))

    async def late(project: str, changes: Any, **more: Any) -> Any:
        dies = any(one.kind == "outbox-dead" for one in changes.kept)
        if dies and next(times, None) is not None:
            stored = await desk.store.read(P, "Communication", id_)
            assert stored is not None
            batch = Batch(updated=desk.clock())
            batch.write(Key("Communication", id_), decode(stored.body), stored)
            await commit(P, batch.change_set())
        return await commit(project, changes, **more)

    monkeypatch.setattr(desk.store, "commit", late)
    assert desk.round() is None
    assert told(desk, name) == ("failed", "21614", WHY + CODE)
    [one] = desk.dead()

    async def both() -> list[Any]:
        twice = (replay_letter(desk.store, P, one.id), drop_letter(desk.store, P, one.id))
        return await asyncio.gather(*twice, return_exceptions=True)

    # Of two who decide, one does.
    assert [type(one) for one in desk.run(both())].count(NotInOutbox) == 1
