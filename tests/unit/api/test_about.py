"""``$about``: a client says for good whom messages are about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.app import channel_labels
from threadwell.encounters import codes
from threadwell.fhir.json import decode, encode
from threadwell.fhir.validation import validate
from threadwell.intake import Settings, import_messages, verify
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
MOTHER = Address(AddressKind.PHONE, "+12125550122")


def sms(id_: str, time: str, text: str) -> Message:
    sent = datetime.fromisoformat(f"2024-03-08 {time}").replace(tzinfo=UTC)
    return Message(
        *("sms_backup", id_, MOTHER, (OFFICE,), sent, text, text, MOTHER.value), medium="SMSWRIT"
    )


class Family:
    """A mother of two has written, and the first message names the wrong child."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.leo, self.mia = self.child("Leo"), self.child("Mia")
        self.take(sms("a", "08:00", "Leo has a fever"), sms("b", "08:10", "39.5 by now"))
        (self.session,) = self.found("Encounter?status:not=entered-in-error")
        (self.header,) = self.found("Communication?part-of:missing=true")
        self.first, self.second = self.found("Communication?part-of:missing=false&_sort=sent")

    def child(self, given: str) -> str:
        made = self.api.make("Patient", name=[{"given": [given]}])
        name = f"Patient/{made['id']}"
        telecom = [{"system": "phone", "value": MOTHER.value}]
        self.api.make("RelatedPerson", patient={"reference": name}, telecom=telecom)
        return name

    def take(self, *messages: Message) -> None:
        settings = Settings(owner=(OFFICE,), labels=channel_labels())
        self.api.run(
            import_messages(
                Seat(self.api.store, DEFAULT_PROJECT, settings, clock=self.api.clock), messages
            )
        )

    def found(self, query: str) -> list[str]:
        return [f"{query.partition('?')[0]}/{id_}" for id_ in self.api.ids(query)]

    def say(self, of: str, *parameters: dict[str, Any], **headers: str) -> Any:
        body = {"resourceType": "Parameters", "parameter": list(parameters)}
        return self.api.call("POST", f"{of}/$about", body, **headers)

    def read(self, name: str) -> dict[str, Any]:
        answer = self.api.call("GET", name)
        assert answer.status_code == 200, answer.text
        return decode(answer.content)

    def subject(self, name: str) -> str:
        return self.read(name).get("subject", {}).get("reference", "")


def ref(name: str, to: str) -> dict[str, Any]:
    return {"name": name, "valueReference": {"reference": to}}


NOBODY = {"name": "nobody", "valueBoolean": True}


@pytest.fixture
def family(api: Any) -> Family:
    return Family(api)


@pytest.fixture(scope="module")
def shared_family(shared_api: Any) -> Family:
    """One for all who are refused."""
    return Family(shared_api)


def told(answer: Any) -> dict[str, list[str]]:
    """What the answer names, by parameter."""
    assert answer.status_code == 200, answer.text
    body = decode(answer.content)
    assert validate(body) == []
    out: dict[str, list[str]] = {}
    for one in body["parameter"]:
        out.setdefault(one["name"], []).append(one["valueReference"]["reference"])
    return out


@pytest.mark.parametrize("of", ["session", "header"])
def test_all_messages_are_about_somebody_else(family, of: str) -> None:
    assert family.subject(family.session) == family.leo
    found = told(family.say(getattr(family, of), ref("patient", family.mia)))
    (record,) = found.pop("provenance")
    assert found == {"corrected": [family.first, family.second], "session": [family.session]}
    for name in (family.session, family.header, family.first, family.second):
        assert family.subject(name) == family.mia
    assert family.read(family.header)["topic"] == {"text": channel_labels()["sms_backup"]}
    provenance = family.read(record)
    assert provenance["target"] == [{"reference": name} for name in found["corrected"]]
    client = {"system": codes.CLIENT, "value": family.api.client.client_id}
    assert provenance["agent"] == [{"who": {"identifier": client, "display": "tests"}}]
    family.take(sms("late", "08:05", "are you there?"), sms("a", "08:00", "Leo has a fever"))
    assert family.subject(family.session) == family.mia
    assert family.api.run(verify(family.api.store, DEFAULT_PROJECT)) == []


@pytest.mark.parametrize("how", ["message", "part"])
def test_one_message_is_about_somebody_else(family, how: str) -> None:
    found = told(
        family.say(family.second, ref("patient", family.mia))
        if how == "message"
        else family.say(family.session, ref("patient", family.mia), ref("message", family.second))
    )
    assert found["corrected"] == [family.second]
    assert found["session"] == [family.session]
    care = {family.subject(one): one for one in found["medical-encounter"]}
    assert care.keys() == {family.leo, family.mia}
    assert family.subject(family.first) == family.leo
    refused = family.say(care[family.leo], ref("patient", family.mia))
    assert refused.status_code == 422
    assert family.session in family.api.texts(refused)[0]


def test_several_patients_or_nobody(family) -> None:
    both = told(family.say(family.session, *(ref("patient", p) for p in (family.leo, family.mia))))
    assert len(both["medical-encounter"]) == 2
    none = told(family.say(family.session, NOBODY))
    assert "medical-encounter" not in none
    assert family.subject(family.session) == ""
    reviews = family.found(f"Task?focus={family.session}&status=requested")
    assert len(reviews) == 1
    # In the URL, with no body at all.
    answer = family.api.call("POST", f"{family.session}/$about?nobody=true")
    assert told(answer)["corrected"] == none["corrected"]


@pytest.mark.parametrize(
    "written", ["{name}", "{url}/fhir/R4/{name}", "{name}/_history/1", "{url}/fhir/R4/{name}/"]
)
def test_references_are_taken_however_they_are_written(family, written: str) -> None:
    text = written.format(name=family.mia, url=family.api.url)
    answer = family.say(family.session, ref("patient", text))
    if text.endswith("/"):
        assert answer.status_code == 400
    else:
        assert told(answer)["session"] == [family.session]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ([], "patient, or nobody"),
        ([{"name": "nobody", "valueBoolean": False}], "patient, or nobody"),
        ([ref("patient", "{mia}"), NOBODY], "not both"),
        ([ref("patient", "Group/1")], "must refer to a Patient"),
        ([ref("patient", "https://elsewhere.example.org/fhir/Patient/1")], "of this server"),
        ([{"name": "patient", "valueString": "{mia}"}], "valueReference"),
        ([{"name": "patient", "valueReference": {"display": "Mia"}}], "with a reference"),
        ([{"name": "patient"}], "valueReference"),
        ([ref("patient", "{mia}"), ref("message", "{mia}")], "must refer to a Communication"),
        ([{"name": "nobody", "valueString": "true"}], "valueBoolean"),
        ([{"name": "nobody", "valueBoolean": "true"}], "true or false"),
        ([ref("patients", "{mia}")], "Unknown parameter of $about: patients"),
        ([{"valueBoolean": True}], "has a name"),
        (["patient"], "has a name"),
    ],
)
def test_parameters_that_make_no_sense(shared_family, parameters: list[Any], says: str) -> None:
    given = decode(encode(parameters).replace(b"{mia}", shared_family.mia.encode()))
    answer = shared_family.say(shared_family.session, *given)
    assert answer.status_code == 400
    assert says in " ".join(shared_family.api.texts(answer))
    assert shared_family.subject(shared_family.session) == shared_family.leo


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "Communication/{never}/$about?nobody=true", 404),
        ("POST", "Encounter/{never}/$about?nobody=true", 404),
        ("POST", "{deleted}/$about?nobody=true", 410),
        ("POST", "{mia}/$about?nobody=true", 404),
        ("POST", "Encounter/$about?nobody=true", 404),
        ("POST", "{session}/$about?nobody=yes", 400),
        ("POST", "{session}/$about?patient={mia}", 400),
        ("GET", "{session}/$about?nobody=true", 405),
        ("POST", "{by_hand}/$about?nobody=true", 422),
    ],
)
def test_what_has_no_such_operation(shared_family, method: str, path: str, status: int) -> None:
    names = {
        "never": shared_family.api.never,
        "mia": shared_family.mia,
        "session": shared_family.session,
        "deleted": "",
        "by_hand": "",
    }
    made = shared_family.api.make("Communication", status="completed")
    names["by_hand"] = f"Communication/{made['id']}"
    gone = shared_family.api.make("Communication", status="completed")
    names["deleted"] = f"Communication/{gone['id']}"
    shared_family.api.call("DELETE", names["deleted"])
    answer = shared_family.api.call(method, path.format(**names))
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert shared_family.subject(shared_family.session) == shared_family.leo


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ([ref("patient", "Patient/none")], "there is no Patient/none"),
        ([NOBODY, ref("message", "Communication/none")], "has no message Communication/none"),
    ],
)
def test_what_is_not_there_is_named(shared_family, parameters: list[Any], says: str) -> None:
    answer = shared_family.say(shared_family.session, *parameters)
    assert answer.status_code == 422
    assert says in shared_family.api.texts(answer)[0]


def test_what_was_billed_is_refused(family) -> None:
    family.api.clock.now += 86_400_000
    tag = [{"op": "add", "path": "/meta/tag", "value": [codes.BILLED]}]
    patch = [*tag, {"op": "replace", "path": "/status", "value": "finished"}]
    answer = family.api.call(
        "PATCH", family.session, patch, content_type="application/json-patch+json"
    )
    assert answer.status_code == 200, answer.text
    refused = family.say(family.header, ref("patient", family.mia))
    assert refused.status_code == 422
    assert "billed" in family.api.texts(refused)[0]
    # Nor does a client change whom it is about, as long as the tag is there.
    body = family.read(family.session)
    other = [{"op": "replace", "path": "/subject", "value": {"reference": family.mia}}]
    json_patch = {"content_type": "application/json-patch+json"}
    for method, what, more in (
        ("PUT", {**body, "subject": {"reference": family.mia}}, {}),
        ("PATCH", other, json_patch),
        ("PATCH", [{"op": "remove", "path": "/subject"}], json_patch),
    ):
        refused = family.api.call(method, family.session, what, **more)
        assert refused.status_code == 422, refused.text
        assert "billed" in family.api.texts(refused)[0]
    without = {name: one for name, one in body.items() if name != "subject"}
    assert family.api.call("PUT", family.session, without).status_code == 200
    assert family.subject(family.session) == family.leo
    assert family.api.run(verify(family.api.store, DEFAULT_PROJECT)) == []
    untagged = [{"op": "remove", "path": "/meta/tag"}]
    assert family.api.call("PATCH", family.session, untagged, **json_patch).status_code == 200
    assert family.api.call("PATCH", family.session, other, **json_patch).status_code == 200
    family.take()
    assert family.subject(family.session) == family.mia
    assert family.api.run(verify(family.api.store, DEFAULT_PROJECT)) == []


def test_nobody_without_a_login_says_anything(family) -> None:
    answer = family.say(family.session, NOBODY, authorization=None)
    assert answer.status_code == 401


def test_in_a_batch_it_is_an_entry_and_no_part_of_a_transaction(family) -> None:
    body = {"resourceType": "Parameters", "parameter": [ref("patient", family.mia)]}
    entries = [
        family.api.entry("POST", f"{family.session}/$about", body),
        family.api.entry("GET", family.session),
        family.api.entry("POST", f"{family.session}/$about"),
    ]
    refused = family.api.bundle("transaction", *entries)
    assert refused.status_code == 400
    assert refused.json()["issue"][0]["expression"] == ["Bundle.entry[0].request.url"]
    assert family.subject(family.session) == family.leo
    answer = family.api.bundle("batch", *entries)
    statuses = [one["response"]["status"] for one in answer.json()["entry"]]
    assert statuses == ["200", "200", "400"]
    corrected, read, _ = (one.get("resource") for one in answer.json()["entry"])
    assert corrected["resourceType"] == "Parameters"
    assert read["subject"]["reference"] == family.mia


@pytest.mark.parametrize("of", ["session", "second"])
def test_who_changes_a_subject_is_named_by_the_next_import(family, of: str) -> None:
    name = getattr(family, of)
    patch = [{"op": "replace", "path": "/subject", "value": {"reference": family.mia}}]
    family.api.clock.now += 60_000
    changed = family.api.call("PATCH", name, patch, content_type="application/json-patch+json")
    assert changed.status_code == 200, changed.text
    family.take()
    (record,) = family.found("Provenance?_sort=-_lastUpdated&_count=1")
    who = family.read(record)["agent"][0]["who"]
    assert who["identifier"] == {"system": codes.CLIENT, "value": family.api.client.client_id}
    assert who["display"] == "Whoever changed the subject"
    assert family.subject(family.second) == family.mia
