"""Where the session policy of a store is not installed any more, what needs none goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.api.test_replies import ref, said, text
from tests.unit.api.test_todos import Desk, why
from threadwell.app import live_channels
from threadwell.encounters.todo import FRONT_DESK
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.replies.saved import remove_saved, save_reply, saved_replies, saved_text
from threadwell.intake.seat import Stand
from threadwell.intake.thread_acts.drafting import discard_draft, drafts, save_draft
from threadwell.stores.contract import DEFAULT_PROJECT, Store

OTHERS = "the front desk is asked"


@pytest.fixture
def desk(store: Store, new_api: Any) -> Desk:
    """A patient waits, and then the package of the session policy is gone."""
    desk = Desk(new_api(store=store, channels=live_channels))
    desk.take(said("SM1", -9))
    choices = replace(Choices(), policy="per-moon")
    desk.run(keep_choices(store, DEFAULT_PROJECT, choices))
    return desk


def test_a_thread_is_claimed_and_given_to_others(desk: Desk) -> None:
    [task] = desk.waiting()
    assert desk.act(task, "claim", ref("owner", desk.dana))["status"] == "accepted"
    given = desk.act(task, "reroute", ref("owner", desk.nils), why(OTHERS))
    assert given["owner"]["display"] == "Nils Berg"
    pool = {"name": "pool", "valueCodeableConcept": FRONT_DESK.as_json()}
    assert "owner" not in desk.act(task, "reroute", pool, why(OTHERS))
    desk.act(task, "claim", ref("owner", desk.nils))
    assert desk.act(task, "release")["status"] == "requested"
    assert desk.act(task, "dismiss", why("thanks"))["status"] == "completed"


def test_drafts_and_saved_replies_are_kept(desk: Desk) -> None:
    stand = Stand(desk.store, DEFAULT_PROJECT, clock=desk.api.clock)
    thread = desk.header()
    made = desk.run(save_draft(stand, thread, "At", sender=desk.dana))
    id_ = made.rpartition("/")[2]
    assert desk.run(save_draft(stand, thread, "At 3", sender=desk.dana, id_=id_)) == made
    [one] = desk.run(drafts(desk.store, DEFAULT_PROJECT, desk.dana))
    assert one["payload"][0]["contentString"] == "At 3"
    desk.run(discard_draft(stand, made))
    desk.run(save_reply(stand, "hours", "From 9 to 5, {{sender.name}}"))
    filled = desk.run(saved_text(stand, "hours", thread, sender=desk.dana))
    assert filled == "From 9 to 5, Dana"
    desk.run(remove_saved(stand, "hours"))
    assert desk.run(saved_replies(desk.store, DEFAULT_PROJECT)) == []


def test_what_changes_sessions_says_what_is_missing(desk: Desk) -> None:
    body = {"resourceType": "Parameters", "parameter": [text("Yes."), ref("sender", desk.dana)]}
    answer = desk.api.call("POST", f"{desk.header()}/$reply", body)
    assert answer.status_code == 422
    assert desk.api.texts(answer) == [
        "no session policy 'per-moon'; there are: explicit, inactivity-gap, per-day, per-thread"
    ]
