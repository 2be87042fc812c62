"""``$same-message``: a held message is one that is there already, or another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.api.test_replies import Clinic, said
from threadwell.app import live_channels
from threadwell.fhir.validation import validate
from threadwell.intake import quarantine
from threadwell.stores.contract import DEFAULT_PROJECT, Store


@pytest.fixture
def clinic(store: Store, new_api: Any) -> Clinic:
    return Clinic(new_api(store=store, channels=live_channels))


def held(clinic: Clinic) -> str:
    """The Task of a message that the phone's backup has as well."""
    first = said("SM1", -9)
    clinic.take(first)
    clinic.take(replace(first, channel="sms_backup", external_id="17"))
    (one,) = clinic.run(quarantine(clinic.store, DEFAULT_PROJECT))
    return str(one.task)


@pytest.mark.parametrize("in_body", [True, False])
@pytest.mark.parametrize("same", [True, False])
def test_it_is_said_of_the_task(clinic: Clinic, same: bool, in_body: bool) -> None:
    task = held(clinic)
    asked = clinic.api.call("GET", task).json()
    assert asked["reasonCode"]["coding"][0]["code"] == "suspected-duplicate"
    focus = asked["focus"]["reference"]
    assert validate(asked) == []
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "same", "valueBoolean": same}],
    }
    url = f"{task}/$same-message" if in_body else f"{task}/$same-message?same={str(same).lower()}"
    answer = clinic.api.call("POST", url, *([parameters] if in_body else []))
    assert answer.status_code == 200, answer.text
    now = answer.json()
    assert (now["status"], now["output"][0]["valueBoolean"]) == ("completed", same)
    assert validate(now) == []
    there = clinic.api.call("GET", focus).json()
    values = [one["value"] for one in there["identifier"]]
    assert ("17" in values) is same
    assert validate(there) == []
    again = clinic.api.call("POST", url, *([parameters] if in_body else []))
    assert again.status_code == 422


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("Task/none/$same-message?same=true", 404),
        ("{task}/$same-message", 400),
        ("{task}/$same-message?same=perhaps", 400),
        ("{task}/$same-message?alike=true", 400),
    ],
)
def test_what_is_asked_wrongly_is_refused(clinic: Clinic, url: str, status: int) -> None:
    task = held(clinic)
    assert clinic.api.call("POST", url.format(task=task)).status_code == status
