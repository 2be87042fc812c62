"""Whatever is delivered is read without an exception, and none of it is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.channels.whatsapp_cloud.cloud_deliveries import (
    ANA,
    AT,
    BEN,
    NOON,
    body,
    heard,
    message,
    of,
    value,
    wamid,
)
from threadwell.channels.halves import NOTE
from threadwell.channels.live import Arrived, State, Status
from threadwell.messages import Broken, Message


def status(word: Any, **more: Any) -> dict[str, Any]:
    return {"id": wamid(1), "status": word, "timestamp": AT, "recipient_id": ANA, **more}


@pytest.mark.parametrize(
    ("told", "state", "code"),
    [
        (status("sent", pricing={"billable": True}), State.SENT, ""),
        (status("delivered"), State.DELIVERED, ""),
        (status("read"), State.READ, ""),
        (status("played"), State.READ, ""),
        (status("failed", errors=[{"code": 131047, "title": "x"}]), State.FAILED, "131047"),
        (status("failed", errors=[{"code": "131026"}, {"code": 5}]), State.FAILED, "131026"),
        (status("failed", errors=[{}]), State.FAILED, ""),
        (status("failed", errors="?"), State.FAILED, ""),
    ],
)
def test_what_became_of_a_message(told: dict[str, Any], state: State, code: str) -> None:
    (found,) = heard(body(value(statuses=[told])))
    assert isinstance(found, Status)
    assert (found.external_id, found.state, found.code) == (wamid(1), state, code)
    assert found.recipient is not None
    assert found.recipient.value == f"+{ANA}"
    assert found.at.isoformat() == "2025-03-03T12:00:00+00:00"


@pytest.mark.parametrize(
    "told",
    [
        status("deleted"),
        status("warning"),
        status(None),
        status("sent", id=""),
        status("failed", type="payment"),
        7,
    ],
)
def test_news_of_other_kinds_is_set_aside(told: Any) -> None:
    (found,) = heard(body(value(statuses=[told])))
    assert isinstance(found, Broken)
    assert found.set_aside == isinstance(told, dict)


def test_a_status_without_a_time_or_a_number() -> None:
    (found,) = heard(body(value(statuses=[{"id": wamid(1), "status": "read"}])))
    assert isinstance(found, Status)
    assert (found.at, found.recipient) == (NOON, None)
    hidden = {"id": wamid(1), "status": "read", "recipient_user_id": "US.77"}
    (found,) = heard(body(value(statuses=[hidden])))
    assert isinstance(found, Status)
    assert found.recipient is not None
    assert found.recipient.value == "whatsapp_cloud:US.77"


def test_several_changes_are_each_read() -> None:
    ben = {**message(2, said={"body": "And I?"}), "from": BEN}
    found = heard(
        body(
            value(messages=[message(1), "nothing", message(3, "reaction", {})]),
            value(messages=[ben], statuses=[status("read")]),
            value(errors=[{"code": 131000}]),
            value(),
        )
    )
    kinds = [type(read).__name__ for read in found]
    assert kinds == ["Message", "Broken", "Broken", "Message", "Status", "Broken", "Broken"]
    asides = [read.set_aside for read in found if isinstance(read, Broken)]
    assert asides == [False, True, True, True]


@pytest.mark.parametrize("field", ["account_update", "phone_number_quality_update", "calls"])
def test_news_of_the_account_is_set_aside(field: str) -> None:
    (found,) = heard(body({"event": "ACCOUNT_VIOLATION"}, field=field))
    assert isinstance(found, Broken)
    assert found.set_aside
    assert field.encode() in found.content


def test_a_delivery_about_something_else() -> None:
    other = of(message()).replace(b"whatsapp_business_account", b"instagram")
    (found,) = heard(other)
    assert isinstance(found, Broken)
    assert (found.set_aside, found.content) == (True, other)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe",
        b"{}",
        b'{"entry": {}}',
        b"[" * 100000,
        b'{"entry":' + b"[" * 100000,
        of(message())[:150],
    ],
)
def test_what_is_no_delivery_is_kept_whole(content: bytes) -> None:
    (found,) = heard(content)
    assert isinstance(found, Broken)
    assert (found.content, found.set_aside) == (content, False)


def test_half_a_character() -> None:
    whole = of(message(1), message(2, said={"body": "Thank you XY"}))
    first, second = heard(whole.replace(b"XY", rb"\ud83d"))
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (second.text, second.notes) == ("Thank you \ufffd", (NOTE,))
    assert first.notes == ()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
EVERY = value(
    contacts=[{"profile": {"name": "Ana"}, "wa_id": ANA}],
    messages=[
        message(1, context={"id": wamid(9), "forwarded": True}, errors=[{"code": 1}]),
        message(2, "image", {"id": "1", "mime_type": "image/png", "caption": "c"}),
        message(3, "contacts", [{"name": {"formatted_name": "B"}, "phones": [{"phone": "1"}]}]),
        message(4, "interactive", {"nfm_reply": {"response_json": "{}", "body": "b"}}),
        message(5, "order", {"product_items": [{"quantity": 1, "item_price": 2}]}),
        message(6, "edit", {"original_message_id": "x", "message": {"type": "text"}}),
        message(7, "system", {"type": "user_changed_number"}),
        message(8, "location", {"latitude": 1, "longitude": 2}),
    ],
    message_echoes=[{**message(9), "to": ANA}],
    statuses=[status("failed", errors=[{"code": 1}])],
    history=[{"threads": [{"id": ANA, "messages": [message(10)]}]}],
)
WHOLE = json.loads(body(EVERY))


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a delivery."""
    members = node.items() if isinstance(node, dict) else enumerate(node)
    out = []
    for name, inner in members:
        out.append((*path, name))
        if isinstance(inner, dict | list):
            out += places(inner, (*path, name))
    return out


@given(st.sampled_from(places(WHOLE)), ANYTHING)
def test_anything_may_stand_anywhere(place: tuple[Any, ...], other: Any) -> None:
    changed = json.loads(json.dumps(WHOLE))
    node = changed
    for name in place[:-1]:
        node = node[name]
    node[place[-1]] = other
    found = heard(json.dumps(changed).encode())
    assert found
    for read in found:
        read = read.message if isinstance(read, Arrived) else read
        if isinstance(read, Message):
            assert isinstance(read.text, str)
            assert read.external_id
            assert read.sent.tzinfo is not None
