"""Only Meta is heard, and only with the secret of the account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.unit.channels.whatsapp_cloud.cloud_deliveries import (
    ACCOUNT,
    LIVE,
    NOON,
    VALUES,
    delivery,
    message,
    of,
    signed,
)
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused, Reply

BODY = of(message(said={"body": "Tschüß 👋"}))


@pytest.mark.parametrize(
    ("signature", "values", "good"),
    [
        (signed(BODY), {}, True),
        (signed(BODY).upper().replace("SHA256", "sha256"), {}, True),
        (signed(BODY, "app-two"), {"second_app_secret": "app-two"}, True),
        (signed(BODY), {"second_app_secret": "app-two"}, True),
        (signed(BODY, "app-two"), {}, False),
        (signed(BODY, ""), {"app_secret": ""}, False),
        (signed(BODY + b" "), {}, False),
        (signed(BODY).removeprefix("sha256="), {}, False),
        (signed(BODY).replace("sha256", "sha1"), {}, False),
        ("sha256=", {}, False),
        ("sha256=ÿþ", {}, False),
        ("", {}, False),
    ],
)
def test_a_delivery_is_signed(signature: str, values: dict[str, str], good: bool) -> None:
    account = replace(ACCOUNT, values={**VALUES, **values})
    refused = LIVE.verify(delivery(BODY, signature), account)
    assert (refused is None) == good
    if refused:
        assert "Tsch" not in refused.reason


def test_an_account_that_is_gone_hears_nothing() -> None:
    assert LIVE.verify(delivery(BODY), Account("wa", "whatsapp_cloud")) is not None


GREETING = {"hub.mode": "subscribe", "hub.verify_token": "open sesame", "hub.challenge": "11 58"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, b"11 58"),
        ({"hub.challenge": ""}, b""),
        ({"hub.challenge": "<b>"}, b"<b>"),
        ({"hub.verify_token": "open"}, None),
        ({"hub.verify_token": "öffne"}, None),
        ({"hub.verify_token": ""}, None),
        ({"hub.mode": "unsubscribe"}, None),
        ({"hub.mode": ""}, None),
    ],
)
def test_meta_tries_the_url(changed: dict[str, Any], said: bytes | None) -> None:
    url = "https://clinic.example.org/hooks/wa?" + urlencode({**GREETING, **changed})
    assert LIVE.greet is not None
    reply = LIVE.greet(Delivery("GET", (url,), {}, b"", NOON), ACCOUNT)
    if said is None:
        assert isinstance(reply, Refused)
    else:
        assert reply == Reply("text/plain; charset=utf-8", said)
        assert reply.status == 200
    empty = replace(ACCOUNT, values={**VALUES, "verify_token": ""})
    assert isinstance(LIVE.greet(Delivery("GET", (url,), {}, b"", NOON), empty), Refused)
