"""A patient's app, and a clinic that has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from threadwell.app import channel_labels, live_channels
from threadwell.channels.account import Account
from threadwell.channels.chat.names import Patient, own_address, who_of
from threadwell.channels.chat.tokens import new_token
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.arrivals.telling import Telling
from threadwell.stores.contract import DEFAULT_PROJECT

SECRET = "a-secret-of-the-tests-0123456789-abc"
APP = Account("app", "chat", (own_address("app"),), {"secret": SECRET})
HOUR, DAY = 3_600_000, 24 * 3_600_000


class App:
    """A patient's app, and the clinic that has it."""

    def __init__(self, api: Any, who: str) -> None:
        self.api = api
        self.who = who

    def call(self, method: str, path: str, body: Any = None, **headers: Any) -> httpx.Response:
        at = datetime.fromtimestamp(self.api.clock() / 1000, UTC)
        token = new_token(APP, self.who, at, 600)
        more = {"content_type": "application/json", **headers}
        return self.api.call(
            method, f"/chat/app/{path}", body, authorization=f"Bearer {token}", **more
        )

    def send(self, key: str, text: str, *files: str) -> httpx.Response:
        return self.call("POST", "messages", {"key": key, "text": text, "attachments": list(files)})

    def upload(self, content: bytes, name: str = "a.png") -> httpx.Response:
        return self.call("POST", f"attachments?name={name}", content, content_type="image/png")

    def get(self, query: str = "") -> Any:
        answer = self.call("GET", f"messages?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def take(self) -> None:
        options = (self.api.store, DEFAULT_PROJECT, live_channels(), channel_labels())
        self.api.run(Taking(*options, clock=self.api.clock).round())

    def tell(self) -> None:
        self.api.run(Telling(self.api.store, DEFAULT_PROJECT, clock=self.api.clock).round())

    def reply(self, text: str) -> str:
        """A nurse replies in the patient's thread; the message's id."""
        if not self.api.ids("Practitioner"):
            self.api.make("Practitioner", name=[{"text": "Nurse Berg"}])
        (nurse,) = self.api.ids("Practitioner")
        thread = (
            Patient("app", who_of(self.who) or "").thread.replace("|", "\\|").replace(",", "\\,")
        )
        own = quote(f"https://threadwell.dev/fhir/identifier/thread/chat|{thread}", safe="")
        header = self.api.ids(f"Communication?identifier={own}")[-1]
        made = self.api.make(
            "Communication",
            status="in-progress",
            partOf=[{"reference": f"Communication/{header}"}],
            sender={"reference": f"Practitioner/{nurse}"},
            payload=[{"contentString": text}],
        )
        return str(made["id"])


def texts(found: Any) -> list[str]:
    return [one["text"] for one in found["messages"]]


def person(api: Any, who: str, name: str) -> str:
    telecom = [{"system": "other", "value": f"chat:app/{who}"}]
    api.make(name=[{"given": [name]}], telecom=telecom)
    return who
