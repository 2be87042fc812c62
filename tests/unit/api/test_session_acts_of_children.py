"""Acts on sessions of several children, in threads, in batches; and acts that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.api.acting import ANA, ANA_CHAT, MOTHER, OFFICE, Clinic, at, bill, ref, said, told
from threadwell.encounters import codes
from threadwell.fhir.json import decode, encode
from threadwell.messages import Message


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


def with_children(api) -> tuple[Clinic, dict[str, str]]:
    """A session about two children, and what is called how."""
    clinic = Clinic(api, "per-day")
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "Leo has a fever, and Mia has a rash", MOTHER))
    (session,) = clinic.sessions()
    return clinic, {
        "never": api.never,
        "ana": clinic.ana,
        "session": session,
        "part": clinic.found(f"Encounter?part-of={session}")[0],
    }


@pytest.fixture(scope="module")
def children(shared_api) -> tuple[Clinic, dict[str, str]]:
    return with_children(shared_api)


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
        ("{session}/$close?why=me", [], 400, "takes only reason"),
        ("Encounter/{never}/$close", [], 404, ""),
        ("{ana}/$close", [], 404, ""),
        ("Encounter/$close", [], 404, ""),
        ("{session}/$open-session", [], 404, ""),
        ("Patient/$open-session", [], 404, ""),
        ("{part}/$close", [], 422, "say it of {session}"),
    ],
)
def test_what_makes_no_sense_is_refused(
    children: tuple[Clinic, dict[str, str]], path, parameters, status, says
) -> None:
    clinic, names = children
    answer = clinic.post(path.format(**names), *decode(encode(parameters)))
    assert answer.status_code == status, answer.text
    if says:
        assert says.format(**names) in " ".join(clinic.api.texts(answer))


def test_an_empty_reason_is_none(api) -> None:
    clinic, names = with_children(api)
    assert clinic.post(f"{names['session']}/$close?reason=").status_code == 200


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
