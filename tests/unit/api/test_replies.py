"""A person replies in a thread: by ``$reply``, and by the message that a client creates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from threadwell.app import channel_labels, live_channels
from threadwell.channels.account import Account
from threadwell.channels.live import Wish, Wished
from threadwell.encounters import codes
from threadwell.encounters.child_ids import with_sent_id
from threadwell.fhir.json import decode
from threadwell.fhir.validation import validate
from threadwell.intake import Settings, import_messages, parse_options, recut, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.consents import keep_wishes
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.replies.outbox import waiting
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, Store

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")
NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)


def said(id_: str, minutes: int, who: Address = ANA, channel: str = "twilio") -> Message:
    sent = NOON + timedelta(minutes=minutes)
    words = f"message {id_}"
    return Message(
        *(channel, id_, who, (OFFICE,), sent, words, words, f"{who.value},{OFFICE.value}"),
        medium="SMSWRIT",
        made_id=True,
        ours=(OFFICE,),
    )


class Clinic:
    """A practice with an account at Twilio, its patient Ana, and Dana who works there."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.settings = Settings(owner=(OFFICE,), options=parse_options(), labels=channel_labels())
        self.run(keep_choices(self.store, DEFAULT_PROJECT, Choices(zone="UTC")))
        values = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
        account = Account("front-desk", "twilio", (OFFICE,), values)
        self.run(keep_account(self.store, DEFAULT_PROJECT, account))
        point = {"system": "phone", "value": ANA.value}
        self.ana = f"Patient/{api.make(name=[{'given': ['Ana']}], telecom=[point])['id']}"
        self.dana = f"Practitioner/{api.make('Practitioner', name=[{'given': ['Dana']}])['id']}"

    @property
    def store(self) -> Store:
        return self.api.store

    def run(self, work: Any) -> Any:
        return self.api.run(work)

    def take(self, *messages: Message) -> Any:
        now = self.api.clock
        return self.run(
            import_messages(Seat(self.store, DEFAULT_PROJECT, self.settings, clock=now), messages)
        )

    def header(self) -> str:
        [id_] = self.api.ids("Communication?part-of:missing=true&status:not=entered-in-error")
        return f"Communication/{id_}"

    def reply(self, thread: str, *parameters: dict[str, Any], status: int = 200) -> Any:
        body = {"resourceType": "Parameters", "parameter": list(parameters)}
        answer = self.api.call("POST", f"{thread}/$reply", body)
        assert answer.status_code == status, answer.text
        if status != 200:
            return self.api.texts(answer)[0]
        told = {
            one["name"]: one["valueReference"]["reference"] for one in answer.json()["parameter"]
        }
        return self.read(told["message"]) | {"thread": told["thread"]}

    def create(self, thread: str, **members: Any) -> Any:
        body = {
            "resourceType": "Communication",
            "status": "in-progress",
            "partOf": [{"reference": thread}],
            "sender": {"reference": self.dana},
            "payload": [{"contentString": "We see you at three."}],
        }
        return self.api.call("POST", "Communication", body | members)

    def read(self, name: str) -> Any:
        return self.api.call("GET", name).json()

    def outbox(self) -> list[Any]:
        return [one.entry for one in self.run(waiting(self.store, DEFAULT_PROJECT))]

    def everything(self) -> dict[str, Any]:
        """All that is of the record, but for versions and times."""
        out = {}
        for type_ in ("Communication", "Encounter", "Task"):
            page = self.api.call("GET", f"{type_}?_count=1000").json()
            for entry in page.get("entry", ()):
                body = entry["resource"]
                out[body["id"]] = {k: v for k, v in body.items() if k != "meta"}
        return out


def text(words: str) -> dict[str, Any]:
    return {"name": "text", "valueString": words}


def ref(name: str, to: str) -> dict[str, Any]:
    return {"name": name, "valueReference": {"reference": to}}


@pytest.fixture
def clinic(store: Store, new_api: Any) -> Clinic:
    return Clinic(new_api(store=store, channels=live_channels))


def test_a_reply_is_a_message_of_the_thread_and_in_the_outbox(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9), said("SM2", -5))
    header = clinic.header()
    got = clinic.reply(header, text("Three it is."), ref("sender", clinic.dana))
    assert got["thread"] == header
    assert got["status"] == "in-progress"
    assert got["partOf"] == [{"reference": header}]
    assert got["sender"]["reference"] == clinic.dana
    assert [one["reference"] for one in got["recipient"]] == [clinic.ana]
    assert got["payload"] == [{"contentString": "Three it is."}]
    assert got["subject"]["reference"] == clinic.ana
    [answered] = got["inResponseTo"]
    assert clinic.read(answered["reference"])["payload"][0]["contentString"] == "message SM2"
    own = got["identifier"][0]
    assert own["system"] == codes.MESSAGE + "twilio"
    assert own["value"].startswith("reply:")
    del got["thread"]
    assert not validate(got)
    [entry] = clinic.outbox()
    assert (entry.message, entry.account, entry.channel) == (got["id"], "front-desk", "twilio")
    encounter = clinic.read(clinic.read(header)["encounter"]["reference"])
    assert clinic.dana in [one["individual"]["reference"] for one in encounter["participant"]]
    assert clinic.dana in [one["reference"] for one in clinic.read(header)["recipient"]]
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []


@pytest.mark.parametrize("way", ["operation", "create"])
def test_it_keeps_its_place_and_its_writer_whatever_comes(clinic: Clinic, way: str) -> None:
    first = [said("SM1", -9), said("SM2", -5)]
    clinic.take(*first)
    header = clinic.header()
    if way == "operation":
        id_ = clinic.reply(header, text("Three it is."), ref("sender", clinic.dana))["id"]
    else:
        id_ = clinic.create(header).json()["id"]
    before = clinic.everything()
    assert clinic.take(*first).counts.known == 2
    clinic.run(recut(Seat(clinic.store, DEFAULT_PROJECT, clinic.settings, clock=clinic.api.clock)))
    assert clinic.everything() == before
    # A message of the day before, and one in between: the reply answers what it did.
    clinic.take(said("SM0", -60 * 24), said("SM3", -2))
    after = clinic.everything()[id_]
    assert after == before[id_]
    assert len(clinic.outbox()) == 1
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []


def test_a_message_that_a_client_creates_in_a_thread_is_a_reply(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9))
    header = clinic.header()
    answer = clinic.create(header, recipient=[{"reference": clinic.ana}])
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"].endswith(f"_history/{body['meta']['versionId']}")
    assert body["identifier"][0]["value"].startswith("reply:")
    assert body["sender"]["reference"] == clinic.dana
    assert [one.message for one in clinic.outbox()] == [body["id"]]
    whole = clinic.api.bundle(
        "batch",
        clinic.api.entry(
            "POST",
            "Communication",
            {
                "resourceType": "Communication",
                "status": "in-progress",
                "partOf": [{"reference": header}],
                "sender": {"reference": clinic.dana},
                "payload": [{"contentString": "And bring the form."}],
            },
        ),
    )
    assert whole.json()["entry"][0]["response"]["status"] == "201"
    assert len(clinic.outbox()) == 2


@pytest.mark.parametrize(
    "members",
    [
        {"status": "preparation"},
        {"status": "completed"},
        {"identifier": [{"system": "urn:t", "value": "1"}]},
        {"sender": {"reference": "Patient/ana"}},
    ],
    ids=str,
)
def test_what_is_no_reply_is_stored_as_it_is(clinic: Clinic, members: dict[str, Any]) -> None:
    clinic.take(said("SM1", -9))
    if "sender" in members:
        members = {"sender": {"reference": clinic.ana}}
    answer = clinic.create(clinic.header(), **members)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert {name: body[name] for name in members} == members
    assert clinic.outbox() == []


def test_a_thread_of_a_channel_that_sends_nothing_is_stored_as_it_is(clinic: Clinic) -> None:
    clinic.take(said("1", -9, channel="sms_backup"))
    header = clinic.header()
    answer = clinic.create(header)
    assert answer.status_code == 201
    assert "identifier" not in answer.json()
    assert "sends nothing" in clinic.reply(
        header, text("Yes"), ref("sender", clinic.dana), status=422
    )
    assert clinic.outbox() == []


def test_asked_twice_with_one_key_it_is_one_reply(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9))
    key = {"name": "key", "valueString": "form-17"}
    asked = (text("Three it is."), ref("sender", clinic.dana), key)
    first = clinic.reply(clinic.header(), *asked)
    clinic.api.clock.now += 60_000
    assert clinic.reply(clinic.header(), *asked) == first
    # What says something else was never sent, so nobody is told that it was.
    for words in ("Four it is.", "Three it is. And bring Mia.", "three it is."):
        other = (text(words), *asked[1:])
        assert "another reply has this key" in clinic.reply(clinic.header(), *other, status=422)
    assert len(clinic.outbox()) == 1


@pytest.mark.parametrize(
    "words",
    ["  spaces stay  ", "two\r\nlines\rand a third\n", "\u200bnot seen\ufeff", "word " * 300 + "."],
)
def test_the_same_words_with_one_key_are_the_same_however_they_are_written(
    clinic: Clinic, words: str
) -> None:
    clinic.take(said("SM1", -9))
    asked = (text(words), ref("sender", clinic.dana), {"name": "key", "valueString": "form-18"})
    first = clinic.reply(clinic.header(), *asked)
    assert clinic.reply(clinic.header(), *asked)["id"] == first["id"]


def test_a_reply_to_a_message_names_that_one(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9), said("SM2", -5))
    children = clinic.api.ids(f"Communication?part-of={clinic.header()}&_sort=sent")
    first = f"Communication/{children[0]}"
    for thread, more in ((first, ()), (clinic.header(), (ref("answers", first),))):
        got = clinic.reply(thread, text("Yes."), ref("sender", clinic.dana), *more)
        assert got["inResponseTo"] == [{"reference": first}]


def test_files_go_with_it(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9))
    binary = clinic.api.call(
        "POST", "Binary?_filename=form.pdf", b"%PDF", content_type="application/pdf"
    ).json()
    given = {"contentType": "application/pdf", "url": f"Binary/{binary['id']}", "title": "form.pdf"}
    got = clinic.reply(
        clinic.header(),
        {"name": "attachment", "valueAttachment": given},
        ref("sender", clinic.dana),
    )
    [part] = got["payload"]
    assert part["contentAttachment"]["title"] == "form.pdf"
    assert clinic.api.call("GET", part["contentAttachment"]["url"]).content == b"%PDF"
    answer = clinic.create(clinic.header(), payload=[{"contentAttachment": given}])
    assert answer.json()["payload"][0]["contentAttachment"]["size"] == 4


def test_whoever_has_said_stop_gets_no_reply(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9))
    at = NOON - timedelta(minutes=5)
    stop = Wished("twilio", "SM2", ANA, OFFICE, Wish.STOP, at)
    clinic.run(keep_wishes(clinic.store, DEFAULT_PROJECT, [stop]))
    asked = (text("Yes"), ref("sender", clinic.dana))
    assert "STOP" in clinic.reply(clinic.header(), *asked, status=422)
    assert clinic.create(clinic.header()).status_code == 422
    assert clinic.outbox() == []
    assert len(clinic.api.ids(f"Communication?part-of={clinic.header()}")) == 1
    start = Wished("twilio", "SM3", ANA, OFFICE, Wish.START, at + timedelta(minutes=1))
    clinic.run(keep_wishes(clinic.store, DEFAULT_PROJECT, [start]))
    clinic.reply(clinic.header(), *asked)


def test_what_cannot_be_is_refused_with_the_reason(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9))
    header, dana = clinic.header(), ref("sender", clinic.dana)
    other = clinic.api.make("Communication", status="completed")["id"]
    never = clinic.api.never
    for thread, parameters, status, words in (
        (header, [text("Yes")], 400, "sender"),
        (header, [dana], 400, "text, or attachment"),
        (header, [text("Yes"), ref("sender", clinic.ana)], 400, "must refer to a Practitioner"),
        (header, [text("Yes"), dana, text("x") | {"name": "cc"}], 400, "Unknown parameter"),
        (header, [text("Yes"), ref("sender", f"Practitioner/{never}")], 422, "there is no"),
        (header, [text("Yes"), dana, ref("answers", f"Communication/{other}")], 422, "no message"),
        (f"Communication/{other}", [text("Yes"), dana], 422, "in no thread that Threadwell keeps"),
        (f"Communication/{never}", [text("Yes"), dana], 404, "Not found"),
    ):
        assert words in clinic.reply(thread, *parameters, status=status)
    assert clinic.outbox() == []


def test_the_log_of_the_provider_meets_the_reply_by_its_second_identifier(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9))
    got = clinic.reply(clinic.header(), text("Three it is."), ref("sender", clinic.dana))
    stored = clinic.run(clinic.store.read(DEFAULT_PROJECT, "Communication", got["id"]))
    sid = "SM" + "b8" * 16
    body = with_sent_id(decode(stored.body), sid)
    assert clinic.api.call("PUT", f"Communication/{got['id']}", body).status_code == 200
    logged = Message(
        *("twilio", sid, OFFICE, (ANA,), NOON + timedelta(seconds=2)),
        *("Three it is.", "Three it is.", f"{ANA.value},{OFFICE.value}"),
        medium="SMSWRIT",
        made_id=True,
        ours=(OFFICE,),
    )
    for _ in range(2):
        counts = clinic.take(logged).counts
        assert (counts.new, counts.known) == (0, 1)
    after = clinic.read(f"Communication/{got['id']}")
    assert [one["value"] for one in after["identifier"]][1] == sid
    assert (after["sender"], after["status"]) == (got["sender"], "in-progress")
    assert len(clinic.api.ids(f"Communication?part-of={clinic.header()}")) == 2
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []


def test_what_would_look_sent_and_is_not_is_refused(clinic: Clinic) -> None:
    clinic.take(said("SM1", -9))
    header = clinic.header()
    body = {
        "resourceType": "Communication",
        "status": "in-progress",
        "partOf": [{"reference": header}],
        "sender": {"reference": clinic.dana},
        "payload": [{"contentString": "And bring the form."}],
    }
    draft = clinic.create(header, status="preparation").json()
    name = f"Communication/{draft['id']}"
    entry = clinic.api.entry("POST", "Communication", body)
    sending = clinic.api.entry("PUT", name, draft | {"status": "in-progress"})
    for answer in (
        clinic.api.bundle("transaction", entry),
        clinic.api.call("POST", "Communication", body, if_none_exist="identifier=urn:t|1"),
        clinic.api.bundle("transaction", sending),
    ):
        assert answer.status_code == 422, answer.text
        assert "would not be sent" in clinic.api.texts(answer)[0]
    assert clinic.outbox() == []
    assert clinic.api.call("PUT", name, draft | {"payload": body["payload"]}).status_code == 200
    assert clinic.api.call("DELETE", name).status_code == 200
    # What is written to a thread of Medplum's own is nobody's to send.
    other = clinic.api.make("Communication", status="in-progress", topic={"text": "Forms"})["id"]
    mine = body | {"partOf": [{"reference": f"Communication/{other}"}]}
    whole = clinic.api.bundle("transaction", clinic.api.entry("POST", "Communication", mine))
    assert whole.status_code == 200, whole.text
