"""What cannot be right in an account is told when it is set up, and not by the first message."""

from __future__ import annotations

import base64

import pytest

from threadwell.app import live_channels
from threadwell.channels.account import Account
from threadwell.intake.accounts import checked
from threadwell.intake.bad_setting import BadSetting
from threadwell.messages import Address, AddressKind

PHONE = Address(AddressKind.PHONE, "+12125550100")
CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")
SID = "AC" + "0f" * 16
KEY = base64.b64encode(bytes(32)).decode()
META = {"app_secret": "s", "verify_token": "v", "access_token": "t"}
IMAP = {"provider": "imap", "host": "mail", "user": "care", "password": "p"}


@pytest.mark.parametrize(
    ("channel", "values", "said"),
    [
        ("twilio", {"account_sid": "AC01", "auth_token": "t"}, "account_sid is AC and 32"),
        ("twilio", {"account_sid": "SK" + "0f" * 16, "auth_token": "t"}, "SK is an API key"),
        ("telnyx", {"public_key": "BASE64"}, "public_key is not a key of Telnyx"),
        ("telnyx", {"public_key": KEY, "second_public_key": KEY[:-8]}, "second_public_key is not"),
        ("whatsapp_cloud", {**META, "phone_number_id": "+12125550100"}, "of digits alone"),
        ("email", {**IMAP, "tls": "none"}, "tls is yes or no"),
        ("email", {**IMAP, "tls": "no"}, "tls=no is for a server that --allow-host names"),
        (
            "email",
            {"provider": "smtp", "smtp-host": "mail", "smtp-tls": "no"},
            "smtp-tls=no is for a server that --allow-host names",
        ),
    ],
)
def test_what_cannot_be_right(channel: str, values: dict[str, str], said: str) -> None:
    own = CARE if channel == "email" else PHONE
    with pytest.raises(BadSetting, match=said):
        checked(Account("desk", channel, (own,), values), live_channels())


@pytest.mark.parametrize(
    ("channel", "values", "mute"),
    [
        ("twilio", {"account_sid": SID, "auth_token": "t"}, ""),
        ("telnyx", {"public_key": KEY, "api_key": "KEY0"}, ""),
        ("telnyx", {"public_key": KEY}, "the account desk sends nothing: it has no api_key"),
        ("whatsapp_cloud", {**META, "phone_number_id": "700100"}, ""),
        ("whatsapp_cloud", META, "the account desk sends nothing: it has no phone_number_id"),
        ("email", IMAP, "the account desk sends nothing: it has no smtp-host"),
        ("chat", {"secret": "s" * 32}, ""),
    ],
)
def test_what_can_be_is_kept_and_says_whether_it_sends(
    channel: str, values: dict[str, str], mute: str
) -> None:
    own = CARE if channel == "email" else PHONE
    channels = live_channels()
    made = checked(Account("desk", channel, (own,), values), channels)
    live = channels[channel].live
    assert live is not None
    assert live.mute(made) == mute


@pytest.mark.parametrize(
    ("given", "user", "own"),
    [
        ((), "Front@Clinic.example.org", ("front@clinic.example.org",)),
        ((CARE,), "front@clinic.example.org", ("care@clinic.example.org",)),
    ],
)
def test_a_mailbox_has_the_address_of_its_user_unless_another_is_given(
    given: tuple[Address, ...], user: str, own: tuple[str, ...]
) -> None:
    made = checked(Account("desk", "email", given, {**IMAP, "user": user}), live_channels())
    assert tuple(one.value for one in made.addresses) == own


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (IMAP, "needs the address of its mailbox, as its user is none"),
        ({"provider": "lmtp"}, "lmtp needs an address"),
        ({"provider": "smtp", "smtp-host": "mail"}, "with smtp-host needs an address to send from"),
        (
            {"provider": "mailgun", "signing-key": "k", "smtp-host": "mail"},
            "with smtp-host needs an address to send from",
        ),
    ],
)
def test_an_account_without_an_address_that_needs_one(values: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        checked(Account("desk", "email", (), values), live_channels())


def test_who_only_hears_by_webhook_needs_no_address() -> None:
    account = Account("desk", "email", (), {"provider": "mailgun", "signing-key": "k"})
    assert checked(account, live_channels()) == account
