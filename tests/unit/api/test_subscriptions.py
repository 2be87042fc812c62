"""Subscriptions, which nobody serves: none says that it is active."""

from __future__ import annotations

import pytest


def subscription(status: str) -> dict:
    return {
        "resourceType": "Subscription",
        "status": status,
        "reason": "To hear of answers",
        "criteria": "Communication?status=completed",
        "channel": {"type": "rest-hook", "endpoint": "https://hook.example.org/"},
    }


@pytest.mark.parametrize(
    ("status", "stored"),
    [("active", "off"), ("requested", "off"), ("off", "off"), ("error", "error")],
)
@pytest.mark.parametrize("how", ["create", "update", "patch", "batch", "transaction"])
def test_none_is_active(api, how: str, status: str, stored: str) -> None:
    body = subscription(status)
    if how == "create":
        shown = api.call("POST", "Subscription", body).json()
    elif how in ("batch", "transaction"):
        answer = api.bundle(how, api.entry("POST", "Subscription", body))
        shown = answer.json()["entry"][0]["resource"]
    else:
        made = api.call("POST", "Subscription", subscription("error")).json()
        path = f"Subscription/{made['id']}"
        change = [{"op": "replace", "path": "/status", "value": status}]
        shown = (
            api.call("PUT", path, {**body, "id": made["id"]})
            if how == "update"
            else api.call("PATCH", path, change, content_type="application/json-patch+json")
        ).json()
    assert shown["status"] == stored
    assert bool(shown.get("error")) == (status in ("active", "requested"))
    assert api.ids("Subscription?status=active,requested") == []
    assert api.call("GET", f"Subscription/{shown['id']}").json() == shown


def test_one_that_is_sent_again_is_the_same(api) -> None:
    made = api.call("POST", "Subscription", subscription("active")).json()
    again = api.call("PUT", f"Subscription/{made['id']}", {**made, "status": "active"}).json()
    assert again == made


def test_what_is_wrong_with_one_is_told(api) -> None:
    answer = api.call("POST", "Subscription", {**subscription("active"), "criteria": None})
    assert answer.status_code == 400
    assert api.call("POST", "Subscription", subscription("on")).status_code == 400
