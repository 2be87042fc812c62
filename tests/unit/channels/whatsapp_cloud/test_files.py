"""Files are asked for in two steps, and only Meta's hosts get the token."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.channels.whatsapp_cloud.cloud_deliveries import ACCOUNT, LIVE, VALUES
from threadwell.calls.call import Call, Called
from threadwell.channels.live import File, Lost, Remote, Step

FILE = Remote("801", 0)
BEARER = "Bearer EAAG-not-real"
AT_META = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=801&hash=x"


def told(url: object = AT_META, id_: object = "801", **more: object) -> Called:
    said = {"messaging_product": "whatsapp", "url": url, "id": id_, "mime_type": "x/y", **more}
    return Called(
        200, {"content-type": "application/json; charset=UTF-8"}, json.dumps(said).encode()
    )


def step(answer: Called | None) -> Step:
    return LIVE.fetch(FILE, ACCOUNT, answer)


def test_two_steps() -> None:
    first = step(None)
    assert isinstance(first, Call)
    assert first.url == "https://graph.facebook.com/v23.0/801"
    second = step(told())
    assert isinstance(second, Call)
    assert second.url == AT_META
    for call in (first, second):
        assert call.headers["Authorization"] == BEARER
        assert call.headers["User-Agent"]
        assert "EAAG" not in repr(call)
    assert step(Called(200, {"content-type": "image/png"}, b"png")) == File(b"png", "image/png")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"id": "801"}',
        b'{"messaging_product": "whatsapp", "url": "https://x"}',
        b'{"messaging_product": "whatsapp", "id": "999", "url": "https://example.org"}',
    ],
)
def test_a_file_that_is_json(body: bytes) -> None:
    kind = "application/json"
    assert step(Called(200, {"content-type": kind}, body)) == File(body, kind)


@pytest.mark.parametrize(
    ("url", "asked", "token"),
    [
        ("https://media.fbcdn.net/a", True, True),
        ("https://fbsbx.com.example.org/a", True, False),
        ("https://evilfbsbx.com/a", True, False),
        ("http://lookaside.fbsbx.com/a", False, False),
        ("http://127.0.0.1:8080/a", False, False),
        ("file:///etc/passwd", False, False),
        ("https://[::1", False, False),
        ("https://", False, False),
    ],
)
def test_nobody_else_gets_the_token(url: str, asked: bool, token: bool) -> None:
    found = step(told(url))
    assert isinstance(found, Call) == asked
    if isinstance(found, Call):
        assert ("Authorization" in found.headers) == token


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500])
def test_what_is_not_there_is_asked_for_again(status: int) -> None:
    found = step(Called(status, {"content-type": "application/json"}, told().body))
    assert isinstance(found, Lost)
    assert found.again


def test_an_account_without_a_token_asks_later() -> None:
    account = replace(ACCOUNT, values={**VALUES, "access_token": ""})
    found = LIVE.fetch(FILE, account, None)
    assert isinstance(found, Lost)
    assert found.again


def test_an_id_stays_below_the_api() -> None:
    found = LIVE.fetch(Remote("../../me?x=", 0), ACCOUNT, None)
    assert isinstance(found, Call)
    assert found.url == "https://graph.facebook.com/v23.0/..%2F..%2Fme%3Fx%3D"
    api = replace(
        ACCOUNT, values={**VALUES, "api_url": "http://127.0.0.1:9/"}, hosts=("127.0.0.1",)
    )
    found = LIVE.fetch(FILE, api, None)
    assert isinstance(found, Call)
    assert (found.url, found.headers["Authorization"]) == ("http://127.0.0.1:9/801", BEARER)
