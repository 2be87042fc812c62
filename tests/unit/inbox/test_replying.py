"""A person replies on the page of a session, and sees what becomes of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from threadwell.channels.account import Account
from threadwell.encounters.delivery import Delivery, with_delivery
from threadwell.fhir.json import decode
from threadwell.intake import Settings, import_messages
from threadwell.intake.accounts import keep_account
from threadwell.intake.replies.outbox import waiting
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")


@pytest.fixture
def thread(store: Any, put: Any, run: Any) -> None:
    """Ana has written by SMS."""
    telecom = [{"system": "phone", "value": ANA.value}]
    name = [{"given": ["Ana"], "family": "Cruz"}]
    put({"resourceType": "Patient", "id": "ana", "name": name, "telecom": telecom})
    sent = datetime(2024, 3, 8, 9, tzinfo=UTC)
    message = Message(
        *("twilio", "SM1", ANA, (OFFICE,), sent, "My knee is stiff", "My knee is stiff"),
        *(ANA.value,),
        medium="SMSWRIT",
    )
    run(import_messages(store, DEFAULT_PROJECT, [message], Settings(owner=(OFFICE,))))


@pytest.fixture
def account(store: Any, run: Any) -> None:
    values = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
    account = Account("front-desk", "twilio", (OFFICE,), values)
    run(keep_account(store, DEFAULT_PROJECT, account))


def path(browser: Any) -> str:
    (found,) = re.findall(r'class="row" href="(/sessions/[^"]+)"', browser.get("/").text)
    return str(found)


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form of a reply."""
    form = page[page.index('class="reply unprinted"') :]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', form))


def outbox(store: Any, run: Any) -> list[Any]:
    return list(run(waiting(store, DEFAULT_PROJECT)))


def test_a_reply_stands_in_its_thread_and_in_the_outbox(
    thread: None, account: None, browser_as: Any, store: Any, run: Any, put: Any
) -> None:
    ines = browser_as("ines", "Dr. Ines Alvarado")
    before = path(ines)
    page = ines.get(before).text
    assert "Reply by " in page
    form = {**fields(page), "act": "reply", "text": " Come <b>at</b> three.\r\nBring the plan. "}
    answer = ines.post(before, **form)
    assert answer.status_code == 303
    # It comes days later, so it begins another session.
    where, _, anchor = answer.headers["location"].partition("#")
    (queued,) = outbox(store, run)
    assert anchor == f"m-{queued.entry.message}"
    shown = ines.get(where).text
    assert "Come &lt;b&gt;at&lt;/b&gt; three.\nBring the plan." in shown
    assert "· Waiting to be sent" in shown
    assert "<bdi>Dr. Ines Alvarado</bdi>" in shown
    # Pressed twice it is one; what is written after a step back is another.
    assert ines.post(before, **form).headers["location"] == answer.headers["location"]
    assert len(outbox(store, run)) == 1
    assert ines.post(before, **{**form, "text": "At four."}).status_code == 303
    assert len(outbox(store, run)) == 2


@pytest.mark.parametrize(
    ("state", "error", "told"),
    [
        ("delivered", "", "· delivered<"),
        ("failed", "30005", "· not delivered (30005)<"),
        ("failed", "", "· not delivered<"),
    ],
)
def test_what_has_become_of_it_is_told(
    thread: None, browser_as: Any, store: Any, run: Any, put: Any, state: str, error: str, told: str
) -> None:
    ines = browser_as("ines", "Dr. Ines Alvarado")
    (id_,) = re.findall(r'id="m-([^"]+)"', ines.get(path(ines)).text)
    there = run(store.read(DEFAULT_PROJECT, "Communication", id_))
    put(with_delivery(decode(there.body), Delivery(state, 1, error)), before=there)
    assert told in ines.get(path(ines)).text


def test_anybodys_extension_breaks_no_page(
    thread: None, browser: Any, store: Any, run: Any, put: Any
) -> None:
    (id_,) = re.findall(r'id="m-([^"]+)"', browser.get(path(browser)).text)
    there = run(store.read(DEFAULT_PROJECT, "Communication", id_))
    odd = [{"url": "https://threadwell.dev/fhir/StructureDefinition/delivery"}]
    put({**decode(there.body), "extension": odd}, before=there)
    assert "My knee is stiff" in browser.get(path(browser)).text


def test_what_cannot_be_taken_is_not_lost(
    thread: None, account: None, browser_as: Any, store: Any, run: Any
) -> None:
    ines = browser_as("ines", "Dr. Ines Alvarado")
    form = {**fields(ines.get(path(ines)).text), "act": "reply"}
    run(
        keep_account(
            store,
            DEFAULT_PROJECT,
            Account("front-desk", "twilio", values={"account_sid": "AC1", "auth_token": "t"}),
        )
    )
    refused = ines.post(path(ines), **form, text="Come at <three>.")
    assert refused.status_code == 422
    assert "No account of twilio has the address" in unescape(refused.text)
    assert ">Come at &lt;three&gt;.</textarea>" in refused.text
    assert outbox(store, run) == []
    empty = ines.post(path(ines), **form, text="  ")
    assert (empty.status_code, "A reply says something" in empty.text) == (422, True)


def test_who_may_not_reply_has_no_form(thread: None, browser: Any, browser_as: Any) -> None:
    # There is no account, and then nobody is named.
    ines = browser_as("ines", "Dr. Ines Alvarado")
    page = ines.get(path(ines)).text
    assert 'class="reply unprinted"' not in page


def test_a_reply_has_an_author(
    thread: None, account: None, browser: Any, store: Any, run: Any
) -> None:
    page = browser.get(path(browser)).text
    assert 'class="reply unprinted"' not in page
    (header,) = re.findall(r"Thread header[^<]*</dt><dd><code>([^<]+)", page)
    refused = browser.post(path(browser), act="reply", thread=header, text="Yes", key="1")
    assert refused.status_code == 422
    assert outbox(store, run) == []
