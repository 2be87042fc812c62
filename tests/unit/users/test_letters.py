"""Letters go out by the practice's own mail account, and tell nobody who has an account here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mail_relay import Relay
from threadwell.app import live_channels
from threadwell.channels.account import Account
from threadwell.intake.accounts import keep_account
from threadwell.messages import Address, AddressKind
from threadwell.users import letters
from threadwell.users.changing import link_user, set_disabled
from threadwell.users.password_links import Link
from threadwell.users.pauses import SOURCE, Paused
from threadwell.users.resetting import ask_for_reset

CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")
ROBIN = "robin@clinic.example.org"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    one = Relay(tmp_path_factory.mktemp("relay"))
    yield one
    one.close()


@pytest.fixture
def house(small_house: Any, relay: Relay) -> Any:
    """One that has a mail account which sends."""
    relay.taken.clear()
    relay.next.clear()
    values = {"smtp-host": f"127.0.0.1:{relay.port}", "smtp-tls": "no", "from-name": "Elm Street"}
    account = Account("mail", "email", (CARE,), values, ("127.0.0.1",))
    small_house.run(keep_account(small_house.store, small_house.project, account))
    return small_house


def ask(house: Any, email: str, address: str = "192.0.2.1") -> bool:
    """Ask for another password, and wait for what goes on beside; ``house.made``: whose links."""
    house.made = []

    async def asked() -> bool:
        told = await ask_for_reset(
            house.store,
            house.project,
            live_channels(),
            email=email,
            address=address,
            base="https://threadwell.example.org",
            clock=house.clock,
            made=house.made.append,
        )
        await asyncio.gather(*letters._under_way)
        return told

    return bool(house.run(asked()))


def test_a_link_is_mailed_to_whom_it_is_for(house: Any, relay: Relay) -> None:
    user = house.user()
    assert ask(house, " ROBIN@clinic.example.org")
    assert house.made == [user]
    (taken,) = relay.taken
    assert taken.recipients == [ROBIN]
    assert taken.sender == CARE.value
    assert str(taken.mail["From"]) == "Elm Street <care@clinic.example.org>"
    text = taken.mail.get_content()
    found = re.search(r"https://threadwell\.example\.org/setpassword/(\S+)/(\S+)", text)
    assert found is not None
    assert house.run(link_user(house.store, Link(found[1], found[2]), house.now)) == user


def test_all_who_ask_are_told_the_same_and_only_those_with_an_account_get_mail(
    house: Any, relay: Relay
) -> None:
    gone = house.user("mo@clinic.example.org")
    house.run(set_disabled(house.store, house.project, gone, True))
    asked = [
        "nobody@clinic.example.org",
        "mo@clinic.example.org",
        "nonsense",
        "",
        "a@b\r\nBcc: c@d",
    ]
    assert [(ask(house, one), house.made) for one in asked] == [(True, [])] * 5
    assert relay.taken == []


def test_nobodys_mailbox_is_filled(house: Any, relay: Relay) -> None:
    house.user()
    assert [ask(house, ROBIN, f"192.0.2.{at}") for at in range(8)] == [True] * 8
    assert len(relay.taken) == 3


def test_one_source_asks_for_so_many(house: Any) -> None:
    for at in range(SOURCE.free):
        ask(house, f"{at}@clinic.example.org")
    with pytest.raises(Paused):
        ask(house, ROBIN)


def test_without_a_mail_account_everybody_is_told_that_there_is_none(small_house: Any) -> None:
    small_house.user()
    assert [ask(small_house, one) for one in (ROBIN, "nobody@clinic.example.org")] == [False] * 2


@pytest.mark.parametrize("trouble", [("RCPT", "550 5.1.1 No such user"), ("DATA", "451 Later")])
def test_a_letter_that_is_not_taken_ends_nothing(house: Any, relay: Relay, trouble: Any) -> None:
    house.user()
    relay.next.append(trouble)
    assert ask(house, ROBIN)
    assert relay.taken == []
    sent = letters.send_letter(
        house.store, house.project, live_channels(), ROBIN, "Hello", "A line.\n.\nAnother."
    )
    assert house.run(sent) is True
    assert relay.taken[-1].mail.get_content().splitlines() == ["A line.", ".", "Another."]
