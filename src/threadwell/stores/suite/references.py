"""References, however they are written: to one's own URLs, to names, to versions and within."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.stores.contract import DEFAULT_PROJECT, START
from threadwell.stores.suite.scenario import Contract, Desk, reading, scenario

_BASE = "https://fhir.clinic.example/fhir/R4"
_OLD = "http://fhir.clinic.example:8103/fhir/R4"
_ELSEWHERE = "https://elsewhere.example.org/fhir"
_OTHER = "f3c1b0a2-0000-4000-8000-000000000003"


def _ref(to: str) -> dict[str, str]:
    return {"reference": to}


def _patient(id_: str, family: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "name": [{"family": family}], **more}


def _message(id_: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "id": id_,
        "status": "completed",
        "subject": _ref(subject),
        **more,
    }


#: One patient, and messages about them that each write it in another way, but for the last two.
WAYS: tuple[dict[str, Any], ...] = (
    _patient("ana", "Prado"),
    _message("relative", "Patient/ana"),
    _message("absolute", f"{_BASE}/Patient/ana"),
    _message("capitals", "HTTPS://FHIR.clinic.example:443/fhir/R4/Patient/ana"),
    _message("versioned", "Patient/ana/_history/1"),
    _message("both", f"{_BASE}/Patient/ana/_history/1"),
    _message("former", f"{_OLD}/Patient/ana"),
    _message("foreign", f"{_ELSEWHERE}/Patient/ana"),
    _message("longer", f"{_BASE}/more/Patient/ana"),
)
_SAME = "absolute both capitals former relative versioned"

#: Search → the ids of what it finds, in any order.
OWN: dict[str, str] = {
    "Communication?subject=Patient/ana": _SAME,
    "Communication?subject=ana": _SAME,
    f"Communication?subject={_ELSEWHERE}/Patient/ana": "foreign",
    "Communication?subject:not=Patient/ana": "foreign longer",
    "Communication?subject:Patient.family=prado": _SAME,
    "Communication?patient.family=prado": _SAME,
    "Communication?subject=Patient/ana&status=completed": _SAME,
    "Communication?subject=Patient/ana&part-of:missing=true&_sort=-_lastUpdated": _SAME,
    "Patient?_has:Communication:subject:status=completed": "ana",
    "Patient?_has:Communication:subject:_id=capitals": "ana",
    "Patient?_has:Communication:subject:_id=foreign": "",
}

_ASKED = "https://example.org/fhir/Questionnaire/asked"
#: Questionnaires, and answers that refer to them by name or by id.
NAMES: tuple[dict[str, Any], ...] = (
    {
        "resourceType": "Questionnaire",
        "id": "nine",
        "status": "active",
        "url": _ASKED,
        "version": "1.9",
        "title": "Intake",
    },
    {
        "resourceType": "Questionnaire",
        "id": "ten",
        "status": "active",
        "url": _ASKED,
        "version": "1.10",
        "title": "Intake, revised",
    },
    {
        "resourceType": "Questionnaire",
        "id": "other",
        "status": "retired",
        "url": "https://example.org/fhir/Questionnaire/other",
        "title": "Other",
    },
    *(
        {
            "resourceType": "QuestionnaireResponse",
            "id": id_,
            "status": "completed",
            "questionnaire": questionnaire,
        }
        for id_, questionnaire in {
            "plain": _ASKED,
            "old": f"{_ASKED}|1.9",
            "new": f"{_ASKED}|1.10",
            "lost": f"{_ASKED}|3",
            "by-id": "Questionnaire/nine",
            "by-url": f"{_BASE}/Questionnaire/nine",
            "unversioned": "https://example.org/fhir/Questionnaire/other",
            "overversioned": "https://example.org/fhir/Questionnaire/other|1",
            "nowhere": "https://example.org/fhir/Questionnaire/nowhere",
        }.items()
    ),
)

NAMED: dict[str, str] = {
    f"QuestionnaireResponse?questionnaire={_ASKED}": "plain old new lost",
    f"QuestionnaireResponse?questionnaire={_ASKED}|1.9": "old",
    "QuestionnaireResponse?questionnaire=Questionnaire/nine": "by-id by-url",
    "QuestionnaireResponse?questionnaire=nine": "by-id by-url",
    f"QuestionnaireResponse?questionnaire:not={_ASKED}": (
        "by-id by-url unversioned overversioned nowhere"
    ),
    "QuestionnaireResponse?questionnaire.title=intake": "plain old new by-id by-url",
    "QuestionnaireResponse?questionnaire.title=revised": "",
    "QuestionnaireResponse?questionnaire.version=1.10": "plain new",
    "QuestionnaireResponse?questionnaire.status=retired": "unversioned",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=plain": "nine ten",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=new": "ten",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=by-id,by-url": "nine",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=lost,nowhere,overversioned": "",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed": "nine ten other",
}

#: Search → what it includes, ``Type/id``, in any order.
NAMED_INCLUDES: dict[str, str] = {
    "_id=plain&_include=QuestionnaireResponse:questionnaire": "ten",
    "_id=old&_include=QuestionnaireResponse:questionnaire": "nine",
    "_id=plain,old&_include=QuestionnaireResponse:questionnaire:Questionnaire": "nine ten",
    "_id=by-id&_include=QuestionnaireResponse:*": "nine",
    "_id=by-url&_include=*": "nine",
    "_id=lost,nowhere,overversioned&_include=QuestionnaireResponse:questionnaire": "",
    "_id=unversioned&_include=QuestionnaireResponse:questionnaire": "other",
}
NAMED_REFERRING: dict[str, str] = {
    "_id=nine&_revinclude=QuestionnaireResponse:questionnaire": "plain old by-id by-url",
    "_id=ten&_revinclude=QuestionnaireResponse:questionnaire": "plain new",
    "_id=ten&_revinclude=QuestionnaireResponse:*": "plain new",
    "_id=other&_revinclude=*": "unversioned",
}


def _request(id_: str, contained: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": "active",
        "intent": "order",
        "subject": _ref("Patient/ana"),
        "contained": contained,
        "medicationReference": _ref(f"#{contained[0]['id']}") if contained else {"display": "x"},
        **more,
    }


def _medication(id_: str, code: str, **more: Any) -> dict[str, Any]:
    coding = {"system": "https://example.org/medications", "code": code}
    return {
        "resourceType": "Medication",
        "id": id_,
        "ingredient": [{"itemCodeableConcept": {"coding": [coding]}}],
        **more,
    }


#: Requests that contain their medications, or refer to them.
WITHIN: tuple[dict[str, Any], ...] = (
    _patient("ana", "Prado"),
    {"resourceType": "Organization", "id": "maker", "name": "Maker"},
    _medication("stock", "a", batch={"expirationDate": "2027-03"}),
    _request("refers", [], medicationReference=_ref("Medication/stock")),
    _request("holds", [_medication("m", "a")]),
    _request(
        "made",
        [
            _medication(
                "m",
                "b",
                manufacturer=_ref("#o"),
                batch={"expirationDate": "2026-05", "lotNumber": "L-7"},
            ),
            {"resourceType": "Organization", "id": "o", "name": "Makers' Guild"},
        ],
    ),
    _request("bought", [_medication("m", "c", manufacturer=_ref("Organization/maker"))]),
    # Contained, and not what the parameter refers to.
    _request("beside", [_medication("m", "b"), _medication("n", "a")]),
    {
        "resourceType": "Condition",
        "id": "hers",
        "contained": [_patient("p", "Verde", birthDate="1990-02-03", active=True)],
        "subject": _ref("#p"),
    },
    {
        "resourceType": "Condition",
        "id": "theirs",
        "contained": [
            {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "name": "Verde"}
        ],
        "subject": _ref("#g"),
    },
)

CONTAINED: dict[str, str] = {
    "MedicationRequest?medication.ingredient-code=a": "refers holds",
    "MedicationRequest?medication.ingredient-code=https://example.org/medications|b": "made beside",
    "MedicationRequest?medication.ingredient-code=a,b": "refers holds made beside",
    "MedicationRequest?medication.ingredient-code:not=a": "made bought beside",
    "MedicationRequest?medication.ingredient-code=x": "",
    "MedicationRequest?medication.lot-number=l-7": "made",
    "MedicationRequest?medication.expiration-date=ge2026": "refers made",
    "MedicationRequest?medication.expiration-date=2026-05": "made",
    "MedicationRequest?medication.lot-number:missing=false": "made",
    "MedicationRequest?medication.lot-number:missing=true": "refers holds bought beside",
    "MedicationRequest?medication.manufacturer.name=maker": "made bought",
    "MedicationRequest?medication.manufacturer:Organization.name=guild": "",
    "MedicationRequest?medication.manufacturer:Organization.name=makers": "made",
    "MedicationRequest?medication.manufacturer=Organization/maker": "bought",
    "MedicationRequest?medication.ingredient-code=b&status=active": "made beside",
    "MedicationRequest?medication._id=m": "",
    "MedicationRequest?medication._id=stock": "refers",
    "MedicationRequest?medication._lastUpdated=ge2000": "refers",
    "Condition?subject:Patient.family=verde": "hers",
    "Condition?patient.family=verde": "hers",
    "Condition?patient.birthdate=lt2000": "hers",
    "Condition?subject:Patient.active=true&subject:Patient.name=ver": "hers",
    "Condition?patient:missing=false": "hers",
    "Condition?subject:missing=false": "hers theirs",
    "Patient?_has:MedicationRequest:subject:medication.ingredient-code=b": "ana",
    "Patient?_has:MedicationRequest:subject:medication.ingredient-code=x": "",
    "Patient?name=verde": "",
}


async def _names(desk: Desk) -> None:
    await desk.store.known_as(_BASE)
    await desk.commit(*map(desk.write, NAMES))


async def _within(desk: Desk) -> None:
    await desk.commit(*map(desk.write, WITHIN))


class References(Contract):
    """``known_as``, canonicals, versions and contained resources."""

    @pytest.mark.parametrize("first", [True, False])
    @pytest.mark.parametrize(("search", "expected"), OWN.items())
    @scenario
    async def test_a_reference_below_an_own_base(
        self, desk: Desk, search: str, expected: str, first: bool
    ) -> None:
        if first:
            await desk.store.known_as(_BASE, _OLD)
        await desk.commit(*map(desk.write, WAYS))
        if not first:
            await desk.store.known_as(_BASE)
            await desk.store.known_as(_OLD)
        assert sorted(await desk.ids(search)) == sorted(expected.split())

    @scenario
    async def test_bases_are_told_in_one_form(self, desk: Desk) -> None:
        assert await desk.store.known_as() == frozenset()
        known = await desk.store.known_as("HTTPS://FHIR.clinic.example:443/fhir/R4/")
        assert known == {_BASE}
        assert await desk.store.known_as(_OLD) == {_BASE, _OLD}
        assert await desk.store.known_as() == {_BASE, _OLD}

    @scenario
    async def test_without_a_base_a_url_is_somebody_elses(self, desk: Desk) -> None:
        await desk.commit(*map(desk.write, WAYS))
        assert await desk.ids("Communication?subject=Patient/ana") == ["relative", "versioned"]
        found = await desk.ids(f"Communication?subject={_BASE}/Patient/ana")
        assert found == ["absolute", "capitals", "both"]

    @scenario
    async def test_what_lies_below_a_base_is_included(self, desk: Desk) -> None:
        await desk.store.known_as(_BASE)
        await desk.commit(*map(desk.write, WAYS))
        for id_ in ("absolute", "capitals"):
            page = await desk.search(f"Communication?_id={id_}&_include=Communication:subject")
            assert [stored.id for stored in page.included] == ["ana"]
        page = await desk.search("Patient?_id=ana&_revinclude=Communication:subject")
        assert [s.id for s in page.included] == [
            "relative",
            "absolute",
            "capitals",
            "versioned",
            "both",
        ]

    @scenario
    async def test_an_update_and_a_deletion_leave_no_trace(self, desk: Desk) -> None:
        written = await desk.put(WAYS[0], _message("m", f"{_BASE}/Patient/ana"))
        await desk.store.known_as(_BASE)
        assert await desk.ids("Communication?subject=Patient/ana") == ["m"]
        (moved,) = await desk.put(_message("m", f"{_BASE}/Patient/ben"))
        assert await desk.ids("Communication?subject=Patient/ana") == []
        assert await desk.ids("Communication?subject=Patient/ben") == ["m"]
        await desk.put(_message("m", "Patient/ben"))
        assert await desk.ids("Communication?subject=Patient/ben") == ["m"]
        await desk.put(_message("m", f"{_BASE}/Patient/ben"))
        await desk.commit(desk.deletion(await desk.must_read("Communication", "m")))
        assert await desk.ids("Communication?subject=Patient/ben") == []
        assert moved.type == written[1].type

    @scenario
    async def test_each_project_has_the_bases(self, desk: Desk) -> None:
        for project in (DEFAULT_PROJECT, _OTHER):
            await desk.put(WAYS[0], _message("m", f"{_BASE}/Patient/ana"), project=project)
        await desk.store.known_as(_BASE)
        for project in (DEFAULT_PROJECT, _OTHER):
            assert await desk.ids("Communication?subject=Patient/ana", project) == ["m"]

    @scenario
    async def test_what_was_written_stays_as_it_was(self, desk: Desk) -> None:
        stored = await desk.put(*WAYS)
        await desk.store.known_as(_BASE)
        versions = await desk.store.versions(DEFAULT_PROJECT, START, 100)
        assert [version.stored for version in versions] == stored

    @pytest.mark.parametrize(("search", "expected"), NAMED.items())
    @reading(_names)
    async def test_a_name_leads_to_what_has_it(
        self, desk: Desk, search: str, expected: str
    ) -> None:
        assert sorted(await desk.ids(search)) == sorted(expected.split())

    @pytest.mark.parametrize(("search", "expected"), NAMED_INCLUDES.items())
    @reading(_names)
    async def test_a_name_is_included(self, desk: Desk, search: str, expected: str) -> None:
        page = await desk.search(f"QuestionnaireResponse?{search}")
        assert sorted(stored.id for stored in page.included) == sorted(expected.split())

    @pytest.mark.parametrize(("search", "expected"), NAMED_REFERRING.items())
    @reading(_names)
    async def test_what_refers_by_name_is_included(
        self, desk: Desk, search: str, expected: str
    ) -> None:
        page = await desk.search(f"Questionnaire?{search}")
        assert sorted(stored.id for stored in page.included) == sorted(expected.split())

    @pytest.mark.parametrize(("search", "expected"), CONTAINED.items())
    @reading(_within)
    async def test_a_chain_looks_within(self, desk: Desk, search: str, expected: str) -> None:
        assert sorted(await desk.ids(search)) == sorted(expected.split())

    @scenario
    async def test_what_is_no_longer_contained_is_not_found(self, desk: Desk) -> None:
        await desk.commit(*map(desk.write, WITHIN))
        await desk.put(_request("holds", [_medication("m", "z")]), _request("made", []))
        assert await desk.ids("MedicationRequest?medication.ingredient-code=a") == ["refers"]
        assert await desk.ids("MedicationRequest?medication.ingredient-code=z") == ["holds"]
        assert await desk.ids("MedicationRequest?medication.manufacturer.name=makers") == []

    @scenario
    async def test_a_version_that_is_referred_to_is_included(self, desk: Desk) -> None:
        (first,) = await desk.put(_patient("ana", "Prado", gender="female"))
        (second,) = await desk.put(_patient("ana", "Prado", gender="other"))
        await desk.put(
            _message("old", f"Patient/ana/_history/{first.version_id}"),
            _message("new", f"Patient/ana/_history/{second.version_id}"),
            _message("any", "Patient/ana"),
            _message("none", "Patient/ana/_history/nothing"),
        )
        for asked, expected in {
            "old": [first],
            "new": [second],
            "any": [second],
            "none": [],
            "old,new,any": [first, second],
        }.items():
            page = await desk.search(
                f"Communication?_id={asked}&_include=Communication:subject&_sort=-_id"
            )
            assert sorted(page.included) == sorted(expected)
        await desk.commit(desk.deletion(second))
        page = await desk.search("Communication?_include=Communication:subject")
        assert sorted(page.included) == sorted([first, second])

    @scenario
    async def test_everything_that_refers(self, desk: Desk) -> None:
        await desk.commit(*map(desk.write, [*WAYS[:2], *WITHIN[1:5]]))
        page = await desk.search("Patient?_id=ana&_revinclude=*")
        found = [f"{stored.type}/{stored.id}" for stored in page.included]
        assert sorted(found) == [
            "Communication/relative",
            "MedicationRequest/holds",
            "MedicationRequest/refers",
        ]
        page = await desk.search("Medication?_id=stock&_revinclude=MedicationRequest:*")
        assert [stored.id for stored in page.included] == ["refers"]
