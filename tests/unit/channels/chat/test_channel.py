"""What an account of an app has, and what a delivery of it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from threadwell.app import live_channels
from threadwell.channels.account import Account
from threadwell.channels.chat import CHANNEL
from threadwell.channels.chat.posted import Posted, PostedFile, written
from threadwell.channels.delivery import Delivery, Refused
from threadwell.intake.accounts import checked
from threadwell.intake.bad_setting import BadSetting
from threadwell.messages import Address, AddressKind, Attachment, Broken, Message

SECRET = "a-secret-of-the-tests-0123456789-abc"
AT = datetime(2025, 3, 4, 12, tzinfo=UTC)
APP = Account("app", "chat")


def delivered(body: bytes) -> Delivery:
    return Delivery("POST", ("/chat/app/messages",), {}, body, AT)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, "needs secret"),
        ({"secret": "short"}, "secret is too short"),
        ({"secret": SECRET, "second_secret": "short"}, "second_secret is too short"),
        ({"secret": SECRET, "page": "maybe"}, "page is yes or no"),
        *(
            ({"secret": SECRET, "origins": f"https://good.example.org {bad}"}, f"{bad!r} is none")
            for bad in (
                "*", "null", "app.example.org", "https://app.example.org/", "ftp://x.example.org",
                "https://a@x.example.org", "https://X.example.org", "https://x.example.org:x",
                "https://", "https://[::1",
            )
        ),
    ],
)  # fmt: skip
def test_an_account_that_cannot_work_is_refused(values: dict[str, str], wrong: str) -> None:
    with pytest.raises(BadSetting) as error:
        checked(Account("app", "chat", (), values), live_channels())
    assert wrong in str(error.value)


def test_an_account_has_the_address_of_its_name() -> None:
    origins = "https://app.example.org http://localhost:8080 http://[::1]:8080"
    made = checked(
        Account("app", "chat", (), {"secret": SECRET, "origins": origins}), live_channels()
    )
    assert made.addresses == (Address(AddressKind.OTHER, "chat:app"),)


def test_a_delivery_is_the_message_that_was_sent() -> None:
    assert CHANNEL.live
    file = PostedFile("a.png", "image/png", b"\x89PNG")
    posted = Posted("app", "p-1", "k1", "Hello", "Ana", (file,))
    (found,) = CHANNEL.live.parse(delivered(written(posted)), APP, "US")
    assert found == Message(
        channel="chat",
        external_id="app/p-1/k1",
        sender=Address(AddressKind.OTHER, "chat:app/p-1", "Ana"),
        recipients=(Address(AddressKind.OTHER, "chat:app"),),
        sent=AT,
        received=AT,
        text="Hello",
        new_text="Hello",
        thread_hint="chat:app/p-1,chat:app",
        attachments=(Attachment("a.png", "image/png", b"\x89PNG"),),
        made_id=True,
        ours=(Address(AddressKind.OTHER, "chat:app"),),
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"account": 1}', b"\xff", b"[" * 5000]
)
def test_what_is_none_is_kept_as_it_is(body: bytes) -> None:
    assert CHANNEL.live
    (found,) = CHANNEL.live.parse(delivered(body), APP, "US")
    assert isinstance(found, Broken)
    assert found.content == body


def test_nothing_is_taken_at_the_address_of_providers() -> None:
    assert CHANNEL.live
    assert isinstance(CHANNEL.live.verify(delivered(b"{}"), APP), Refused)
