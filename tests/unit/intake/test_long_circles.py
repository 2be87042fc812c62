"""A circle that is too long for the memory is imported from tail to tail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from tests.property.test_intake import NOW, OWN, live, with_people
from tests.property.test_stretches import texts
from threadwell.intake import Settings, import_messages, parse_options, run
from threadwell.intake.seat import Seat
from threadwell.messages import Message
from threadwell.stores.contract import DEFAULT_PROJECT


async def imported(messages: list[Message], how: Settings) -> tuple[Any, int]:
    """What is live, and how many messages of the circle were at hand at most."""
    store, most = await with_people(), 0
    plan = run.plan

    def counted(circle: Any, rules: Any) -> Any:
        nonlocal most
        most = max(most, len(circle.messages))
        return plan(circle, rules)

    with patch.object(run, "plan", counted):
        seat = Seat(store, DEFAULT_PROJECT, how, clock=lambda: NOW)
        report = await import_messages(seat, messages)
    assert report.counts.new == len(messages)
    return await live(store), most


def test_no_more_of_a_long_circle_is_at_hand_than_a_batch_and_its_tail():
    how = Settings(owner=(OWN,), options=parse_options(zone="America/Chicago"), batch=100)
    messages = sorted(texts(900), key=lambda one: one.sent)

    async def both() -> tuple[Any, Any]:
        whole = await imported(messages, how)
        return whole, await imported(messages, replace(how, memory=300 * 4096))

    (whole, all_of_it), (found, some) = asyncio.run(both())
    assert found == whole
    assert all_of_it == 900
    assert some < 550
