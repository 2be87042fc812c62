"""A person replies on the page of a session, and sees what becomes of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from threadwell.channels.account import Account
from threadwell.encounters.delivery import Delivery, with_delivery
from threadwell.fhir.json import decode
from threadwell.fhir.stamp import now_ms
from threadwell.intake import Settings, import_messages
from threadwell.intake.accounts import keep_account
from threadwell.intake.replies.outbox import buried, waiting
from threadwell.intake.replies.saved import save_reply
from threadwell.intake.replies.unsent import say_unsent
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")
#: What a browser sends where no file was chosen.
EMPTY = ("file", ("", b"", "application/octet-stream"))


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
    run(import_messages(Seat(store, DEFAULT_PROJECT, Settings(owner=(OFFICE,))), [message]))


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
    assert anchor.startswith("text-of-")
    shown = ines.get(where).text
    assert f'id="m-{queued.entry.message}"' in shown
    assert f'<textarea name="text" id="{anchor}"' in shown
    assert "Come &lt;b&gt;at&lt;/b&gt; three.\nBring the plan." in shown
    assert "· waiting to be sent" in shown
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


def test_files_go_with_a_reply(
    thread: None, account: None, browser_as: Any, store: Any, run: Any
) -> None:
    ines = browser_as("ines", "Dr. Ines Alvarado")
    before = path(ines)
    page = ines.get(before).text
    assert "Up to 10 files, 5 MB at most" in page
    form = {**fields(page), "act": "reply", "text": "As promised"}
    files = [("file", (r"C:\plans\knee plan.pdf", b"%PDF-1", "application/pdf")), EMPTY]
    answer = ines.request("POST", before, data=form, files=files)
    assert answer.status_code == 303
    shown = ines.get(answer.headers["location"].partition("#")[0]).text
    assert 'download="knee plan.pdf">knee plan.pdf</a>' in shown
    (href,) = re.findall(r'href="(/attachments/[^"]+)"', shown)
    assert ines.get(href).content == b"%PDF-1"
    # The same words with another file are another reply; with the same one they are not.
    ines.request("POST", before, data=form, files=files)
    assert len(outbox(store, run)) == 1
    ines.request("POST", before, data=form, files=[("file", ("b.txt", b"b", "text/plain"))])
    assert len(outbox(store, run)) == 2
    # A file says enough, and nothing at all does not.
    form["text"] = ""
    assert ines.request("POST", before, data=form, files=files).status_code == 303
    assert ines.request("POST", before, data=form, files=[EMPTY]).status_code == 422


@pytest.mark.parametrize(
    ("files", "text", "told"),
    [
        ([b"a"] * 11, "Here", "It has 11 files, and may have 10. Choose the files again."),
        ([b"a" * 5_000_001], "Here", "Its files have more than 5 MB together."),
        ([b"a" * 25_000_001], "Here", "Its files have more than 25 MB together."),
        ([b"a"], "H" * 1601, "It has 1,601 characters, and may have 1,600."),
    ],
)
def test_what_is_too_much_is_told_where_it_was_written(
    thread: None,
    account: None,
    browser_as: Any,
    store: Any,
    run: Any,
    files: list[bytes],
    text: str,
    told: str,
) -> None:
    ines = browser_as("ines", "Dr. Ines Alvarado")
    form = {**fields(ines.get(path(ines)).text), "act": "reply", "text": text}
    sent = [("file", (f"{at}.png", one, "image/png")) for at, one in enumerate(files)]
    refused = ines.request("POST", path(ines), data=form, files=sent)
    assert refused.status_code == 422
    written = refused.text.partition('class="reply unprinted"')[2].partition("</form>")[0]
    assert told in unescape(written)
    assert f">{text}</textarea>" in written
    assert outbox(store, run) == []


def test_what_was_not_sent_is_sent_again_or_never(
    thread: None, account: None, browser_as: Any, browser: Any, store: Any, run: Any
) -> None:
    ines = browser_as("ines", "Dr. Ines Alvarado")
    form = {**fields(ines.get(path(ines)).text), "act": "reply", "text": "Come at three."}
    where = ines.post(path(ines), **form).headers["location"].partition("#")[0]
    for act, left in (("resend", "waiting to be sent"), ("drop", "")):
        (queued,) = outbox(store, run)
        why = ("the account is gone", "7")
        buried_ = buried(queued, replace(queued.entry, reason=why[0], code=why[1]))
        run(say_unsent(store, DEFAULT_PROJECT, queued.entry.message, buried_, now_ms(), *why))
        page = ines.get(where).text
        assert "· not sent<" in page
        # What stands on the message is said once, with what can be done.
        assert page.count("he account is gone") == 1
        assert "The account is gone." in page
        assert 'value="again"' not in page
        decide = dict(re.findall(r'name="(letter|message)" value="([^"]+)"', page))
        # It takes somebody who is named.
        assert browser.post(where, **decide, act=act).status_code == 403
        answer = ines.post(where, **decide, act=act)
        assert answer.headers["location"] == f"{where}#m-{queued.entry.message}"
        page = ines.get(where).text
        assert "· not sent<" not in page
        assert left in page
        never = act == "drop"
        assert ("It was not sent: the account is gone" in unescape(page)) is never
        assert ('value="again"' in page) is never
        assert ines.post(where, **decide, act=act).status_code == 409
    assert outbox(store, run) == []


def test_a_draft_is_kept_until_it_is_sent(
    thread: None, account: None, browser_as: Any, store: Any, run: Any
) -> None:
    ines, omar = browser_as("ines", "Dr. Ines Alvarado"), browser_as("omar", "Omar Lund")
    where = path(ines)
    form = fields(ines.get(where).text)
    kept = ines.post(where, **form, act="draft", text="Half a <thought>")
    assert kept.headers["location"].startswith(f"{where}#text-of-")
    page = ines.get(where).text
    assert ">Half a &lt;thought&gt;</textarea>" in page
    assert "Your draft of " in page
    # It is a message of nobody's, and nobody else sees it.
    assert "Half a" not in omar.get(where).text
    assert outbox(store, run) == []
    # Kept again it is the same one.
    form = fields(page)
    ines.post(where, **form, act="draft", text="A whole thought")
    assert fields(ines.get(where).text)["draft"] == form["draft"]
    # Somebody else's is not sent for them, nor thrown away.
    omar.post(where, **form, act="discard", text="")
    assert "A whole thought" in ines.get(where).text
    ines.post(where, **form, act="reply", text="A whole thought")
    assert len(outbox(store, run)) == 1
    assert "Your draft of " not in ines.get(where).text


def test_a_draft_is_thrown_away(thread: None, account: None, browser_as: Any) -> None:
    ines = browser_as("ines", "Dr. Ines Alvarado")
    where = path(ines)
    for act, text in (("discard", "Half a thought"), ("draft", "  ")):
        ines.post(where, **fields(ines.get(where).text), act="draft", text="Half a thought")
        assert "Half a thought" in ines.get(where).text
        ines.post(where, **fields(ines.get(where).text), act=act, text=text)
        assert "Half a thought" not in ines.get(where).text


def test_a_saved_reply_is_put_behind_what_is_written(
    thread: None, account: None, browser_as: Any, store: Any, run: Any
) -> None:
    seat = Seat(store, DEFAULT_PROJECT, Settings())
    run(save_reply(seat, "hours", "Dear {{patient.given}}, come at nine."))
    ines = browser_as("ines", "Dr. Ines Alvarado")
    where = path(ines)
    page = ines.get(where).text
    assert '<option value="hours">hours</option>' in page
    form = {**fields(page), "act": "saved", "text": "Good morning"}
    shown = ines.post(where, **form, saved="hours")
    assert shown.status_code == 200
    assert ">Good morning\n\nDear Ana, come at nine.</textarea>" in shown.text
    for name, told in (
        ("none", "There is no saved"),
        ("", "Choos"),
    ):
        refused = ines.post(where, **form, saved=name)
        assert refused.status_code == 422
        assert told in refused.text
        assert ">Good morning</textarea>" in refused.text
    assert outbox(store, run) == []


@pytest.mark.parametrize("by", ["whatsapp:", ""])
def test_an_approved_template_is_put_in(
    store: Any, put: Any, browser_as: Any, run: Any, by: str
) -> None:
    put({"resourceType": "Patient", "id": "ana", "telecom": [{"value": ANA.value}]})
    sent, thread = datetime(2024, 3, 8, 9, tzinfo=UTC), f"{by}{ANA.value},{OFFICE.value}"
    message = Message("twilio", "SM1", ANA, (OFFICE,), sent, "Hi", "Hi", thread)
    run(import_messages(Seat(store, DEFAULT_PROJECT, Settings(owner=(OFFICE,))), [message]))
    said = [{"id": "HX1", "text": 'Come "on" {{1}} <soon>.'}]
    values = {"account_sid": "AC1", "auth_token": "t", "templates": json.dumps(said)}
    run(keep_account(store, DEFAULT_PROJECT, Account("desk", "twilio", (OFFICE,), values)))
    ines = browser_as("ines", "Dr. Ines Alvarado")
    where = path(ines)
    page = ines.get(where).text
    assert ("Templates, for any time" in page) is bool(by)
    form = {**fields(page), "act": "saved", "text": "Good morning"}
    shown = ines.post(where, **form, saved=f"template:{said[0]['text']}").text
    assert ">Come &#34;on&#34; {{1}} &lt;soon&gt;.</textarea>" in shown
    if by:
        refused = ines.post(where, **{**form, "act": "reply", "text": "Good morning"})
        assert refused.status_code == 422
        assert "24 hours" in refused.text


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
