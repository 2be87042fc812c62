"""A message that is expunged does not come back by the other way that it came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from threadwell.bulk.expunging import Expunging
from threadwell.fhir.stamp import now_ms
from threadwell.intake import quarantine
from threadwell.intake.sameness import say_whether_same
from threadwell.stores.contract import DEFAULT_PROJECT, Key


def expunge(practice, name):
    async def nothing():
        return None

    type_, _, id_ = name.partition("/")
    work = Expunging(practice.store, DEFAULT_PROJECT, now_ms, "", nothing)
    return dict(practice.run(work.one(Key(type_, id_))).removed)


@pytest.mark.parametrize("said", [None, True])
def test_its_twin_goes_along_and_is_not_taken_again(practice, sms, said):
    first = sms("a", "08:00", "My knee hurts again.")
    sent = first.sent + timedelta(seconds=3)
    second = replace(first, channel="provider", external_id="other", sent=sent)
    practice.take(first, sms("b", "09:00", "And my back."))
    assert practice.take(second).reasons == {"suspected-duplicate": 1}
    (one,) = practice.run(quarantine(practice.store, DEFAULT_PROJECT))
    if said:
        practice.run(say_whether_same(practice.seat(), one.task, same=True))
    removed = expunge(practice, one.twin)
    assert removed == {"Communication": 1, "Task": 1, "Binary": 1}
    assert practice.run(quarantine(practice.store, DEFAULT_PROJECT)) == []
    for again in (first, second):
        report = practice.take(again)
        assert (report.counts.new, report.counts.quarantined) == (0, 0)
    assert "knee" not in str(practice.live("Communication"))


def test_another_message_at_that_time_is_left(practice, sms):
    first = sms("a", "08:00", "My knee hurts again.")
    second = replace(first, channel="provider", external_id="other")
    practice.take(first)
    practice.take(second)
    (one,) = practice.run(quarantine(practice.store, DEFAULT_PROJECT))
    practice.run(say_whether_same(practice.seat(), one.task, same=False))
    assert len([x for x in practice.live("Communication") if "partOf" in x]) == 2
    # What it was held in stays, as somebody has said that it is another one.
    assert expunge(practice, one.twin) == {"Communication": 1}
    assert len([x for x in practice.live("Communication") if "partOf" in x]) == 1
