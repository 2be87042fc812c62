"""The practice is one Organization, whether messages or its people come first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from threadwell.intake import import_people
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.sqlite import SqliteStore

ROW = {
    "kind": "organization",
    "id": "o1",
    "family": "Harbour Lane",
    "phone": "+12125550190",
    "chat": "telegram:user900",
}


@pytest.fixture(params=["memory", "sqlite"])
def either(request: Any, practice: Any, tmp_path: Any) -> Any:
    """The practice, over both stores."""
    if request.param == "sqlite":
        practice.store = SqliteStore.open(tmp_path / "one.db")
        practice.patient("ana", "+12125550111", given="Ana")
    yield practice
    if request.param == "sqlite":
        practice.run(practice.store.close())


def _people(practice: Any, *rows: dict[str, str]) -> tuple[int, int, int]:
    report = practice.run(import_people(practice.store, DEFAULT_PROJECT, rows))
    return report.new, report.changed, report.known


@pytest.mark.parametrize("first", ["messages", "people"])
def test_the_row_is_the_practice(either: Any, sms: Any, first: str) -> None:
    if first == "messages":
        either.take(sms("1", "09:00"))
        [made] = either.all("Organization")
        assert _people(either, ROW) == (0, 1, 0)
        assert either.all("Organization")[0]["id"] == made["id"]
    else:
        assert _people(either, ROW) == (1, 0, 0)
        either.take(sms("1", "09:00"))
    assert _people(either, ROW) == (0, 0, 1)
    chat = Address(AddressKind.OTHER, "telegram:user900")
    either.take(replace(sms("2", "10:00", out=True), sender=chat))
    [practice] = either.all("Organization")
    assert practice["name"] == "Harbour Lane"
    assert [one["value"] for one in practice["telecom"]] == ["+12125550190", "telegram:user900"]
    reference = f"Organization/{practice['id']}"
    said = [one for one in either.live("Communication") if "partOf" in one]
    assert [one["sender"]["reference"] for one in said] == ["Patient/ana", reference]
    assert said[0]["recipient"][0]["reference"] == reference
    assert _people(either, {**ROW, "family": "Harbour Quay"}) == (0, 1, 0)
    assert either.all("Organization")[0]["name"] == "Harbour Quay"


def test_of_several_rows_it_is_the_one_with_its_address(practice: Any, sms: Any) -> None:
    practice.take(sms("1", "09:00"))
    [made] = practice.all("Organization")
    lab = {"kind": "organization", "id": "lab", "family": "Laboratory", "phone": "+12125550191"}
    assert _people(practice, lab, {**ROW, "phone": "212-555-0100"}) == (1, 1, 0)
    names = {one["id"]: one["name"] for one in practice.all("Organization")}
    assert names.pop(made["id"]) == "Harbour Lane"
    assert list(names.values()) == ["Laboratory"]


def test_where_it_does_not_show_none_is_taken_over(practice: Any, sms: Any) -> None:
    practice.take(sms("1", "09:00"))
    lab = {"kind": "organization", "id": "lab", "family": "Laboratory", "phone": "+12125550191"}
    assert _people(practice, lab, ROW) == (2, 0, 0)
    assert sorted(one["name"] for one in practice.all("Organization")) == [
        "Harbour Lane",
        "Laboratory",
        "This practice",
    ]


def test_who_named_the_practice_by_hand_has_it_in_the_row(practice: Any) -> None:
    phone = [{"system": "phone", "value": "+12125550190"}]
    npi = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1"}
    practice.put("Organization", "ours", name="Harbor", telecom=phone, identifier=[npi])
    for expected in ((0, 1, 0), (0, 0, 1)):
        assert _people(practice, ROW) == expected
        [one] = practice.all("Organization")
        assert (one["id"], one["name"], npi in one["identifier"]) == ("ours", "Harbour Lane", True)
    assert _people(practice, {**ROW, "id": "o2", "phone": "", "chat": ""}) == (1, 0, 0)


def test_one_that_is_not_active_is_not_the_practice(practice: Any, sms: Any) -> None:
    practice.take(sms("1", "09:00"))
    [made] = practice.all("Organization")
    own = {name: made[name] for name in ("identifier", "telecom", "name")}
    practice.put("Organization", made["id"], **own, active=False)
    assert _people(practice, ROW) == (1, 0, 0)
    practice.take(sms("2", "10:00", out=True))
    reference = next(
        f"Organization/{one['id']}" for one in practice.all("Organization") if one["active"]
    )
    said = [one for one in practice.live("Communication") if "partOf" in one]
    assert said[1]["sender"]["reference"] == reference
