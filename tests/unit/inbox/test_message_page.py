"""On the page of a message it is corrected, taken back and sent again, by whoever is signed in."""

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
from threadwell.intake.replies.outbox import buried, waiting
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")


class Desk:
    """Ines, and the thread of Ana, who has written by SMS."""

    def __init__(self, store: Any, put: Any, run: Any, browser: Any) -> None:
        self.store, self.put, self.run, self.browser = store, put, run, browser
        (self.path,) = re.findall(r'class="row" href="(/sessions/[^"#?]+)', browser.get("/").text)
        (self.asked,) = self.ids()

    def ids(self) -> list[str]:
        return re.findall(r'id="m-([^"]+)"', self.page())

    def page(self) -> str:
        return str(self.browser.get(self.path).text)

    def reply(self, text: str) -> str:
        """A reply; its id."""
        form = self.page().partition('class="reply unprinted"')[2]
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', form))
        where = self.browser.post(self.path, **fields, act="reply", text=text).headers["location"]
        # It comes days later, so it begins another session.
        self.path = where.partition("#")[0].partition("?")[0]
        return self.ids()[-1]

    def about(self, message: str) -> str:
        return f"{self.path}/messages/{message}"

    def read(self, message: str) -> Any:
        stored = self.run(self.store.read(DEFAULT_PROJECT, "Communication", message))
        return stored, decode(stored.body)

    def tell(self, message: str, state: str, error: str = "") -> None:
        """What a provider says has become of it."""
        there, body = self.read(message)
        stored = with_delivery(body, Delivery(state, 1_773_000_000_000_000, error))
        self.put(stored, before=there)

    def outbox(self) -> list[Any]:
        return list(self.run(waiting(self.store, DEFAULT_PROJECT)))


@pytest.fixture
def desk(store: Any, put: Any, run: Any, browser_as: Any) -> Desk:
    telecom = [{"system": "phone", "value": ANA.value}]
    name = [{"given": ["Ana"], "family": "Cruz"}]
    put({"resourceType": "Patient", "id": "ana", "name": name, "telecom": telecom})
    said = ("My knee is stiff", "My knee is stiff", ANA.value)
    sent = datetime(2024, 3, 8, 9, tzinfo=UTC)
    message = Message("twilio", "SM1", ANA, (OFFICE,), sent, *said, medium="SMSWRIT")
    run(import_messages(Seat(store, DEFAULT_PROJECT, Settings(owner=(OFFICE,))), [message]))
    values = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
    run(keep_account(store, DEFAULT_PROJECT, Account("desk", "twilio", (OFFICE,), values)))
    return Desk(store, put, run, browser_as("ines", "Dr. Ines Alvarado"))


def lines(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(page)).split())


def test_a_message_is_corrected_and_both_stay_to_be_read(desk: Desk) -> None:
    wrong = desk.reply("Take it twice a day.")
    page = desk.browser.get(desk.about(wrong)).text
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    form = {"act": "correct", "key": key, "text": "Take it once.\r\nAt noon.", "why": "A slip"}
    answer = desk.browser.post(desk.about(wrong), **form)
    right = desk.ids()[-1]
    assert answer.headers["location"] == f"{desk.path}#m-{right}"
    _, body = desk.read(right)
    assert body["sender"]["reference"] == "Practitioner/ines"
    assert body["payload"][0]["contentString"] == "Take it once.\nAt noon."
    _, before = desk.read(wrong)
    assert (before["status"], before["statusReason"]["text"]) == ("entered-in-error", "A slip")
    shown = lines(desk.page())
    assert "· corrected" in shown
    assert "Take it twice a day. Corrected below A slip" in shown
    assert "It takes the place of what was written before" in shown
    # Pressed twice it is one.
    desk.browser.post(desk.about(wrong), **form)
    assert desk.ids()[-1] == right
    told = lines(desk.browser.get(desk.about(wrong)).text)
    assert "It was corrected by Take it once. At noon." in told
    assert "Dr. Ines Alvarado took it back" in told
    assert "In the place of what was written before Take it twice a day." in lines(
        desk.browser.get(desk.about(right)).text
    )


def test_a_message_is_taken_back_with_the_reason(desk: Desk) -> None:
    sent = desk.reply("For somebody else.")
    where = desk.browser.post(desk.about(sent), act="retract", why="Meant for another")
    assert where.headers["location"] == f"{desk.path}#m-{sent}"
    assert desk.outbox() == []
    shown = lines(desk.page())
    assert "· taken back" in shown
    assert "For somebody else. Meant for another" in shown
    told = lines(desk.browser.get(desk.about(sent)).text)
    assert "Dr. Ines Alvarado took it back" in told
    assert 'value="retract"' not in desk.browser.get(desk.about(sent)).text


def test_what_came_in_is_taken_back_and_not_corrected(desk: Desk) -> None:
    page = desk.browser.get(desk.about(desk.asked)).text
    assert ('value="retract"' in page, 'value="correct"' in page) == (True, False)
    refused = desk.browser.post(desk.about(desk.asked), act="correct", text="No")
    assert refused.status_code == 422
    assert "Only what the practice wrote can be corrected" in refused.text
    assert desk.read(desk.asked)[1]["status"] != "entered-in-error"


def test_what_cannot_be_taken_stays_as_it_was_typed(desk: Desk) -> None:
    wrong = desk.reply("Take it twice a day.")
    refused = desk.browser.post(desk.about(wrong), act="correct", text="  ", why="A <slip>")
    assert refused.status_code == 422
    assert "A reply says something" in refused.text
    assert "A &lt;slip&gt;" in refused.text
    assert desk.browser.post(desk.about(wrong), act="other").status_code == 400


def test_what_did_not_arrive_is_sent_once_more(desk: Desk) -> None:
    lost = desk.reply("Come at three.")
    assert desk.browser.post(desk.about(lost), act="again").status_code == 422
    desk.tell(lost, "failed", "30005")
    shown = desk.page()
    assert "It was not delivered (the provider’s error 30005)" in lines(shown).replace("'", "’")
    assert f'action="{desk.about(lost)}"' in shown
    assert 'value="again"' in desk.browser.get(desk.about(lost)).text
    where = desk.browser.post(desk.about(lost), act="again").headers["location"]
    again = desk.ids()[-1]
    assert where.endswith(f"#m-{again}")
    _, body = desk.read(again)
    assert body["payload"] == desk.read(lost)[1]["payload"]
    assert body["recipient"] == desk.read(lost)[1]["recipient"]
    assert [one.entry.message for one in desk.outbox()] == [lost, again]
    assert "Sent again below" in desk.page()
    assert f'action="{desk.about(lost)}"' not in desk.page()
    # Pressed twice it is one more.
    desk.browser.post(desk.about(lost), act="again")
    assert desk.ids()[-1] == again


def test_what_was_not_sent_is_decided_there_too(desk: Desk) -> None:
    stuck = desk.reply("Come at three.")
    (one,) = desk.outbox()
    kept = buried(one, one.entry)
    desk.run(desk.store.commit(DEFAULT_PROJECT, ChangeSet((), kept=kept)))
    page = desk.browser.get(desk.about(stuck)).text
    assert 'value="resend"' in page
    letter = re.findall(r'name="letter" value="([^"]+)"', page)[0]
    desk.browser.post(desk.path, act="resend", letter=letter, message=stuck)
    assert [one.entry.message for one in desk.outbox()] == [stuck]
    assert "Waiting to be sent" in desk.browser.get(desk.about(stuck)).text


def test_there_is_no_page_of_another_sessions_message(
    desk: Desk, visitor: Any, browser: Any
) -> None:
    first = desk.about(desk.asked)
    desk.reply("Come at three.")
    assert desk.browser.get(desk.about(desk.asked)).status_code == 404
    assert desk.browser.get(f"{desk.path}/messages/none").status_code == 404
    # Who is not named takes back, and writes nothing.
    page = browser.get(first).text
    assert ('value="retract"' in page, 'value="correct"' in page) == (True, False)
    assert browser.post(first, act="correct", text="No").status_code == 403
    other = {"origin": "https://elsewhere.example"}
    assert browser.post(first, headers=other, act="retract").status_code == 403
