"""Everything that an import writes is valid R4, and care of one patient meets US Core's Encounter.

Of US Core only the elements are looked at that the profile requires or names as must-support, and
that messages can tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import threadwell
from tests.corpora.cases import add, case_names, clock_of, messages_of, read_case, settings_of
from threadwell.encounters import codes
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.validation import validate
from threadwell.intake import import_messages
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.sqlite import SqliteStore

SAMPLE = Path(__file__).parents[2] / "sample"
_CLINICAL = {codes.SNOMED, "http://www.ama-assn.org/go/cpt"}
_TAKE_PART = ("Practitioner/", "PractitionerRole/", "RelatedPerson/")


@pytest.mark.parametrize("name", [*case_names(), "the sample practice"])
def test_everything_is_valid(name: str, tmp_path: Path) -> None:
    assert [
        (one["resourceType"], issue) for one in written(name, tmp_path) for issue in validate(one)
    ] == []


@pytest.mark.parametrize("name", [*case_names(), "the sample practice"])
def test_care_of_one_patient_meets_us_core(name: str, tmp_path: Path) -> None:
    everything = written(name, tmp_path)
    practice = [one for one in everything if one["resourceType"] == "Organization"]
    for one in everything:
        if one["resourceType"] == "Encounter" and one["status"] != "entered-in-error":
            about = one.get("subject", {}).get("reference", "")
            if about.startswith("Patient/"):
                assert_essentials(one, practice)
            elif about:
                assert_every_patient_has_care(one, everything)
            else:
                assert_somebody_is_asked(one, everything)


def assert_essentials(encounter: dict[str, Any], practice: list[dict[str, Any]]) -> None:
    assert encounter["meta"]["lastUpdated"]
    assert all(one["system"] and one["value"] for one in encounter["identifier"])
    assert encounter["status"] in ("in-progress", "finished")
    assert (encounter["class"]["system"], encounter["class"]["code"]) == (codes.ACT_CODE, "VR")
    systems = {coding["system"] for type_ in encounter["type"] for coding in type_["coding"]}
    assert systems & _CLINICAL
    assert encounter["period"]["start"]
    assert ("end" in encounter["period"]) == (encounter["status"] == "finished")
    for participant in encounter.get("participant", ()):
        assert participant["type"][0]["coding"][0]["system"] == codes.PARTICIPATION_TYPE
        whole, own = encounter["period"], participant["period"]
        assert parse_fhir_time(whole["start"]) <= parse_fhir_time(own["start"])
        assert parse_fhir_time(own["start"]) <= parse_fhir_time(own["end"])
        assert participant["individual"]["reference"].startswith(_TAKE_PART)
    provider = encounter["serviceProvider"]["reference"]
    assert provider in {f"Organization/{one['id']}" for one in practice}


def assert_every_patient_has_care(
    session: dict[str, Any], everything: list[dict[str, Any]]
) -> None:
    (group,) = [
        one for one in everything if f"Group/{one['id']}" == session["subject"]["reference"]
    ]
    assert (group["type"], group["actual"], group["quantity"]) == (
        "person",
        True,
        len(group["member"]),
    )
    care = [
        one
        for one in everything
        if one.get("partOf") == {"reference": f"Encounter/{session['id']}"}
        and one["status"] != "entered-in-error"
    ]
    assert sorted(one["subject"]["reference"] for one in care) == sorted(
        one["entity"]["reference"] for one in group["member"]
    )


def assert_somebody_is_asked(session: dict[str, Any], everything: list[dict[str, Any]]) -> None:
    (task,) = [
        one
        for one in everything
        if one["resourceType"] == "Task"
        and one.get("focus") == {"reference": f"Encounter/{session['id']}"}
    ]
    assert task["status"] == "requested"


def written(name: str, folder: Path) -> list[dict[str, Any]]:
    """All that is in a store after the import of a case, of whatever type."""

    async def read() -> list[dict[str, Any]]:
        async with _imported(name, folder) as store:
            pages = [
                await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
                for type_ in sorted(RESOURCE_TYPES)
            ]
        return [decode(stored.body) for page in pages for stored in page.matches]

    if name not in case_names():
        _import_sample(folder)
    return asyncio.run(read())


@asynccontextmanager
async def _imported(name: str, folder: Path) -> AsyncIterator[Store]:
    if name in case_names():
        case, store = read_case(name), MemoryStore()
        await add(store, case["people"])
        settings, messages = settings_of(case), messages_of(case)
        await import_messages(
            Seat(store, DEFAULT_PROJECT, settings, clock=lambda: clock_of(case)), messages
        )
        yield store
    else:
        kept = SqliteStore.open(folder / "sample.db")
        yield kept
        await kept.close()


def _import_sample(folder: Path) -> None:
    with threadwell.open(folder / "sample.db") as tw:
        tw.import_messages(SAMPLE, people=SAMPLE / "people.csv", zone="America/New_York")
