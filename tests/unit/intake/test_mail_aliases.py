"""Mails that name no address of an account: to an alias, as a blind copy, by a list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mail_relay import Relay
from tests.unit.intake.test_mail_out import P, Practice, mail
from threadwell.channels.account import Account
from threadwell.intake import verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.replies.writing import BadReply
from threadwell.messages import Address, AddressKind


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    relay = Relay(tmp_path)
    one = Practice(":memory:", relay)
    yield one
    one.run(one.store.close())
    one.runner.close()
    relay.close()


def another(practice: Practice, name: str, address: str, **values: str) -> None:
    """One more account of the practice."""
    own = Address(AddressKind.EMAIL, address)
    sends = {"provider": "smtp", "smtp-host": f"127.0.0.1:{practice.relay.port}", "smtp-tls": "no"}
    account = Account(name, "email", (own,), sends | values, ("127.0.0.1",))
    practice.run(keep_account(practice.store, P, account))


@pytest.mark.parametrize(
    "named",
    [
        {"To": "info@clinic.example.org"},
        {"To": "info@clinic.example.org", "Cc": "ben@example.org"},
        {"To": ""},
        {"To": "undisclosed-recipients:;"},
        {"To": "families@lists.example.org", "List-Id": "<families.lists.example.org>"},
    ],
    ids=str,
)
def test_it_is_answered_from_the_mailbox_that_it_came_to(
    practice: Practice, named: dict[str, str]
) -> None:
    practice.arrive(mail("m1@example.org", **named))
    name = practice.reply("At three.")
    practice.until_done()
    [taken] = practice.relay.taken
    # An alias is written to by nobody, nor is anybody else whom the mail named beside it.
    assert (taken.sender, taken.recipients) == ("care@clinic.example.org", ["ana@example.org"])
    assert taken.mail["From"] == "Elm Street Practice <care@clinic.example.org>"
    assert taken.mail["In-Reply-To"] == "<m1@example.org>"
    # The answer of the patient, and the reply's copy among those sent, are in the thread.
    own = taken.mail["Message-ID"]
    practice.arrive(taken.raw, folder="Sent")
    practice.arrive(mail("m2@example.org", "Good.", In_Reply_To=own, **named))
    assert len(practice.messages()) == 3
    practice.thread()
    assert practice.read(name)["sender"]["reference"] == "Practitioner/dana"
    practice.reply("See you.")
    practice.until_done()
    assert practice.relay.taken[-1].recipients == ["ana@example.org"]
    assert practice.run(verify(practice.store, P)) == []


def test_of_several_accounts_the_one_of_its_domain_answers(practice: Practice) -> None:
    another(practice, "lab", "lab@other.example.org")
    # One that only hears is no way out.
    hears = {"provider": "lmtp", "smtp-host": ""}
    another(practice, "ward", "ward@clinic.example.org", **hears)
    practice.arrive(mail("m1@example.org", To="info@clinic.example.org"))
    practice.reply("At three.")
    practice.until_done()
    assert practice.relay.taken[0].sender == "care@clinic.example.org"


@pytest.mark.parametrize("domain", ["clinic.example.org", "elsewhere.example.org"])
def test_where_several_could_answer_none_is_guessed(practice: Practice, domain: str) -> None:
    another(practice, "bills", "bills@clinic.example.org")
    practice.arrive(mail("m1@example.org", To=f"info@{domain}"))
    with pytest.raises(BadReply, match="no account of email has the address"):
        practice.reply("At three.")
    # Whoever says whose it is can answer, from the address that they wrote to.
    another(practice, "info", f"info@{domain}")
    practice.reply("At three.")
    practice.until_done()
    assert practice.relay.taken[0].sender == f"info@{domain}"
