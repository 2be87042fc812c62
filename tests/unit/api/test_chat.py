"""The API of apps over each store: once, durable, one's own, and for as long as it is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.unit.api.chat_stand_in import APP, DAY, HOUR, SECRET, App, person, texts
from threadwell.app import channel_labels, live_channels
from threadwell.channels.account import Account
from threadwell.channels.chat.names import Patient, own_address, who_of
from threadwell.channels.chat.tokens import new_token
from threadwell.duties.duty import nowhere
from threadwell.intake import Settings, import_messages
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, entries
from threadwell.intake.chat import history
from threadwell.intake.chat.due import let_go
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.replies import outbox
from threadwell.intake.replies.outbox import Stage, dead_letters, waiting
from threadwell.intake.replies.sending import Outbox
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet


@pytest.fixture
def app(new_api: Any, store: Any) -> App:
    api = new_api(store=store, channels=live_channels)
    api.run(keep_account(api.store, DEFAULT_PROJECT, APP))
    return App(api, person(api, "p-1", "Ana"))


def test_a_message_is_one_however_often_it_is_sent(app: App) -> None:
    first = app.send("k1", "Hello")
    assert first.status_code == 201
    app.api.clock.now += 5000
    for when in ("in the journal", "in the record", "long after"):
        again = app.send("k1", "Hello")
        assert (again.status_code, again.json()) == (200, first.json()), when
        assert app.send("k1", "Hello!").json()["error"]["code"] == "conflict", when
        if when == "in the record":
            app.api.clock.now += 91 * DAY
            app.api.run(let_go(app.api.store, DEFAULT_PROJECT, app.api.clock()))
            # Its receipt is gone, the message is not.
            assert app.send("k1", "Hello").json()["sent"] == "2024-03-10T12:00:00Z"
            break
        app.take()
    app.take()
    assert texts(app.get()) == ["Hello"]
    child = app.api.call("GET", f"Communication/{first.json()['id']}").json()
    assert child["sent"] == "2024-03-10T12:00:00Z"
    assert child["medium"][0]["coding"][0]["code"] == "APPWRIT"


def test_an_app_names_its_patient_by_an_identifier_of_the_practice(app: App) -> None:
    """Who has it is found, also where they have got it since; another system is another patient."""
    mrn = "https://clinic.example.org/mrn"
    ana, bo = App(app.api, f"{mrn}|0017"), App(app.api, f"{mrn}|0018")
    named = [{"system": mrn, "value": "0017"}]
    patient = app.api.make(name=[{"given": ["Ana"]}], identifier=named)
    app.api.make(
        name=[{"given": ["Di"]}], identifier=[{"system": "urn:oid:1.2.3", "value": "0017"}]
    )
    for one in (ana, bo):
        assert one.send("k1", f"Hello from {one.who}").status_code == 201
    app.take()
    assert texts(ana.get()) == [f"Hello from {ana.who}"]
    assert texts(bo.get()) == []
    [child] = app.api.call("GET", "Communication?part-of:missing=false").json()["entry"]
    assert child["resource"]["subject"] == {"reference": f"Patient/{patient['id']}"}
    known = [{"system": mrn, "value": "0018"}]
    app.api.make(name=[{"given": ["Bo"]}], identifier=known)
    app.api.clock.now += 1000
    app.take()
    app.api.run(
        import_messages(
            Seat(
                app.api.store,
                DEFAULT_PROJECT,
                Settings(labels=channel_labels()),
                clock=app.api.clock,
            ),
            [],
        )
    )
    assert texts(bo.get()) == [f"Hello from {bo.who}"]
    assert ana.reply("Yes, Ana.")
    assert texts(ana.get())[-1] == "Yes, Ana."


@pytest.mark.parametrize(
    ("sub", "who"),
    [
        ("p-1", "p-1"),
        ("a|b", "a|b"),
        ("https://c.example/m|1", "https:%2F%2Fc.example%2Fm|1"),
        ("urn:oid:1.2|7", "urn:oid:1.2|7"),
        ("https://c.example/m|a@b", "https:%2F%2Fc.example%2Fm|a%40b"),
        ("https://c.example/m|", None),
        ("https://c.example/m%2F|1", None),
        ("http:%2F%2Fc|1", None),
        ("a/b", None),
        ("a@b.example", None),
        ("", None),
    ],
)
def test_who_a_token_names(sub: str, who: str | None) -> None:
    assert who_of(sub) == who
    if who is not None and ":" in who:
        assert Patient("app", who).told == sub


def test_what_was_acknowledged_outlives_the_process(app: App, tmp_path: Any) -> None:
    # Nothing of the server is left but its store.
    sent = app.send("k1", "Hello", app.upload(b"PNG").json()["id"])
    assert sent.status_code == 201
    assert len(app.api.run(entries(app.api.store, DEFAULT_PROJECT, ARRIVED))) == 1
    other = App(type(app.api)(store=app.api.store, channels=live_channels), app.who)
    assert other.send("k1", "Hello", other.upload(b"PNG").json()["id"]).status_code == 200
    for _ in range(2):
        other.take()
    (found,) = other.get()["messages"]
    (file,) = found["attachments"]
    assert (file["name"], file["type"], file["size"]) == ("a.png", "image/png", 3)
    answer = other.call("GET", f"attachments/{file['id']}")
    assert (answer.content, answer.headers["content-type"]) == (b"PNG", "image/png")


def test_an_unknown_patient_waits_for_a_person(app: App) -> None:
    stranger = App(app.api, "nobody")
    assert stranger.send("k1", "Hello").status_code == 201
    stranger.take()
    assert texts(stranger.get()) == []
    person(app.api, "nobody", "Ben")
    assert stranger.send("k2", "Again").status_code == 201
    stranger.take()
    assert sorted(texts(stranger.get())) == ["Again", "Hello"]
    assert texts(app.get()) == []


def test_older_messages_come_page_by_page(app: App) -> None:
    for number in range(12):
        app.send(f"k{number}", f"text {number}")
        # Two of each time: what stands beside each other is not lost between pages.
        app.api.clock.now += 60_000 * (number % 2)
    app.take()
    seen: list[str] = []
    before, pages = "", 0
    while True:
        found = app.get(f"count=5{before}")
        seen = [one["id"] for one in found["messages"]] + seen
        pages += 1
        if "before" not in found:
            break
        before = f"&before={found['before']}"
    every = [one["id"] for one in app.get("count=200")["messages"]]
    assert (pages, seen) == (3, every)
    assert len(set(every)) == 12


@pytest.mark.parametrize("near", [2000, 0], ids=["by changes", "by search"])
def test_an_app_goes_on_where_it_was(app: App, near: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(history, "NEAR", near)
    app.send("k1", "one")
    app.take()
    app.api.clock.now += HOUR
    cursor = app.get()["cursor"]
    assert near == 0 or app.get(f"after={cursor}")["messages"] == []
    app.api.clock.now += DAY
    app.send("k2", "two")
    App(app.api, person(app.api, "p-2", "Ben")).send("k1", "another's")
    app.take()
    answer = app.reply("three")
    found = app.get(f"after={cursor}")
    assert sorted(texts(found)) == ["three", "two"]
    assert not found["anew"]
    # What becomes of a message, and that it was taken back, is news.
    assert app.call("POST", "read", {"ids": [answer]}).status_code == 204
    assert app.call("POST", "received", {"ids": [answer]}).status_code == 204
    app.tell()
    there = {one["id"]: one["state"] for one in app.get(f"after={found['cursor']}")["messages"]}
    assert there[answer] == "read"
    stored = app.api.call("GET", f"Communication/{answer}").json()
    assert stored["status"] == "completed"
    app.api.call("PUT", f"Communication/{answer}", {**stored, "status": "entered-in-error"})
    news = {one["id"]: one for one in app.get(f"after={found['cursor']}")["messages"]}
    assert (news[answer]["state"], news[answer]["text"]) == ("withdrawn", "")
    assert "three" not in texts(app.get())


def test_a_cursor_of_another_store_begins_anew(app: App) -> None:
    assert texts(app.get(f"after={app.get()['cursor']}")) == []
    app.send("k1", "one")
    app.take()
    cursor = app.get()["cursor"]
    position, at, mark = cursor.split("-")
    for other in (
        f"999999999-{at}-{mark}",
        # In a copy each position is of another change.
        f"{int(position) - 1}-{at}-{mark}",
        f"{position}-{at}-00000000",
    ):
        found = app.get(f"after={other}")
        assert (found["anew"], texts(found)) == (True, ["one"]), other
    assert not app.get(f"after={cursor}")["anew"]


def test_a_draft_is_not_shown(app: App) -> None:
    app.send("k1", "one")
    app.take()
    cursor = app.get()["cursor"]
    first = app.get()["messages"][0]["id"]
    stored = app.api.call("GET", f"Communication/{first}").json()
    nurse = app.api.make("Practitioner")["id"]
    app.api.make(
        "Communication",
        status="preparation",
        partOf=stored["partOf"],
        sender={"reference": f"Practitioner/{nurse}"},
        recipient=[stored["sender"]],
        payload=[{"contentString": "half a thou"}],
    )
    assert app.get(f"after={cursor}")["messages"] == []
    assert texts(app.get()) == ["one"]


def test_files_wait_for_a_day_and_no_longer(app: App) -> None:
    id_ = app.upload(b"one").json()["id"]
    assert app.upload(b"one").json()["id"] == id_
    app.api.clock.now += 23 * HOUR
    assert app.upload(b"two").status_code == 201
    assert app.send("k1", "", id_).status_code == 201
    app.api.clock.now += 2 * HOUR
    assert app.api.run(let_go(app.api.store, DEFAULT_PROJECT, app.api.clock())) == 22 * 3600
    error = app.send("k2", "", id_).json()["error"]
    assert (error["code"], error["where"]) == ("not-found", "attachments[0]")
    app.take()
    assert app.get()["messages"][0]["attachments"][0]["size"] == 3


def test_no_more_files_wait_than_may(app: App) -> None:
    for number in range(50):
        assert app.upload(b"%d" % number).status_code == 201
    refused = app.upload(b"one more")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too-many")
    # What is there already may come again, and another patient has room of their own.
    assert app.upload(b"7").status_code == 201
    assert App(app.api, "p-2").upload(b"one more").status_code == 201


def test_a_patient_opens_and_closes_a_session(app: App) -> None:
    choices = Choices(policy="explicit", gap="24h", zone="UTC")
    app.api.run(keep_choices(app.api.store, DEFAULT_PROJECT, choices))
    assert app.call("GET", "session").json() == {"open": False, "session": ""}
    assert app.call("POST", "session", {"open": False}).json() == {"open": False, "session": ""}
    app.send("k1", "outside")
    app.take()
    app.api.clock.now += 60_000
    opened = app.call("POST", "session", {"open": True, "why": "A rash"}).json()
    assert opened["open"]
    assert app.call("POST", "session", {"open": True}).json() == opened
    app.api.clock.now += 60_000
    id_ = app.send("k2", "inside").json()["id"]
    app.take()
    encounter = app.api.call("GET", f"Encounter/{opened['session']}").json()
    assert encounter["status"] == "in-progress"
    child = app.api.call("GET", f"Communication/{id_}").json()
    header = app.api.call("GET", child["partOf"][0]["reference"]).json()
    assert header["encounter"]["reference"] == f"Encounter/{opened['session']}"
    app.api.clock.now += 60_000
    closed = app.call("POST", "session", {"open": False}).json()
    assert closed == {"open": False, "session": opened["session"]}
    assert app.call("GET", "session").json() == closed
    encounter = app.api.call("GET", f"Encounter/{opened['session']}").json()
    assert encounter["status"] == "finished"
    (act,) = [
        one["resource"]
        for one in app.api.call("GET", "Task?_count=50").json()["entry"]
        if "open-session" in json.dumps(one["resource"].get("code", {}))
    ]
    assert act["requester"]["reference"].startswith("Patient/")
    assert act["note"] == [{"text": "A rash"}]
    assert texts(app.get()) == ["outside", "inside"]
    stranger = App(app.api, "nobody").call("POST", "session", {"open": True})
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (409, "conflict")


@pytest.mark.parametrize("broken_off", [False, True])
def test_a_reply_needs_nobody_to_be_sent(app: App, broken_off: bool) -> None:
    app.send("k1", "one")
    app.take()
    id_ = app.reply("two")
    (one,) = app.api.run(waiting(app.api.store, DEFAULT_PROJECT))
    if broken_off:
        # A process died when it had begun with it.
        at = app.api.clock()
        entry = replace(one.entry, stage=Stage.TRYING, tries=1, since=at, due=at)
        kept = (outbox.changed(one, entry),)
        app.api.run(app.api.store.commit(DEFAULT_PROJECT, ChangeSet((), kept=kept)))
    of = (app.api.store, DEFAULT_PROJECT, live_channels(), channel_labels())
    sender = Outbox(*of, NobodyCalls(), nowhere, clock=app.api.clock)
    assert app.api.run(sender.round()) is None
    assert app.api.run(waiting(app.api.store, DEFAULT_PROJECT)) == []
    assert app.api.run(dead_letters(app.api.store, DEFAULT_PROJECT)) == []
    app.tell()
    stored = app.api.call("GET", f"Communication/{id_}").json()
    (delivery,) = (one for one in stored["extension"] if one["url"].endswith("/delivery"))
    assert delivery["extension"][0]["valueCode"] in ("sent", "queued")
    assert sorted(texts(app.get())) == ["one", "two"]


class NobodyCalls:
    async def call(self, call: Any) -> Any:
        raise AssertionError(call)


def test_what_is_said_twice_is_two_messages(app: App) -> None:
    for key in ("k1", "k2"):
        assert app.send(key, "ok").status_code == 201
        app.api.clock.now += 1000
    app.take()
    assert texts(app.get()) == ["ok", "ok"]
    assert app.api.ids("Task?status=requested") == []


def test_an_id_means_something_in_its_own_app_alone(app: App) -> None:
    other = Account("other", "chat", (own_address("other"),), {"secret": SECRET[::-1]})
    app.api.run(keep_account(app.api.store, DEFAULT_PROJECT, other))
    upload = app.upload(b"PNG").json()["id"]
    app.send("k1", "mine", upload)
    app.take()
    binary = app.get()["messages"][0]["attachments"][0]["id"]
    at = datetime.fromtimestamp(app.api.clock() / 1000, UTC)
    bearer = f"Bearer {new_token(other, app.who, at, 600)}"

    def ask(method: str, path: str, body: Any = None) -> httpx.Response:
        kind = "application/json"
        return app.api.call(method, path, body, authorization=bearer, content_type=kind)

    assert ask("GET", "/chat/other/messages").json()["messages"] == []
    assert ask("GET", f"/chat/other/attachments/{binary}").status_code == 404
    body = {"key": "k1", "text": "x", "attachments": [upload]}
    assert ask("POST", "/chat/other/messages", body).status_code == 404
    assert ask("GET", "/chat/app/messages").status_code == 401
    # What that app's patient writes is nobody's whom the practice knows.
    assert ask("POST", "/chat/other/messages", {"key": "k1", "text": "theirs"}).status_code == 201
    app.take()
    assert texts(app.get()) == ["mine"]
