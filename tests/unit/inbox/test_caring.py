"""Threads that wait for an answer: who takes care of them is seen, and changed, on the pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from threadwell.channels.account import Account
from threadwell.intake import import_messages
from threadwell.intake.accounts import keep_account
from threadwell.intake.practice import kept_settings
from threadwell.intake.seat import Seat
from threadwell.intake.todos.since import keep_since
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")


@pytest.fixture
def waits(store: Any, put: Any, run: Any) -> None:
    """Ana has written by SMS, to a practice that hears of messages as they come."""
    telecom = [{"system": "phone", "value": ANA.value}]
    name = [{"given": ["Ana"], "family": "Cruz"}]
    put({"resourceType": "Patient", "id": "ana", "name": name, "telecom": telecom})
    put({"resourceType": "Practitioner", "id": "nils", "name": [{"text": "Nils Berg"}]})
    run(keep_since(store, DEFAULT_PROJECT, 0))
    values = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
    run(keep_account(store, DEFAULT_PROJECT, Account("desk", "twilio", (OFFICE,), values)))
    sent = datetime(2024, 3, 8, 9, tzinfo=UTC)
    message = Message(
        *("twilio", "SM1", ANA, (OFFICE,), sent, "My knee is stiff", "My knee is stiff"),
        *(ANA.value,),
        medium="SMSWRIT",
    )
    settings = run(kept_settings(store, DEFAULT_PROJECT, {}))
    run(import_messages(Seat(store, DEFAULT_PROJECT, settings), [message]))


@pytest.fixture
def dana(waits: None, browser_as: Any) -> Any:
    return browser_as("dana", "Dana Ruiz")


def sessions(browser: Any, whose: str = "") -> list[str]:
    return re.findall(r'class="row" href="(/sessions/[^"]+)"', browser.get(f"/{whose}").text)


def care(browser: Any, path: str) -> str:
    """What stands on a page of who takes care of the thread."""
    found = re.search(r'class="care unprinted".*?<p>(.*?)</p>', browser.get(path).text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", unescape(found[1])).split()) if found else ""


def do(browser: Any, path: str, act: str, **more: str) -> Any:
    task = re.findall(r'name="task" value="([^"]+)"', browser.get(path).text)[0]
    return browser.post(path, act=act, task=task, **more)


SINCE = "Waits for an answer since Mar 8, 2024, 9:00 AM, due Mar 9, 2024, 9:00 AM."


def test_a_thread_is_taken_care_of_and_given_back(dana: Any) -> None:
    (path,) = sessions(dana)
    assert care(dana, path) == f"{SINCE} Nobody takes care of it yet."
    # That is no question about whom it is.
    assert "To review" not in dana.get(path).text + dana.get("/").text
    assert (sessions(dana, "?waiting=nobodys"), sessions(dana, "?waiting=mine")) == ([path], [])
    assert do(dana, path, "claim").headers["location"] == path
    assert care(dana, path) == f"{SINCE} You take care of it."
    assert (sessions(dana, "?waiting=nobodys"), sessions(dana, "?waiting=mine")) == ([], [path])
    assert "<b>Yours</b>" in dana.get("/").text
    assert do(dana, path, "release").status_code == 303
    assert sessions(dana, "?waiting=nobodys") == [path]


def test_who_comes_second_is_told_who_has_it(dana: Any, browser_as: Any) -> None:
    omar = browser_as("omar", "Omar Lund")
    (path,) = sessions(dana)
    do(dana, path, "claim")
    late = do(omar, path, "claim")
    assert late.status_code == 409
    assert "Dana Ruiz (Practitioner/dana) has claimed it already" in late.text
    assert care(omar, path) == f"{SINCE} Dana Ruiz takes care of it."
    assert "With <bdi>Dana Ruiz</bdi>" in omar.get("/").text
    # Taking it over needs a reason, and what was chosen stays.
    asked = {"owner": "Practitioner/omar"}
    refused = do(omar, path, "reroute", **asked)
    assert refused.status_code == 409
    assert '<option value="Practitioner/omar" selected>' in refused.text
    assert do(omar, path, "reroute", why="Dana is away", **asked).status_code == 303
    assert care(omar, path) == f"{SINCE} You take care of it."
    assert ">Dana is away</p>" in dana.get(path).text


def test_what_needs_no_answer_waits_no_more(dana: Any) -> None:
    (path,) = sessions(dana)
    assert do(dana, path, "dismiss").status_code == 409
    assert do(dana, path, "dismiss", why="A thank you").status_code == 303
    assert care(dana, path) == ""
    assert sessions(dana, "?waiting=nobodys") == []
    assert "Everything is taken care of" in dana.get("/?waiting=nobodys").text


def test_a_reply_ends_the_waiting(dana: Any) -> None:
    (path,) = sessions(dana)
    do(dana, path, "claim")
    page = dana.get(path).text
    form = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page.partition("reply")[2])
    )
    assert dana.post(path, **form, act="reply", text="Come at three.").status_code == 303
    assert sessions(dana, "?waiting=mine") == []


def test_how_many_wait_is_told(dana: Any, browser_as: Any, browser: Any) -> None:
    omar = browser_as("omar", "Omar Lund")

    def told(one: Any, url: str = "/news?waiting") -> str | None:
        answer = one.request("HEAD", url)
        return answer.headers.get("threadwell-waiting")  # type: ignore[no-any-return]

    assert [told(one) for one in (dana, omar, browser)] == ["1", "1", "1"]
    assert "<title>(1) Sessions" in dana.get("/").text
    (path,) = sessions(dana)
    do(dana, path, "claim")
    assert [told(one) for one in (dana, omar, browser)] == ["1", "0", "0"]
    assert "<title>(1) Sessions" in dana.get("/").text
    assert "<title>Sessions" in omar.get("/").text
    assert told(dana, "/news") is None


def test_who_is_not_named_looks_only(dana: Any, browser: Any) -> None:
    (path,) = sessions(browser)
    assert care(browser, path) == f"{SINCE} Nobody takes care of it yet."
    page = browser.get(path).text
    assert 'value="claim"' not in page
    assert "waiting=mine" not in browser.get("/").text
    task = re.findall(r'name="task" value="([^"]+)"', dana.get(path).text)[0]
    assert browser.post(path, act="claim", task=task).status_code == 409
    assert sessions(browser, "?waiting=mine") == []


def test_where_nothing_is_kept_of_it_there_are_no_tabs(practice: Any, browser_as: Any) -> None:
    page = browser_as("dana", "Dana Ruiz").get("/").text
    assert "waiting=mine" not in page
    assert "data-waits" not in page
    assert browser_as("dana2", "Dana Ruiz").get("/?waiting=mine&cursor=x").status_code == 404
