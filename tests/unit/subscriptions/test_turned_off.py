"""A rest-hook that is turned off and on again, over each store: it goes on where it was."""

from __future__ import annotations

from tests.unit.subscriptions.test_hooks import Practice
from tests.unit.subscriptions.test_hooks import practice as practice
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT
from threadwell.subscriptions.hook_states import set_back, states
from threadwell.subscriptions.hooks import PATIENCE
from threadwell.subscriptions.shown import Shown, subscriptions


def shown(practice: Practice) -> Shown:
    (one,) = practice.run(subscriptions(practice.store, PROJECT))
    return one


def test_what_came_while_it_was_off_is_told_once_it_is_active_again(practice: Practice) -> None:
    practice.round()
    id_ = practice.hook()
    practice.message("completed")
    practice.round()
    stands = shown(practice).number
    practice.hook(id_=id_, status="off")
    practice.message("stopped")
    practice.message("on-hold")
    practice.round()
    practice.anew()
    practice.round()
    # It is not called, and is shown where it stands.
    assert practice.endpoint.told() == ["completed"]
    told = shown(practice)
    assert (told.status, told.number, told.behind) == ("off", stands, 3)
    practice.hook(id_=id_)
    practice.message("not-done")
    practice.round()
    assert practice.endpoint.told() == ["completed", "stopped", "on-hold", "not-done"]


def test_what_came_meanwhile_is_left_out_where_somebody_says_so(practice: Practice) -> None:
    practice.round()
    id_ = practice.hook()
    practice.message("completed")
    practice.round()
    practice.hook(id_=id_, status="off")
    practice.message("stopped")
    practice.round()
    practice.run(set_back(practice.store, PROJECT, id_, None))
    assert shown(practice).behind == 0
    practice.hook(id_=id_)
    practice.message("not-done")
    practice.round()
    assert practice.endpoint.told() == ["completed", "not-done"]


def test_tries_in_vain_before_it_was_off_do_not_count_after(practice: Practice) -> None:
    practice.round()
    id_ = practice.hook()
    practice.message("completed")
    practice.endpoint.next = [500]
    assert practice.round() == 1
    practice.hook(id_=id_, status="off")
    practice.round()
    practice.now += PATIENCE * 1000
    practice.hook(id_=id_)
    practice.endpoint.next = [500]
    # It is called at once, and is not given up for what went wrong three days ago.
    assert practice.round() == 1
    assert practice.shown(id_)["status"] == "active"
    practice.now += 1000
    practice.round()
    assert practice.endpoint.told() == ["completed"]


def test_when_it_is_called_again_is_shown_while_it_pauses(practice: Practice) -> None:
    practice.round()
    id_ = practice.hook()
    practice.message("completed")
    assert (shown(practice).tries, shown(practice).due) == (0, "")
    practice.endpoint.next = [500]
    assert practice.round() == 1
    assert (shown(practice).tries, shown(practice).due) == (1, instant(practice.now + 1000))
    practice.hook(id_=id_, status="off")
    assert shown(practice).due == ""
    practice.hook(id_=id_)
    practice.now += 1000
    practice.round()
    assert (shown(practice).tries, shown(practice).due) == (0, "")


def test_one_that_is_deleted_stands_nowhere(practice: Practice) -> None:
    practice.round()
    id_ = practice.hook()
    practice.round()
    practice.hook(id_=id_, status="off")
    practice.round()
    assert id_ in practice.run(states(practice.store, PROJECT))
    practice.delete("Subscription", id_)
    practice.round()
    assert practice.run(states(practice.store, PROJECT)) == {}
