"""A reference is one thing however it is written: in searches, bundles and operations over HTTP."""

from __future__ import annotations

import pytest

FHIR = "http://testserver/fhir/R4"


def found(api, query: str) -> set[str]:
    answer = api.call("GET", query)
    assert answer.status_code == 200, answer.text
    return {one["resource"]["id"] for one in answer.json().get("entry", ())}


@pytest.fixture
def messages(api) -> tuple[str, dict[str, str]]:
    """A patient, and messages about them by the way in which each says so."""
    ana = api.make(name=[{"family": "Prado"}])["id"]
    version = api.call("GET", f"Patient/{ana}").json()["meta"]["versionId"]
    ways = {
        "relative": f"Patient/{ana}",
        "absolute": f"{FHIR}/Patient/{ana}",
        "capitals": f"HTTP://TestServer:80/fhir/R4/Patient/{ana}",
        "versioned": f"Patient/{ana}/_history/{version}",
        "both": f"{FHIR}/Patient/{ana}/_history/{version}",
    }
    made = {
        way: api.make("Communication", status="completed", subject={"reference": text})["id"]
        for way, text in ways.items()
    }
    return ana, made


@pytest.mark.parametrize(
    "query",
    [
        "Communication?subject=Patient/{ana}",
        "Communication?subject={ana}",
        "Communication?subject:Patient={ana}",
        "Communication?subject={fhir}/Patient/{ana}",
        "Communication?subject=HTTP://TESTSERVER:80/fhir/R4/Patient/{ana}",
        "Communication?subject=Patient/{ana}/_history/7",
        "Communication?subject:Patient.name=prado",
        "Communication?patient.name=prado",
        "Patient/{ana}/$everything",
        "Patient?_id={ana}&_revinclude=Communication:subject",
        "Patient?_id={ana}&_revinclude=*",
    ],
)
def test_each_way_to_write_it_is_found(api, messages, query) -> None:
    ana, made = messages
    assert found(api, query.format(ana=ana, fhir=FHIR)) - {ana} == set(made.values())


def test_each_way_to_write_it_is_included(api, messages) -> None:
    ana, made = messages
    for id_ in made.values():
        query = f"Communication?_id={id_}&_include=Communication:subject"
        assert found(api, query) == {id_, ana}
    assert found(api, "Patient?_has:Communication:subject:_id=" + made["absolute"]) == {ana}


def test_the_url_stays_as_it_was_written(api, messages) -> None:
    ana, made = messages
    subject = api.call("GET", f"Communication/{made['absolute']}").json()["subject"]
    assert subject == {"reference": f"{FHIR}/Patient/{ana}"}


def test_a_url_of_somebody_else_is_no_reference_to_us(api) -> None:
    ana = api.make(name=[{"family": "Prado"}])["id"]
    elsewhere = f"https://elsewhere.example.org/fhir/Patient/{ana}"
    id_ = api.make("Communication", status="completed", subject={"reference": elsewhere})["id"]
    assert found(api, f"Communication?subject=Patient/{ana}") == set()
    assert found(api, f"Communication?subject={elsewhere}") == {id_}
    assert found(api, f"Communication?subject={elsewhere}/_history/3") == {id_}
    assert found(api, f"Communication?_id={id_}&_include=Communication:subject") == {id_}


def test_a_server_has_the_names_of_a_machine_for_itself(new_api) -> None:
    api = new_api(also_at=["http://127.0.0.1:8103", "https://old.example.org/"])
    ana = api.make(name=[{"family": "Prado"}])["id"]
    for base in ("http://localhost:8103", "http://[::1]:8103", "https://old.example.org"):
        text = f"{base}/fhir/R4/Patient/{ana}"
        id_ = api.make("Communication", status="completed", subject={"reference": text})["id"]
        assert id_ in found(api, f"Communication?subject=Patient/{ana}")
    assert (
        len(found(api, f"Communication?subject=http://localhost:8103/fhir/R4/Patient/{ana}")) == 3
    )


@pytest.fixture
def asked(api) -> tuple[str, str, dict[str, str]]:
    """A questionnaire with a name, and answers by the way in which each names it."""
    url = "https://example.org/fhir/Questionnaire/asked"
    body = {"status": "active", "title": "Intake", "url": url, "version": "2"}
    id_ = api.make("Questionnaire", **body)["id"]
    ways = {
        "plain": url,
        "versioned": f"{url}|2",
        "relative": f"Questionnaire/{id_}",
        "absolute": f"{FHIR}/Questionnaire/{id_}",
    }
    made = {
        way: api.make("QuestionnaireResponse", status="completed", questionnaire=text)["id"]
        for way, text in ways.items()
    }
    other = {"status": "completed", "questionnaire": f"{url}|1"}
    made["other"] = api.make("QuestionnaireResponse", **other)["id"]
    return url, id_, made


@pytest.mark.parametrize(
    ("query", "ways"),
    [
        ("questionnaire=Questionnaire/{id}", "plain versioned relative absolute"),
        ("questionnaire={id}", "plain versioned relative absolute"),
        ("questionnaire={fhir}/Questionnaire/{id}", "plain versioned relative absolute"),
        ("questionnaire={url}", "plain versioned relative absolute other"),
        ("questionnaire={url}|2", "versioned relative absolute"),
        ("questionnaire={url}|1", "other"),
        ("questionnaire:not=Questionnaire/{id}", "other"),
        ("questionnaire.title=intake", "plain versioned relative absolute"),
        ("questionnaire:Questionnaire.status=active", "plain versioned relative absolute"),
    ],
)
def test_a_canonical_is_one_thing_by_name_and_by_id(api, asked, query, ways) -> None:
    url, id_, made = asked
    text = query.format(id=id_, url=url, fhir=FHIR)
    wanted = {made[way] for way in ways.split()}
    assert found(api, f"QuestionnaireResponse?{text}") == wanted


def test_a_name_is_followed_both_ways(api, asked) -> None:
    _, id_, made = asked
    for way in ("plain", "versioned", "relative", "absolute"):
        query = f"QuestionnaireResponse?_id={made[way]}"
        include = "_include=QuestionnaireResponse:questionnaire"
        assert found(api, f"{query}&{include}") == {made[way], id_}
        assert found(
            api, f"Questionnaire?_has:QuestionnaireResponse:questionnaire:_id={made[way]}"
        ) == {id_}
    referring = "_revinclude=QuestionnaireResponse:questionnaire"
    assert found(api, f"Questionnaire?_id={id_}&{referring}") == {*made.values(), id_} - {
        made["other"]
    }


def test_the_version_that_is_named_is_included(api) -> None:
    ana = api.make(gender="male")
    version = ana["meta"]["versionId"]
    text = f"Patient/{ana['id']}/_history/{version}"
    id_ = api.make("Communication", status="completed", subject={"reference": text})["id"]
    now = {"resourceType": "Patient", "id": ana["id"], "gender": "other"}
    assert api.call("PUT", f"Patient/{ana['id']}", now).status_code == 200
    query = f"Communication?_id={id_}&_include=Communication:subject"
    _, included = api.call("GET", query).json()["entry"]
    assert included["resource"] == ana
    assert included["search"] == {"mode": "include"}


def test_a_conditional_reference_may_be_our_own_url(api) -> None:
    ana = api.make(identifier=api.tagged("ana"))["id"]
    head = api.make(
        "Communication", status="completed", subject={"reference": f"{FHIR}/Patient/{ana}"}
    )
    part = {
        "status": "completed",
        "partOf": [{"reference": f"Communication?subject=Patient/{ana}"}],
    }
    made = api.make("Communication", **part)
    assert made["partOf"] == [{"reference": f"Communication/{head['id']}"}]
