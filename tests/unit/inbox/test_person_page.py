"""A person says on the pages whose an address is: what was held for it has its place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import Settings, import_messages
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
DANA = Address(AddressKind.PHONE, "+12075550177")
EVE = Address(AddressKind.PHONE, "+12075550155")
OTHER = Address(AddressKind.PHONE, "+12075550199")


def text(id_: str, sender: Address, hour: int, *to: Address) -> Message:
    sent = datetime(2024, 3, 12, hour, tzinfo=UTC)
    return Message(
        *("sms_backup", id_, sender, to or (OFFICE,), sent, "hello", "hello", sender.value),
        medium="SMSWRIT",
    )


class Desk:
    """Dana has written twice; Leo and Mia are patients, Rosa writes for Leo."""

    def __init__(self, store: Any, put: Any, run: Any, browser: Any) -> None:
        self._store, self._run, self.browser = store, run, browser
        for given in ("Leo", "Mia"):
            name = [{"given": [given], "family": "Castell"}]
            put({"resourceType": "Patient", "id": given.lower(), "name": name})
        put(
            {
                "resourceType": "RelatedPerson",
                "id": "rosa",
                "patient": {"reference": "Patient/leo"},
                "name": [{"text": "Rosa Castell"}],
                "telecom": [{"system": "email", "value": "rosa@example.org"}],
            }
        )
        self.take(text("1", DANA, 8), text("2", DANA, 9))

    def take(self, *messages: Message) -> None:
        settings = Settings(owner=(OFFICE,))
        self._run(import_messages(Seat(self._store, DEFAULT_PROJECT, settings), messages))

    @property
    def path(self) -> str:
        page = self.browser.get("/quarantine").text
        return str(re.findall(r'href="(/quarantine/[0-9a-f-]{36})"', page)[0]) + "/person"

    def all(self, type_: str) -> list[dict[str, Any]]:
        page = self._run(self._store.search(DEFAULT_PROJECT, Query(type_, count=100)))
        return [decode(one.body) for one in page.matches]

    def having(self, address: Address) -> list[dict[str, Any]]:
        people = [*self.all("Patient"), *self.all("RelatedPerson"), *self.all("Practitioner")]
        return [
            one
            for one in people
            if address.value in [point["value"] for point in one.get("telecom", ())]
        ]

    @property
    def held(self) -> int:
        tasks = [one for one in self.all("Task") if one["status"] == "requested"]
        return sum(one["code"]["coding"][0]["code"] == "quarantine" for one in tasks)


@pytest.fixture
def desk(store: Any, put: Any, run: Any, browser_as: Any) -> Desk:
    return Desk(store, put, run, browser_as("ines", "Dr. Ines Alvarado"))


def test_somebody_is_found_with_relatives(desk: Desk) -> None:
    page = desk.browser.post(desk.path, name="leo", act="find").text
    assert re.findall(r'name="who" value="([^"]+)"', page) == ["Patient/leo", "RelatedPerson/rosa"]
    assert "Related person of Leo Castell" in page
    page = desk.browser.post(desk.path, name="Nobody", act="find").text
    assert "Nobody is called <bdi>Nobody</bdi>" in page


@pytest.mark.parametrize(
    ("who", "subject"),
    [
        (["Patient/mia"], "Patient/mia"),
        (["RelatedPerson/rosa"], "Patient/leo"),
    ],
)
def test_the_address_is_theirs_and_what_was_held_is_placed(
    desk: Desk, who: list[str], subject: str, run: Any, store: Any
) -> None:
    assert desk.held == 2
    answer = desk.browser.post(desk.path, who=who, act="theirs")
    assert answer.headers["location"] == "/quarantine?placed=2"
    assert "2 messages have their place now." in desk.browser.get("/quarantine?placed=2").text
    assert desk.held == 0
    (having,) = desk.having(DANA)
    assert f"{having['resourceType']}/{having['id']}" == who[0]
    assert [one["subject"]["reference"] for one in desk.all("Encounter")] == [subject]
    stored = run(store.read(DEFAULT_PROJECT, having["resourceType"], having["id"]))
    assert stored.author == "Practitioner/ines"
    records = [one for one in desk.all("Provenance") if one["target"] == [{"reference": who[0]}]]
    named = {"reference": "Practitioner/ines", "display": "Dr. Ines Alvarado"}
    assert [one["agent"] for one in records] == [[{"who": named}]]


def test_other_addresses_of_theirs_stay(desk: Desk) -> None:
    desk.browser.post(desk.path, who="RelatedPerson/rosa", act="theirs")
    (rosa,) = desk.having(DANA)
    assert [one["value"] for one in rosa["telecom"]] == ["rosa@example.org", DANA.value]


def test_a_new_patient_has_it(desk: Desk) -> None:
    fields = {"given": " Dana  Lee ", "family": "O'Neil", "born": "1990-02-03"}
    answer = desk.browser.post(desk.path, act="new", **fields)
    assert answer.headers["location"] == "/quarantine?placed=2"
    (dana,) = desk.having(DANA)
    assert dana["name"] == [{"family": "O'Neil", "given": ["Dana", "Lee"]}]
    assert dana["birthDate"] == "1990-02-03"
    assert "Dana Lee O&#39;Neil" in desk.browser.get("/").text


def test_a_relative_of_two_patients_has_it(desk: Desk) -> None:
    fields = {"rgiven": "Dana", "rfamily": "Castell", "relationship": "mother"}
    both = ["Patient/leo", "Patient/mia"]
    desk.browser.post(desk.path, act="relative", who=both, **fields)
    having = desk.having(DANA)
    assert sorted(one["patient"]["reference"] for one in having) == both
    assert {one["relationship"][0]["text"] for one in having} == {"mother"}
    assert desk.held == 0
    assert "Patient unclear" in desk.browser.get("/").text


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"act": "theirs"}, 400, "tick them"),
        ({"act": "relative", "rgiven": "Dana"}, 400, "tick them"),
        ({"act": "relative", "who": "RelatedPerson/rosa", "rgiven": "D"}, 400, "patients alone"),
        ({"act": "relative", "who": "Patient/leo"}, 400, "Write the name first"),
        ({"act": "new"}, 400, "Write the name first"),
        ({"act": "new", "given": "Dana", "born": "1990-02-31"}, 400, "is no day"),
        ({"act": "new", "given": "Dana", "born": "2990-02-03"}, 422, "a day to come"),
        ({"act": "theirs", "who": "Patient/none"}, 422, "There is no Patient"),
        ({"act": "theirs", "who": "Organization/x"}, 422, "There is no Patient"),
        ({}, 400, "Press one of the buttons"),
    ],
)
def test_a_mistake_is_told_and_what_was_filled_in_stays(
    desk: Desk, fields: dict[str, Any], status: int, says: str
) -> None:
    answer = desk.browser.post(desk.path, **fields)
    assert (answer.status_code, says in unescape(answer.text)) == (status, True)
    for name in ("given", "rgiven"):
        if fields.get(name) and "rgiven" not in name:
            assert f'value="{fields[name]}"' in answer.text
    assert (desk.held, desk.having(DANA)) == (2, [])


def test_pressed_twice_it_is_one_person(desk: Desk) -> None:
    path = desk.path
    for _ in range(2):
        answer = desk.browser.post(path, act="new", given="Dana")
    assert answer.status_code == 404
    assert len(desk.having(DANA)) == 1


def test_of_several_addresses_one_is_chosen(desk: Desk) -> None:
    desk.browser.post(desk.path, act="new", given="Dana")
    desk.take(text("3", OFFICE, 10, EVE, OTHER))
    page = desk.browser.get(desk.path).text
    asked = re.findall(r'name="address" value="([^"]+)"', page)
    assert asked == [EVE.value, OTHER.value]
    assert desk.browser.post(desk.path, act="new", given="Eve").status_code == 400
    desk.browser.post(desk.path, act="new", given="Eve", address=OTHER.value)
    assert len(desk.having(OTHER)) == 1


@pytest.mark.parametrize("headers", [{"origin": "https://other.example"}])
def test_only_our_own_page_says_it(desk: Desk, headers: dict[str, str]) -> None:
    answer = desk.browser.post(desk.path, headers, act="new", given="Dana")
    assert (answer.status_code, desk.held) == (403, 2)


@pytest.mark.parametrize("path", ["/quarantine/none/person"])
def test_there_is_no_form_for_what_is_not_held(desk: Desk, path: str) -> None:
    assert desk.browser.get(path).status_code == 404
    assert desk.browser.post(path, act="new", given="Dana").status_code == 404
