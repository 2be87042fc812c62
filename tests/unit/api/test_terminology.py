"""Terminology over HTTP: value sets, code systems and concept maps, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.api.clients import add_client
from threadwell.stores.contract import DEFAULT_PROJECT

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
MINE = "https://practice.example.com/CodeSystem/wards"
V3 = "http://terminology.hl7.org/ValueSet/"
SET = "https://practice.example.com/ValueSet/"


@pytest.fixture
def wards(api: Any) -> Any:
    return with_wards(api)


@pytest.fixture(scope="module")
def shared_wards(shared_api: Any) -> Any:
    return with_wards(shared_api)


def with_wards(api: Any) -> Any:
    """A code system of a practice's own, and value sets of it, each made in another way."""
    entries = []

    def make(type_: str, **members: Any) -> None:
        entries.append(api.entry("POST", type_, {"resourceType": type_, **members}))

    make(
        "CodeSystem",
        url=MINE,
        version="2",
        status="active",
        content="complete",
        caseSensitive=False,
        property=[{"code": "floor", "type": "code"}, {"code": "inactive", "type": "boolean"}],
        concept=[
            {
                "code": "ward",
                "display": "Ward",
                "property": [{"code": "notSelectable", "valueBoolean": True}],
                "concept": [
                    {
                        "code": "north",
                        "display": "Ward Élan, north",
                        "definition": "Where the lifts are.",
                        "designation": [{"language": "de", "value": "Station Nord"}],
                        "property": [{"code": "floor", "valueCode": "2"}],
                        "concept": [{"code": "north-2", "display": "North, second floor"}],
                    },
                    {
                        "code": "south",
                        "display": "South ward",
                        "property": [{"code": "inactive", "valueBoolean": True}],
                    },
                ],
            },
            {"code": "yard", "display": "Yard"},
        ],
    )

    def set_(name: str, *include: dict[str, Any], **compose: Any) -> None:
        compose = {"include": list(include), **compose}
        make("ValueSet", url=SET + name, status="active", compose=compose)

    def is_a(code: str, how: str = "is-a") -> dict[str, Any]:
        return {"system": MINE, "filter": [{"property": "concept", "op": how, "value": code}]}

    set_("all", {"system": MINE})
    set_("below", is_a("north", "descendent-of"))
    set_("north", is_a("north"))
    set_("outside", is_a("ward", "is-not-a"))
    set_("above", is_a("north-2", "generalizes"))
    second = {"property": "floor", "op": "=", "value": "2"}
    set_("second", {"system": MINE, "filter": [second]})
    has = {"property": "floor", "op": "exists", "value": "false"}
    set_("unknown-floor", {"system": MINE, "filter": [has]})
    listed = [{"code": "north", "display": "The north"}, {"code": "gone"}]
    set_("listed", {"system": MINE, "concept": listed})
    set_("both", {"valueSet": [f"{SET}all", f"{SET}listed"]})
    set_("without", {"system": MINE}, exclude=[is_a("north")])
    set_("active", {"system": MINE}, inactive=False)
    set_("round", {"valueSet": [f"{SET}round"]})
    set_("elsewhere", {"system": "http://snomed.info/sct"})
    set_("odd", is_a(".*", "regex"))
    assert api.bundle("transaction", *entries).status_code == 200
    return api


def contents(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    return " ".join(one["code"] for one in answer.json()["expansion"].get("contains", []))


def told(answer: Any) -> dict[str, Any]:
    """The parameters of an answer that have a value of their own."""
    assert answer.status_code == 200, answer.text
    return {
        one["name"]: value
        for one in answer.json()["parameter"]
        for key, value in one.items()
        if key.startswith("value")
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("all", "ward north north-2 south yard"),
        ("below", "north-2"),
        ("north", "north north-2"),
        ("outside", "yard"),
        ("above", "ward north north-2"),
        ("second", "north"),
        ("unknown-floor", "ward north-2 south yard"),
        ("listed", "north gone"),
        ("both", "north"),
        ("without", "ward south yard"),
        ("active", "ward north north-2 yard"),
        ("all&filter=elan", "north"),
        ("all&filter=ward%20n", "north"),
        ("all&filter=NORTH", "north north-2"),
        ("all&filter=zzz", ""),
        ("all&offset=1&count=2", "north north-2"),
        ("all&count=0", ""),
        ("all&activeOnly=true", "ward north north-2 yard"),
        ("all&excludeNotForUI=true", "north north-2 south yard"),
    ],
)
def test_the_codes_of_a_value_set(shared_wards: Any, asked: str, expected: str) -> None:
    answer = shared_wards.call("GET", f"ValueSet/$expand?url={SET}{asked}")
    assert contents(answer) == expected
    body = answer.json()
    assert body["resourceType"] == "ValueSet"
    assert "compose" not in body
    if "offset" in asked:
        assert (body["expansion"]["total"], body["expansion"]["offset"]) == (5, 1)


def test_an_expansion_is_a_value_set_that_could_be_stored(wards: Any) -> None:
    url = f"{SET}all"
    body = wards.call("GET", f"ValueSet/$expand?url={url}&includeDefinition=true").json()
    assert body["compose"] == {"include": [{"system": MINE}]}
    assert body["expansion"]["contains"][0] == {
        "system": MINE,
        "abstract": True,
        "version": "2",
        "code": "ward",
        "display": "Ward",
    }
    assert body["expansion"]["contains"][3]["inactive"] is True
    del body["id"], body["meta"]
    stored = wards.make(**{"type_": body.pop("resourceType"), **body})
    del stored["compose"]
    # What is left has only its expansion to go by.
    again = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": stored}]}
    answer = wards.call("POST", "ValueSet/$expand", again)
    assert contents(answer) == "ward north north-2 south yard"
    assert contents(wards.call("GET", f"ValueSet/{stored['id']}/$expand")).startswith("ward")


def test_what_r4_publishes_is_known(api: Any) -> None:
    url = "http://hl7.org/fhir/ValueSet/event-status"
    answer = api.call("GET", f"ValueSet/$expand?url={url}&filter=not")
    assert contents(answer) == "not-done"
    stored = {"url": url, "version": "9", "status": "draft"}
    include = {"system": "http://hl7.org/fhir/event-status", "concept": [{"code": "completed"}]}
    api.make("ValueSet", **stored, compose={"include": [include]})
    # One of the practice's own goes before it, unless a version is named.
    assert contents(api.call("GET", f"ValueSet/$expand?url={url}")) == "completed"
    assert len(contents(api.call("GET", f"ValueSet/$expand?url={url}|4.0.1")).split()) == 8


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"ValueSet/$expand?url={SET}nowhere", 404, "not known here"),
        ("ValueSet/$expand", 400, "Name the ValueSet"),
        (f"ValueSet/$expand?url={SET}all&colour=1", 400, "Unknown parameter of $expand: colour"),
        (f"ValueSet/$expand?url={SET}all&url=x", 400, "more than once"),
        (f"ValueSet/$expand?url={SET}all&count=-1", 400, "count must be a whole number"),
        (f"ValueSet/$expand?url={SET}all&activeOnly=maybe", 400, "must be true or false"),
        (f"ValueSet/$expand?url={SET}round", 422, "made of itself"),
        (f"ValueSet/$expand?url={SET}elsewhere", 422, "http://snomed.info/sct is not known here"),
        (f"ValueSet/$expand?url={SET}odd", 422, "filters by regex of concept"),
        ("ValueSet/none/$expand", 404, "Not found"),
        (f"ValueSet/$validate-code?url={SET}all", 400, "needs a code"),
        (f"CodeSystem/$lookup?system={MINE}&code=nope", 404, "no such code"),
        ("CodeSystem/$lookup?system=urn:none&code=x", 404, "not known here"),
        ("CodeSystem/$lookup?code=x", 400, "Name the code system"),
        (f"CodeSystem/$subsumes?system={MINE}&codeA=north", 400, "codeB"),
        ("ConceptMap/$translate?code=x&system=urn:x", 400, "Name the ConceptMap"),
    ],
)
def test_what_cannot_be_told_says_why(shared_wards: Any, path: str, status: int, said: str) -> None:
    answer = shared_wards.call("GET", path)
    assert answer.status_code == status, answer.text
    assert said in shared_wards.texts(answer)[0]


@pytest.mark.parametrize(
    "members",
    [
        {"compose": 5},
        {"compose": {"include": ["x"]}},
        {"compose": {"include": [{"valueSet": [5]}]}},
        {"expansion": {"contains": [5]}},
    ],
)
def test_a_value_set_that_is_none_is_refused(shared_api: Any, members: dict[str, Any]) -> None:
    value_set = {"resourceType": "ValueSet", "status": "active", **members}
    parameter = [{"name": "valueSet", "resource": value_set}]
    answer = shared_api.call(
        "POST", "ValueSet/$expand", {"resourceType": "Parameters", "parameter": parameter}
    )
    assert answer.status_code == 400


def test_the_work_for_a_value_set_is_bounded(api: Any) -> None:
    """A hierarchy that goes round, and a value set that asks for it again and again."""
    size = 2000
    concepts = [
        {"code": f"c{n}", "property": [{"code": "parent", "valueCode": f"c{(n + 1) % size}"}]}
        for n in range(size)
    ]
    system = {"url": "urn:round", "status": "active", "content": "complete", "concept": concepts}
    api.make("CodeSystem", **system)

    def asked(parts: int) -> Any:
        filters = [[{"property": "concept", "op": "is-a", "value": f"c{n}"}] for n in range(parts)]
        include = [{"system": "urn:round", "filter": filter_} for filter_ in filters]
        value_set = {
            "resourceType": "ValueSet",
            "status": "active",
            "compose": {"include": include},
        }
        parameter = [
            {"name": "valueSet", "resource": value_set},
            {"name": "count", "valueInteger": 1},
        ]
        body = {"resourceType": "Parameters", "parameter": parameter}
        return api.call("POST", "ValueSet/$expand", body)

    assert asked(3).json()["expansion"]["total"] == size
    refused = asked(200)
    assert refused.status_code == 422
    assert "concepts are looked at" in api.texts(refused)[0]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (f"url={SET}north&system={MINE}&code=north-2", (True, "North, second floor")),
        (f"url={SET}north&code=north-2", (True, "North, second floor")),
        (f"url={SET}north&system={MINE}&code=south", (False, None)),
        (f"url={SET}north&system=urn:other&code=north", (False, None)),
        (f"url={SET}listed&system={MINE}&code=gone", (True, None)),
        (f"url={SET}all&system={MINE}&code=ward&abstract=false", (False, None)),
        (f"url={SET}all&system={MINE}&code=ward&abstract=true", (True, "Ward")),
        (f"url={SET}all&system={MINE}&code=yard&display=YARD", (True, "Yard")),
        (f"url={SET}all&system={MINE}&code=yard&display=Garden", (False, "Yard")),
        ("url=http://hl7.org/fhir/ValueSet/event-status&code=completed", (True, "Completed")),
    ],
)
def test_whether_a_code_is_in_a_value_set(shared_wards: Any, asked: str, expected: Any) -> None:
    found = told(shared_wards.call("GET", f"ValueSet/$validate-code?{asked}"))
    assert (found["result"], found.get("display")) == expected
    assert ("message" in found) == (not found["result"])


def test_a_concept_is_in_where_one_of_its_codes_is(shared_wards: Any) -> None:
    codings = [{"system": "urn:other", "code": "n"}, {"system": MINE, "code": "north"}]
    parameter = [
        {"name": "url", "valueUri": f"{SET}north"},
        {"name": "codeableConcept", "valueCodeableConcept": {"coding": codings}},
    ]
    body = {"resourceType": "Parameters", "parameter": parameter}
    assert told(shared_wards.call("POST", "ValueSet/$validate-code", body))["code"] == "north"
    parameter[0]["valueUri"] = f"{SET}below"
    assert told(shared_wards.call("POST", "ValueSet/$validate-code", body))["result"] is False


def test_whether_a_code_system_has_a_code(shared_wards: Any) -> None:
    asked = f"CodeSystem/$validate-code?url={MINE}&code="
    assert told(shared_wards.call("GET", f"{asked}NORTH"))["code"] == "north"
    assert told(shared_wards.call("GET", f"{asked}east"))["result"] is False
    act = f"CodeSystem/$validate-code?url={ACT}&code="
    assert told(shared_wards.call("GET", f"{act}VR"))["display"] == "virtual"
    # This one minds upper and lower case.
    assert told(shared_wards.call("GET", f"{act}vr"))["result"] is False


def test_what_a_code_means(shared_wards: Any) -> None:
    answer = shared_wards.call("GET", f"CodeSystem/$lookup?system={MINE}&code=north&property=floor")
    found = told(answer)
    assert (found["display"], found["version"]) == ("Ward Élan, north", "2")
    parts = [
        tuple(next(v for k, v in part.items() if k.startswith("value")) for part in one["part"])
        for one in answer.json()["parameter"]
        if "part" in one
    ]
    assert parts == [
        ("de", "Station Nord"),
        ("definition", "Where the lifts are."),
        ("floor", "2"),
        ("parent", "ward"),
        ("child", "north-2"),
    ]
    assert told(shared_wards.call("GET", f"CodeSystem/$lookup?system={ACT}&code=VR"))[
        "display"
    ] == ("virtual")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("ward", "north-2", "subsumes"),
        ("north-2", "ward", "subsumed-by"),
        ("north", "north", "equivalent"),
        ("north", "south", "not-subsumed"),
    ],
)
def test_which_code_stands_above_another(shared_wards: Any, a: str, b: str, expected: str) -> None:
    answer = shared_wards.call("GET", f"CodeSystem/$subsumes?system={MINE}&codeA={a}&codeB={b}")
    assert told(answer) == {"outcome": expected}


def test_a_code_in_another_system(api: Any) -> None:
    def element(code: str, to: str, how: str) -> dict[str, Any]:
        return {"code": code, "target": [{"code": to, "equivalence": how}]}

    group = {
        "source": "urn:a",
        "target": "urn:b",
        "element": [
            element("1", "one", "equivalent"),
            element("2", "many", "wider"),
            {"code": "3", "target": [{"equivalence": "unmatched", "comment": "None."}]},
        ],
        "unmapped": {"mode": "fixed", "code": "other", "display": "Other"},
    }
    map_ = {"url": "urn:map", "status": "active", "targetUri": "urn:set", "group": [group]}
    made = api.make("ConceptMap", **map_)

    def asked(query: str, of: str = "ConceptMap") -> list[tuple[Any, ...]]:
        answer = api.call("GET", f"{of}/$translate?{query}")
        matches = [
            {part["name"]: part for part in one["part"]}
            for one in answer.json()["parameter"]
            if one["name"] == "match"
        ]
        return [
            (told(answer)["result"],),
            *(
                (one["equivalence"]["valueCode"], one["concept"]["valueCoding"]["code"])
                if "concept" in one
                else (one["equivalence"]["valueCode"],)
                for one in matches
            ),
        ]

    assert asked("url=urn:map&system=urn:a&code=1") == [(True,), ("equivalent", "one")]
    assert asked("target=urn:set&code=2") == [(True,), ("wider", "many")]
    assert asked("targetsystem=urn:b&code=9") == [(True,), ("inexact", "other")]
    assert asked("targetSystem=urn:b&code=9") == [(True,), ("inexact", "other")]
    assert asked("targetsystem=urn:c&code=1") == [(False,)]
    assert asked("code=3", f"ConceptMap/{made['id']}") == [(False,), ("unmatched",)]
    back = "url=urn:map&system=urn:b&code=many&reverse=true"
    assert asked(back) == [(True,), ("narrower", "2")]
    known = "url=http://hl7.org/fhir/ConceptMap/sc-account-status&code=active"
    assert asked(known)[0] == (True,)


@pytest.fixture(scope="module")
def visits(shared_wards: Any) -> dict[str, str]:
    """What two encounters are called, by their ids; one is in a ward, and of one it was written."""
    make = shared_wards.make
    north = {"coding": [{"system": MINE, "code": "north-2"}]}
    place = make("Location", type=[north])
    at = [{"location": {"reference": f"Location/{place['id']}"}}]

    def visit(code: str, **more: Any) -> str:
        class_ = {"system": ACT, "code": code}
        made = make("Encounter", status="in-progress", **{"class": class_}, **more)
        return str(made["id"])

    home, virtual = visit("HH", type=[north], location=at), visit("VR")
    make("Communication", status="completed", encounter={"reference": f"Encounter/{virtual}"})
    done = {"system": "http://hl7.org/fhir/event-status", "concept": [{"code": "completed"}]}
    make("ValueSet", url=f"{SET}done", status="active", compose={"include": [done]})
    return {home: "home", virtual: "virtual"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"Encounter?class:below={ACT}|_ActEncounterCode", "home virtual"),
        (f"Encounter?class:below={ACT}|VR", "virtual"),
        (f"Encounter?class:above={ACT}|VR", "virtual"),
        (f"Encounter?location.type:in={SET}north", "home"),
        (f"Encounter?_has:Communication:encounter:status:in={SET}done", "virtual"),
        (
            "Encounter?class:in=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode",
            "home virtual",
        ),
        (f"Encounter?type:in={SET}all", "home"),
        (f"Encounter?type:not-in={SET}all", "virtual"),
        (f"Encounter?type:in={SET}outside", ""),
        (f"Encounter?type:not-in={SET}outside", "home virtual"),
        (f"Encounter?type:in={SET}outside,{SET}north", "home"),
        (f"Encounter?type:below={MINE}|ward", "home"),
        ("Encounter?status:in=http://hl7.org/fhir/ValueSet/encounter-status", "home virtual"),
        (f"Encounter?status:in={SET}done", ""),
    ],
)
def test_searches_by_value_sets_and_hierarchies(
    shared_wards: Any, visits: dict[str, str], query: str, expected: str
) -> None:
    assert " ".join(sorted(visits[id_] for id_ in shared_wards.ids(query))) == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"type:in={SET}nowhere", "is not known here"),
        (f"type:in={SET}elsewhere", "http://snomed.info/sct is not known here"),
        (f"type:below={MINE}", "expected system|code"),
        ("type:below=http://snomed.info/sct|1", "http://snomed.info/sct is not known here"),
        ("type:in=north", "expected the url of a value set"),
        ("type:around=x", "no modifier :around"),
    ],
)
def test_searches_that_cannot_be_told(shared_wards: Any, query: str, said: str) -> None:
    answer = shared_wards.call("GET", f"Encounter?{query}")
    assert answer.status_code == 400
    assert said in shared_wards.texts(answer)[0]


def test_a_condition_names_its_codes(shared_wards: Any) -> None:
    answer = shared_wards.call("DELETE", f"Encounter?type:in={SET}all")
    assert answer.status_code == 400
    assert "these are for searches" in shared_wards.texts(answer)[0]


def test_a_value_set_that_is_hidden_is_not_there(wards: Any) -> None:
    include = [{"system": MINE, "concept": [{"code": "yard"}]}]
    draft = wards.make("ValueSet", url=f"{SET}draft", status="draft", compose={"include": include})
    made_of = [{"valueSet": [f"{SET}draft"]}]
    wards.make("ValueSet", url=f"{SET}made-of", status="active", compose={"include": made_of})

    def limited(name: str, *resource: dict[str, Any]) -> str:
        policy = {"resourceType": "AccessPolicy", "name": name, "resource": list(resource)}
        kept = wards.run(keep_policy(wards.store, DEFAULT_PROJECT, policy))
        client = wards.run(add_client(wards.store, name))
        who = f"ClientApplication/{client.client_id}"
        member = Membership(who, who, (Grant(kept["id"]),))
        wards.run(keep_membership(wards.store, DEFAULT_PROJECT, member))
        return wards.credentials(client.client_id, client.client_secret)

    encounters = {"resourceType": "Encounter"}
    active = {"resourceType": "ValueSet", "criteria": "ValueSet?status=active"}
    systems = {"resourceType": "CodeSystem"}
    some = limited("some", encounters, active, systems)
    for url, there in (("draft", False), ("nowhere", False), ("listed", True), ("made-of", False)):
        answer = wards.call("GET", f"ValueSet/$expand?url={SET}{url}", authorization=some)
        assert (answer.status_code == 200) is there, url
        answer = wards.call("GET", f"Encounter?type:in={SET}{url}", authorization=some)
        assert (answer.status_code == 200) is there, url
    answer = wards.call("GET", f"ValueSet/{draft['id']}/$expand", authorization=some)
    assert answer.status_code == 404
    # Whoever may see no value set at all still has those that everybody knows.
    none = limited("none", encounters)
    known = "status:in=http://hl7.org/fhir/ValueSet/encounter-status"
    assert wards.call("GET", f"Encounter?{known}", authorization=none).status_code == 200
    answer = wards.call("GET", f"Encounter?type:in={SET}listed", authorization=none)
    assert answer.status_code == 400
    answer = wards.call("GET", f"ValueSet/$expand?url={SET}listed", authorization=none)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("parameter", "where"),
    [
        ([[{"name": "code", "valueCode": "a"}]], "Parameters.parameter[0]"),
        (["code"], "Parameters.parameter[0]"),
        ([{"valueCode": "a"}], "Parameters.parameter[0]"),
        ([{"name": "code", "valueCode": None}], "Parameters.parameter[0]"),
        ([{"name": "code", "valueCode": ["a"]}], "Parameters.parameter[0]"),
        ({"name": "code"}, "Parameters.parameter"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        *("ValueSet/$validate-code", "CodeSystem/$lookup", "Patient/$everything", "$export"),
        *("$viewdefinition-run", "Encounter/$open-session"),
    ],
)
def test_what_is_no_parameter(new_api, path: str, parameter: object, where: str) -> None:
    body = {"resourceType": "Parameters", "parameter": parameter}
    answer = new_api().call("POST", path, body, prefer="respond-async")
    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0].get("expression", [where]) == [where]
