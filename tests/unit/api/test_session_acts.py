"""``$open-session``, ``$close`` and ``$reopen``: a client acts on sessions, whatever the policy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.app import channel_labels
from threadwell.encounters import codes
from threadwell.fhir.json import decode, encode
from threadwell.fhir.validation import validate
from threadwell.intake import Settings, import_messages, parse_options, recut, verify
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")
ANA_CHAT = Address(AddressKind.OTHER, "ana-cruz")
MOTHER = Address(AddressKind.PHONE, "+12125550122")
DAY = "2024-03-18"
POLICIES = ("explicit", "inactivity-gap", "per-day", "per-thread")


def at(time: str) -> int:
    """Milliseconds of a time of that day, or of ``19 10:00``: of another one of the month."""
    day, _, clock = time.rpartition(" ")
    moment = datetime.fromisoformat(f"2024-03-{day or '18'} {clock}").replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def said(id_: str, time: str, text: str = "hello", who: Address = ANA) -> Message:
    sent = datetime.fromtimestamp(at(time) / 1000, UTC)
    return Message(
        *("sms_backup", id_, who, (OFFICE,), sent, text, text, who.value), medium="SMSWRIT"
    )


class Clinic:
    """A practice, its patient Ana, and a mother of two; sessions by one of the policies."""

    def __init__(self, api: Any, policy: str, scope: str = "thread") -> None:
        self.api = api
        self.settings = Settings(
            policy=policy,
            scope=scope,
            owner=(OFFICE,),
            options=parse_options(gap="24h"),
            labels=channel_labels(),
        )
        self.choose()
        self.ana = self.patient("Ana", ANA, ANA_CHAT)
        self.leo, self.mia = self.patient("Leo"), self.patient("Mia")
        for child in (self.leo, self.mia):
            telecom = [{"system": "phone", "value": MOTHER.value}]
            api.make("RelatedPerson", patient={"reference": child}, telecom=telecom)

    def choose(self) -> None:
        choices = Choices(
            policy=self.settings.policy, scope=self.settings.scope, gap="24h", zone="UTC"
        )
        self.api.run(keep_choices(self.api.store, DEFAULT_PROJECT, choices))

    def patient(self, given: str, *addresses: Address) -> str:
        telecom = [{"system": str(one.kind), "value": one.value} for one in addresses]
        more = {"telecom": telecom} if telecom else {}
        return f"Patient/{self.api.make('Patient', name=[{'given': [given]}], **more)['id']}"

    def now(self, time: str) -> None:
        self.api.clock.now = at(time)

    def take(self, *messages: Message) -> None:
        self.api.run(
            import_messages(
                Seat(self.api.store, DEFAULT_PROJECT, self.settings, clock=self.api.clock), messages
            )
        )

    def post(self, path: str, *parameters: dict[str, Any], **headers: str) -> Any:
        body = {"resourceType": "Parameters", "parameter": list(parameters)}
        return self.api.call("POST", path, body if parameters else None, **headers)

    def open(self, *patients: str, thread: str = "") -> tuple[str, str, str]:
        given = [ref("patient", one) for one in patients]
        given += [ref("thread", thread)] if thread else []
        return told(self.post("Encounter/$open-session", *given))

    def close(self, session: str) -> tuple[str, str, str]:
        return told(self.post(f"{session}/$close"))

    def reopen(self, session: str) -> tuple[str, str, str]:
        return told(self.post(f"{session}/$reopen"))

    def found(self, query: str) -> list[str]:
        return [f"{query.partition('?')[0]}/{id_}" for id_ in self.api.ids(query)]

    def sessions(self) -> list[str]:
        return self.found("Encounter?status:not=entered-in-error&part-of:missing=true&_sort=date")

    def read(self, name: str) -> dict[str, Any]:
        answer = self.api.call("GET", name)
        assert answer.status_code == 200, answer.text
        return decode(answer.content)

    def history(self, session: str) -> list[tuple[str, str, str]]:
        body = self.read(session)
        assert validate(body) == []
        past = [
            (one["status"], *(one["period"][side][11:16] for side in ("start", "end")))
            for one in body.get("statusHistory", ())
        ]
        return [*past, (body["status"], "", "")]

    def texts(self, session: str) -> list[str]:
        """What is written in a session."""
        headers = self.found(f"Communication?encounter={session}&status:not=entered-in-error")
        lines = [
            one
            for header in headers
            for one in self.found(f"Communication?part-of={header}&_sort=sent")
        ]
        return [self.read(one)["payload"][0]["contentString"] for one in lines]

    def check(self) -> None:
        assert self.api.run(verify(self.api.store, DEFAULT_PROJECT)) == []


def ref(name: str, to: str) -> dict[str, Any]:
    return {"name": name, "valueReference": {"reference": to}}


def told(answer: Any) -> tuple[str, str, str]:
    """The session, its status and the act that an answer names."""
    assert answer.status_code == 200, answer.text
    body = decode(answer.content)
    assert validate(body) == []
    found = {one["name"]: one for one in body["parameter"]}
    act = found.get("act", {}).get("valueReference", {}).get("reference", "")
    return found["session"]["valueReference"]["reference"], found["status"]["valueCode"], act


@pytest.mark.parametrize("scope", ["thread", "patient"])
@pytest.mark.parametrize("policy", POLICIES)
def test_the_first_message_joins_the_session_that_was_opened(api, policy, scope) -> None:
    clinic = Clinic(api, policy, scope)
    clinic.now("09:00")
    session, status, act = clinic.open(clinic.ana)
    assert status == "arrived"
    body = clinic.read(session)
    assert body["subject"] == {"reference": clinic.ana}
    assert body["period"] == {"start": "2024-03-18T09:00:00Z"}
    assert clinic.open(clinic.ana) == (session, "arrived", "")
    clinic.check()
    clinic.now("09:20")
    clinic.take(said("1", "09:10"))
    assert clinic.sessions() == [session]
    assert clinic.texts(session) == ["hello"]
    assert clinic.history(session) == [("arrived", "09:00", "09:10"), ("in-progress", "", "")]
    assert clinic.read(session)["period"] == {"start": "2024-03-18T09:10:00Z"}
    assert clinic.open(clinic.ana) == (session, "in-progress", "")
    task = clinic.read(act)
    client = {"system": codes.CLIENT, "value": clinic.api.client.client_id}
    assert task["requester"] == {"identifier": client, "display": "tests"}
    assert (task["focus"], task["for"]) == ({"reference": session}, {"reference": clinic.ana})
    clinic.check()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_session_in_which_nobody_writes_is_cancelled(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("09:00")
    closed, _, _ = clinic.open(clinic.ana)
    clinic.now("09:30")
    assert clinic.close(closed)[1] == "cancelled"
    assert clinic.history(closed) == [("arrived", "09:00", "09:30"), ("cancelled", "", "")]
    clinic.check()
    left, status, _ = clinic.open(clinic.leo)
    assert status == "arrived"
    api.clock.now += 40 * 86_400_000
    clinic.take()
    assert clinic.read(left)["status"] == "cancelled"
    assert clinic.read(closed)["status"] == "cancelled"
    clinic.check()


#: What is written after a session was closed: by policy, the sessions with their texts.
LATER = {
    "explicit": [("finished", ["first"])],
    "inactivity-gap": [("finished", ["first"]), ("in-progress", ["later"])],
    "per-day": [("in-progress", ["first", "later"])],
    "per-thread": [("in-progress", ["first", "later"])],
}


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_written_after_a_session_was_closed(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("08:59")
    if policy == "explicit":
        clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    assert clinic.close(session)[1] == "finished"
    assert clinic.history(session)[-2] == ("in-progress", "09:00", "09:30")
    assert clinic.read(session)["period"]["end"] == "2024-03-18T09:00:00Z"
    (header,) = clinic.found(f"Communication?encounter={session}")
    assert clinic.read(header)["status"] == "completed"
    assert clinic.close(session) == (session, "finished", "")
    clinic.now("10:30")
    clinic.take(said("2", "10:00", "later"))
    found = [(clinic.read(one)["status"], clinic.texts(one)) for one in clinic.sessions()]
    assert found == LATER[policy]
    if policy in ("per-day", "per-thread"):
        turns = [("in-progress", "09:00", "09:30"), ("finished", "09:30", "10:00")]
        assert clinic.history(session) == [*turns, ("in-progress", "", "")]
    clinic.check()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_session_is_opened_again_until_it_is_closed_or_silent(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("08:59")
    if policy == "explicit":
        clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    clinic.close(session)
    clinic.now("10:00")
    assert clinic.reopen(session)[:2] == (session, "in-progress")
    assert clinic.reopen(session) == (session, "in-progress", "")
    turns = [("in-progress", "09:00", "09:30"), ("finished", "09:30", "10:00")]
    assert clinic.history(session)[-3:] == [*turns, ("in-progress", "", "")]
    assert "end" not in clinic.read(session)["period"]
    clinic.now("10:30")
    clinic.take(said("2", "10:20", "more"))
    assert clinic.texts(session) == ["first", "more"]
    clinic.check()
    clinic.now("10:40")
    clinic.close(session)
    assert clinic.history(session)[-2:] == [("in-progress", "10:00", "10:40"), ("finished", "", "")]
    clinic.now("10:50")
    clinic.reopen(session)
    api.clock.now += 40 * 86_400_000
    clinic.take()
    assert clinic.read(session)["status"] == "finished"
    clinic.check()


def test_an_explicit_session_that_is_opened_again_takes_in_what_came_since(api) -> None:
    clinic = Clinic(api, "explicit")
    clinic.now("09:00")
    session, _, _ = clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:10", "first"))
    clinic.close(session)
    clinic.now("10:00")
    clinic.take(said("2", "09:45", "one more thing"))
    assert clinic.texts(session) == ["first"]
    clinic.reopen(session)
    assert clinic.texts(session) == ["first", "one more thing"]
    clinic.check()


def test_a_day_that_is_over_can_be_opened_again(api) -> None:
    clinic = Clinic(api, "per-day")
    clinic.now("19 09:00")
    clinic.take(said("1", "10:00", "yesterday"), said("2", "19 08:00", "today"))
    yesterday, today = clinic.sessions()
    assert clinic.reopen(yesterday)[1] == "in-progress"
    clinic.now("19 09:30")
    clinic.take(said("3", "19 09:20", "still today"))
    assert clinic.texts(yesterday) == ["yesterday"]
    assert clinic.texts(today) == ["today", "still today"]
    clinic.check()


def bill(clinic: Clinic, session: str) -> None:
    tag = [{"op": "add", "path": "/meta/tag", "value": [codes.BILLED]}]
    answer = clinic.api.call("PATCH", session, tag, content_type="application/json-patch+json")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("policy", POLICIES)
def test_what_was_billed_stays_closed(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("08:59")
    clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    clinic.close(session)
    bill(clinic, session)
    before = clinic.read(session)
    for act in ("$reopen", "$close"):
        refused = clinic.post(f"{session}/{act}")
        assert refused.status_code == 422
        assert "billed" in clinic.api.texts(refused)[0]
    # Another act on the same patient's sessions leaves it alone.
    clinic.now("10:00")
    other, status, _ = clinic.open(clinic.ana)
    assert (other != session, status) == (True, "arrived")
    clinic.take(said("late", "09:15", "late"))
    assert clinic.read(session) == before
    held = clinic.found("Task?code=quarantine&status=requested")
    assert len(held) == 1
    clinic.check()


@pytest.mark.parametrize("after", POLICIES)
@pytest.mark.parametrize("before", POLICIES)
def test_acts_outlive_another_policy(api, before, after) -> None:
    """What was done is done in the sessions that the messages have now."""
    clinic = Clinic(api, before)
    clinic.now("08:59")
    clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    clinic.close(session)
    clinic.settings = Settings(
        policy=after, owner=(OFFICE,), options=parse_options(gap="24h"), labels=channel_labels()
    )
    clinic.choose()
    api.run(recut(Seat(api.store, DEFAULT_PROJECT, clinic.settings, clock=api.clock)))
    (again,) = clinic.sessions()
    assert (again == session) == (before == after)
    assert clinic.history(again) == [
        ("arrived", "08:59", "09:00"),
        ("in-progress", "09:00", "09:30"),
        ("finished", "", ""),
    ]
    assert clinic.texts(again) == ["first"]
    clinic.check()


def test_a_late_message_that_comes_before_the_opening_began_the_session(api) -> None:
    clinic = Clinic(api, "inactivity-gap")
    clinic.now("09:00")
    opened, _, _ = clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("2", "09:10", "second"))
    assert clinic.sessions() == [opened]
    clinic.take(said("1", "08:30", "first"))
    (session,) = clinic.sessions()
    assert session != opened
    assert clinic.texts(session) == ["first", "second"]
    assert clinic.read(opened)["status"] == "entered-in-error"
    clinic.check()


def test_a_session_of_one_of_two_children(api) -> None:
    clinic = Clinic(api, "explicit")
    clinic.now("09:00")
    session, status, _ = clinic.open(clinic.leo)
    assert (status, clinic.read(session)["subject"]["reference"]) == ("arrived", clinic.leo)
    clinic.now("09:30")
    clinic.take(said("1", "09:10", "A fever since last night", MOTHER))
    assert clinic.sessions() == [session]
    assert clinic.read(session)["subject"]["reference"] == clinic.leo
    assert clinic.found("Task?code=review") == []
    clinic.take(said("2", "09:15", "Mia has a rash", MOTHER))
    parts = clinic.found(f"Encounter?part-of={session}")
    assert {clinic.read(one)["subject"]["reference"] for one in parts} == {clinic.leo, clinic.mia}
    # A person's word counts more than whom the session was opened for.
    answer = clinic.post(f"{session}/$about", ref("patient", clinic.mia))
    assert answer.status_code == 200
    assert clinic.read(session)["subject"]["reference"] == clinic.mia
    clinic.take(said("1", "09:10", "A fever since last night", MOTHER))
    assert clinic.read(session)["subject"]["reference"] == clinic.mia
    clinic.check()


def test_a_session_of_both_children(api) -> None:
    clinic = Clinic(api, "per-day", "patient")
    clinic.now("09:00")
    session, status, _ = clinic.open(clinic.leo, clinic.mia)
    assert status == "arrived"
    assert clinic.read(session)["subject"]["reference"].startswith("Group/")
    parts = clinic.found(f"Encounter?part-of={session}")
    assert [clinic.read(one)["status"] for one in parts] == ["arrived", "arrived"]
    clinic.check()
    clinic.now("09:30")
    clinic.take(said("1", "09:10", "Leo has a fever", MOTHER))
    assert clinic.read(session)["subject"]["reference"] == clinic.leo
    assert clinic.sessions() == [session]
    clinic.check()


def test_a_session_in_a_thread_waits_for_that_thread(api) -> None:
    clinic = Clinic(api, "explicit")
    clinic.now("09:00")
    clinic.take(said("1", "08:00", "before"))
    (header,) = clinic.found("Communication?part-of:missing=true")
    session, status, act = clinic.open(thread=header)
    assert status == "arrived"
    thread = {one["type"]["text"]: one for one in clinic.read(act)["input"]}["thread"]
    assert thread["valueIdentifier"]["value"] == ANA.value
    clinic.now("10:00")
    chat = Message(
        *("email", "m", ANA_CHAT, (OFFICE,), datetime.fromtimestamp(at("09:30") / 1000, UTC)),
        *("elsewhere", "elsewhere", "chat"),
    )
    clinic.take(chat)
    assert clinic.read(session)["status"] == "arrived"
    clinic.take(said("2", "09:45", "here"))
    assert clinic.texts(session) == ["here"]
    clinic.check()


def test_a_client_that_takes_an_act_back(api) -> None:
    clinic = Clinic(api, "per-day")
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    _, status, act = clinic.close(session)
    assert status == "finished"
    patch = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
    clinic.now("09:40")
    api.call("PATCH", act, patch, content_type="application/json-patch+json")
    clinic.take()
    assert clinic.history(session) == [("in-progress", "", "")]
    clinic.check()


def test_a_message_whose_clock_is_ahead_does_not_open_what_is_closed(api) -> None:
    clinic = Clinic(api, "per-day")
    clinic.now("09:00")
    clinic.take(said("1", "09:20", "from a phone that is ahead"))
    (session,) = clinic.sessions()
    assert clinic.close(session)[1] == "finished"
    clinic.now("09:05")
    assert clinic.reopen(session)[1] == "in-progress"
    clinic.now("09:06")
    assert clinic.close(session)[1] == "finished"
    clinic.check()


@pytest.mark.parametrize(
    ("path", "parameters", "status", "says"),
    [
        ("Encounter/$open-session", [], 400, "patient, or thread"),
        ("Encounter/$open-session", [ref("patient", "Patient/none")], 422, "no Patient/none"),
        ("Encounter/$open-session", [ref("patient", "Group/1")], 400, "refer to a Patient"),
        ("Encounter/$open-session", [ref("thread", "Communication/none")], 422, "no Communication"),
        ("Encounter/$open-session", [ref("who", "Patient/1")], 400, "Unknown parameter of $open"),
        ("{session}/$close", [ref("patient", "Patient/1")], 400, "Unknown parameter of $close"),
        ("{session}/$close", [{"name": "reason", "valueCode": "x"}], 400, "valueString"),
        ("{session}/$close?reason=", [], 200, ""),
        ("{session}/$close?why=me", [], 400, "takes only reason"),
        ("Encounter/{never}/$close", [], 404, ""),
        ("{ana}/$close", [], 404, ""),
        ("Encounter/$close", [], 404, ""),
        ("{session}/$open-session", [], 404, ""),
        ("Patient/$open-session", [], 404, ""),
        ("{part}/$close", [], 422, "say it of {session}"),
    ],
)
def test_what_makes_no_sense_is_refused(api, path, parameters, status, says) -> None:
    clinic = Clinic(api, "per-day")
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "Leo has a fever, and Mia has a rash", MOTHER))
    (session,) = clinic.sessions()
    names = {
        "never": api.never,
        "ana": clinic.ana,
        "session": session,
        "part": clinic.found(f"Encounter?part-of={session}")[0],
    }
    answer = clinic.post(path.format(**names), *decode(encode(parameters)))
    assert answer.status_code == status, answer.text
    if says:
        assert says.format(**names) in " ".join(clinic.api.texts(answer))


def test_the_reason_stands_in_the_task(api) -> None:
    clinic = Clinic(api, "per-day")
    clinic.now("09:30")
    clinic.take(said("1", "09:00"))
    (session,) = clinic.sessions()
    given = {"name": "reason", "valueString": "All is said"}
    _, _, act = told(clinic.post(f"{session}/$close", given))
    assert clinic.read(act)["note"] == [{"text": "All is said"}]
    assert clinic.read(act)["status"] == "completed"


def test_in_a_batch_and_without_a_login(api) -> None:
    clinic = Clinic(api, "per-day")
    clinic.now("09:30")
    clinic.take(said("1", "09:00"))
    (session,) = clinic.sessions()
    entry = api.entry("POST", f"{session}/$close")
    assert api.bundle("transaction", entry).status_code == 400
    assert clinic.post(f"{session}/$close", authorization=None).status_code == 401
    assert clinic.read(session)["status"] == "in-progress"
    answer = api.bundle("batch", entry, api.entry("GET", session))
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["200", "200"]
    assert answer.json()["entry"][1]["resource"]["status"] == "finished"


@pytest.mark.parametrize("written", [False, True])
def test_a_session_that_was_made_over_fhir(api, written: bool) -> None:
    """As Medplum's guide makes one: there is no policy, and its status is the truth."""
    clinic = Clinic(api, "per-day")
    clinic.now("09:30")
    virtual = codes.VIRTUAL
    made = api.make(
        "Encounter",
        **{"class": virtual},
        status="in-progress" if written else "arrived",
        subject={"reference": clinic.ana},
        period={"start": "2024-03-18T09:00:00Z"},
    )
    session = f"Encounter/{made['id']}"
    header = api.make(
        "Communication",
        status="in-progress",
        topic={"text": "Knee"},
        encounter={"reference": session},
        recipient=[{"reference": clinic.ana}],
        sender={"reference": clinic.ana},
    )
    if written:
        api.make(
            "Communication",
            status="in-progress",
            partOf=[{"reference": f"Communication/{header['id']}"}],
            payload=[{"contentString": "It hurts"}],
            sender={"reference": clinic.ana},
            sent="2024-03-18T09:10:00Z",
        )
    over = "finished" if written else "cancelled"
    assert clinic.close(session) == (session, over, "")
    body = clinic.read(session)
    assert body["period"]["end"] == f"2024-03-18T{'09:10' if written else '09:30'}:00Z"
    assert clinic.read(f"Communication/{header['id']}")["status"] == "completed"
    assert clinic.close(session) == (session, over, "")
    assert clinic.read(session) == body
    clinic.now("10:00")
    assert clinic.reopen(session)[1] == "in-progress"
    assert clinic.read(f"Communication/{header['id']}")["status"] == "in-progress"
    assert "end" not in clinic.read(session)["period"]
    clinic.now("10:20")
    assert clinic.close(session)[1] == "finished"
    first = "in-progress" if written else "arrived"
    assert clinic.history(session) == [
        (first, "09:00", "09:30"),
        (over, "09:30", "10:00"),
        ("in-progress", "10:00", "10:20"),
        ("finished", "", ""),
    ]
    bill(clinic, session)
    assert clinic.post(f"{session}/$reopen").status_code == 422
