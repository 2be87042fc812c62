"""What was billed stays as it was billed: no client says otherwise whom it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.api.test_about import Family, ref, sms, told
from tests.unit.intake.test_tails import put
from threadwell.encounters import codes
from threadwell.intake import verify
from threadwell.stores.contract import DEFAULT_PROJECT

JSON_PATCH = {"content_type": "application/json-patch+json"}


class Household(Family):
    """A session about two children: two medical encounters, and a Group."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        self.take(sms("c", "08:20", "Mia coughs"))
        names = self.found("Encounter?status:not=entered-in-error")
        (self.session,) = [one for one in names if "partOf" not in self.read(one)]
        self.care = {self.subject(one): one for one in names if one != self.session}
        (self.header,) = self.found(
            "Communication?part-of:missing=true&status:not=entered-in-error"
        )
        self.group = self.subject(self.session)
        assert self.group.startswith("Group/")
        self.mine = next(
            one
            for one in self.found("Communication?part-of:missing=false")
            if self.subject(one) == self.mia
        )

    def patch(self, name: str, *operations: dict[str, Any]) -> Any:
        return self.api.call("PATCH", name, list(operations), **JSON_PATCH)

    def bill(self, name: str) -> None:
        self.api.clock.now += 86_400_000
        self.take()
        tag = {"op": "add", "path": "/meta/tag", "value": [codes.BILLED]}
        assert self.read(name)["status"] == "finished"
        assert self.patch(name, tag).status_code == 200


@pytest.fixture
def household(api: Any) -> Household:
    return Household(api)


#: Of each resource: its name, and the element that is said otherwise.
WHAT = {
    "session": ("session", "subject"),
    "header": ("header", "subject"),
    "message": ("mine", "subject"),
    "group": ("group", "member"),
    "thread": ("header", "encounter"),
}


def other(household: Household, element: str) -> Any:
    """Another value."""
    if element == "member":
        return [{"entity": {"reference": household.leo}}]
    if element == "encounter":
        return {"reference": household.care[household.mia]}
    return {"reference": household.leo}


def plain(value: Any) -> Any:
    return value["reference"] if isinstance(value, dict) else value


@pytest.mark.parametrize("billed", ["whole", "part"])
@pytest.mark.parametrize("what", WHAT)
def test_no_client_says_otherwise(household: Household, what: str, billed: str) -> None:
    # Billing one patient's care locks the whole session.
    household.bill(household.session if billed == "whole" else household.care[household.leo])
    which, element = WHAT[what]
    name, value = getattr(household, which), other(household, element)
    body = household.read(name)
    patch = {"op": "replace", "path": f"/{element}", "value": value}
    changed = {**body, element: value}
    answers = [
        household.api.call("PUT", name, changed),
        household.patch(name, patch),
        household.patch(name, {"op": "remove", "path": f"/{element}"}),
        household.api.bundle("transaction", household.api.entry("PUT", name, changed)),
    ]
    assert [one.status_code for one in answers] == [422] * 4
    said = [household.api.texts(one)[0] for one in answers]
    assert all("billed" in one or "session" in one for one in said), said
    assert household.read(name) == body
    # What else is there may be said, as the same may.
    note = {"op": "add", "path": "/language", "value": "en"}
    assert household.patch(name, note).status_code == 200
    again = {**body, "language": "de"}
    if element == "subject":
        again["subject"] = {**body["subject"], "display": "as before"}
    assert household.api.call("PUT", name, again).status_code == 200
    household.take()
    assert plain(household.read(name)[element]) == plain(body[element])
    assert household.api.run(verify(household.api.store, DEFAULT_PROJECT)) == []


def test_once_it_is_billed_no_more_a_correction_counts(household: Household) -> None:
    care = household.care[household.leo]
    household.bill(care)
    patch = {"op": "replace", "path": "/subject", "value": {"reference": household.leo}}
    assert household.patch(household.mine, patch).status_code == 422
    assert household.patch(care, {"op": "remove", "path": "/meta/tag"}).status_code == 200
    assert household.patch(household.mine, patch).status_code == 200
    household.take()
    assert household.subject(household.session) == household.leo
    assert household.api.run(verify(household.api.store, DEFAULT_PROJECT)) == []


def test_a_correction_of_another_session_is_taken(household: Household) -> None:
    household.bill(household.session)
    late = sms("z", "08:00", "Leo sneezes")
    household.take(replace(late, sent=late.sent + timedelta(days=1)))
    (found,) = [
        one
        for one in household.found("Communication?part-of:missing=false&_sort=-sent")
        if household.read(one)["payload"][0]["contentString"] == "Leo sneezes"
    ]
    assert told(household.say(found, ref("patient", household.mia)))


@pytest.mark.parametrize("way", ["alone", "transaction"])
@pytest.mark.parametrize("what", WHAT)
def test_what_is_billed_just_then_is_billed(
    household: Household, monkeypatch: Any, what: str, way: str
) -> None:
    # Between the look and the write somebody bills the care of the other child.
    household.api.clock.now += 86_400_000
    household.take()
    which, element = WHAT[what]
    name, value = getattr(household, which), other(household, element)
    body, store = household.read(name), household.api.store
    changed = {**body, element: value}
    commit, turns = store.commit, []

    async def late(*args: Any, **options: Any) -> Any:
        if not turns:
            turns.append(name)
            _, id_ = household.care[household.leo].split("/")
            await put(store, "Encounter", id_, tag=codes.BILLED)
        return await commit(*args, **options)

    monkeypatch.setattr(store, "commit", late)
    if way == "alone":
        answer = household.api.call("PUT", name, changed)
    else:
        answer = household.api.bundle("transaction", household.api.entry("PUT", name, changed))
    assert turns
    assert answer.status_code == 422, answer.text
    assert household.read(name) == body
