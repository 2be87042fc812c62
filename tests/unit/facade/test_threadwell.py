"""FHIR's verbs from Python, on a store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

import threadwell
from threadwell.intake import BadSetting

PATIENT = {"resourceType": "Patient", "name": [{"family": "Prado"}]}


@pytest.fixture
def tw() -> Iterator[threadwell.Threadwell]:
    with threadwell.open(":memory:") as opened:
        yield opened


def test_a_resource_lives_and_dies(tw: threadwell.Threadwell) -> None:
    made = tw.create_resource(PATIENT)
    assert tw.read_resource("Patient", made["id"]) == made
    changed = tw.update_resource({**made, "active": True})
    patched = tw.patch_resource(
        "Patient", made["id"], [{"op": "replace", "path": "/active", "value": False}]
    )
    assert (changed["active"], patched["active"]) == (True, False)
    history = tw.request("GET", f"Patient/{made['id']}/_history")
    assert len(history["entry"]) == 3
    tw.delete_resource("Patient", made["id"])
    with pytest.raises(threadwell.OperationOutcomeError) as refused:
        tw.read_resource("Patient", made["id"])
    assert refused.value.status == 410
    assert refused.value.outcome["id"] == "gone"


def test_the_callers_resource_is_left_alone(tw: threadwell.Threadwell) -> None:
    before = {"resourceType": "Patient", "name": [{"family": "Prado"}]}
    tw.create_resource(before)
    assert before == PATIENT


@pytest.mark.parametrize(
    "parameters",
    [
        {"family": "prado", "_count": 5},
        {"family": ["pra", "prado"]},
        [("family", "prado"), ("family", "pra")],
        "family=prado",
        "?family=prado",
        {"active:missing": True, "family": "prado"},
        {"given:exact": "Ana Lúcia"},
        {"phone": "+12125550100"},
    ],
)
def test_a_search_is_asked_for_in_many_ways(tw: threadwell.Threadwell, parameters: Any) -> None:
    made = tw.create_resource(
        {
            "resourceType": "Patient",
            "name": [{"family": "Prado", "given": ["Ana Lúcia"]}],
            "telecom": [{"system": "phone", "value": "+12125550100"}],
        }
    )
    tw.create_resource({"resourceType": "Patient", "active": True, "name": [{"family": "Other"}]})
    assert [found["id"] for found in tw.search_resources("Patient", parameters)] == [made["id"]]


def test_a_search_is_a_bundle(tw: threadwell.Threadwell) -> None:
    bundle = tw.search("Patient", {"_total": "accurate"})
    assert (bundle["type"], bundle["total"]) == ("searchset", 0)
    assert tw.search_resources("Patient") == []


@pytest.mark.parametrize("parameters", ["_count=3", {"_count": 3}, None, "_sort=family&_count=4"])
def test_a_search_goes_on_beyond_a_page(tw: threadwell.Threadwell, parameters: Any) -> None:
    made = {tw.create_resource(PATIENT)["id"] for _ in range(10)}
    found = [patient["id"] for patient in tw.search_all("Patient", parameters)]
    assert len(found) == 10
    assert set(found) == made


def test_it_reads_no_page_before_it_is_needed(tw: threadwell.Threadwell) -> None:
    for _ in range(5):
        tw.create_resource(PATIENT)
    found = tw.search_all("Patient", "_count=2")
    next(found)
    tw.close()
    assert next(found)["resourceType"] == "Patient"
    with pytest.raises(threadwell.StoreError):
        next(found)


def test_what_is_included_comes_once(tw: threadwell.Threadwell) -> None:
    patient = tw.create_resource(PATIENT)
    for _ in range(4):
        subject = {"reference": f"Patient/{patient['id']}"}
        tw.create_resource(
            {"resourceType": "Communication", "status": "completed", "subject": subject}
        )
    query = "_include=Communication:subject&_count=2"
    found = [one["resourceType"] for one in tw.search_all("Communication", query)]
    assert found == ["Communication"] * 2 + ["Patient"] + ["Communication"] * 2


def test_a_time_is_searched_for_as_it_is(tw: threadwell.Threadwell) -> None:
    tw.create_resource({**PATIENT, "birthDate": "2016-05-01"})
    assert len(tw.search_resources("Patient", {"birthdate": date(2016, 5, 1)})) == 1
    since = datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert len(tw.search_resources("Patient", {"_lastUpdated": [since]})) == 0


def test_create_may_be_conditional(tw: threadwell.Threadwell) -> None:
    patient = {**PATIENT, "identifier": [{"system": "urn:mrn", "value": "7"}]}
    first = tw.create_resource(patient, if_none_exist="identifier=urn:mrn|7")
    assert tw.create_resource(patient, if_none_exist="identifier=urn:mrn|7") == first


@pytest.mark.parametrize("stale", [True, False])
def test_a_change_may_name_the_version_that_it_follows(
    tw: threadwell.Threadwell, stale: bool
) -> None:
    first = tw.create_resource(PATIENT)
    second = tw.update_resource({**first, "active": True})
    version = (first if stale else second)["meta"]["versionId"]
    operations = [{"op": "replace", "path": "/active", "value": False}]
    if not stale:
        assert not tw.patch_resource("Patient", first["id"], operations, if_match=version)["active"]
        return
    with pytest.raises(threadwell.OperationOutcomeError) as refused:
        tw.patch_resource("Patient", first["id"], operations, if_match=version)
    assert refused.value.status == 412


@pytest.mark.parametrize(
    ("resource", "status", "words"),
    [
        ({"resourceType": "Communication"}, 400, "Communication.status"),
        ({"resourceType": "Nothing"}, 404, "Unknown resource type: Nothing"),
        ({"resourceType": "Patient", "foo": 1}, 400, "Patient.foo"),
    ],
)
def test_what_is_refused_says_why(
    tw: threadwell.Threadwell, resource: dict[str, Any], status: int, words: str
) -> None:
    with pytest.raises(threadwell.OperationOutcomeError, match=words) as refused:
        tw.create_resource(resource)
    assert refused.value.status == status
    assert refused.value.outcome["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda tw: tw.create_resource({}), "The resource has no resourceType"),
        (lambda tw: tw.create_resource({"resourceType": None}), "The resource has no resourceType"),
        (lambda tw: tw.update_resource({}), "The resource has no resourceType"),
        (lambda tw: tw.update_resource(PATIENT), r"id of the resource is missing \(Patient.id\)"),
        (lambda tw: tw.read_resource("Patient", ""), r"id of the resource is missing"),
        (lambda tw: tw.read_resource("", "1"), r"type of the resource is missing"),
        (lambda tw: tw.read_resource("Patient", "1?_elements=id"), "no resource of the id"),
        (lambda tw: tw.read_resource("Patient", "none"), r"Not found \(GET Patient/none\)"),
        (lambda tw: tw.read_resource("Nothing", "1"), "Unknown resource type: Nothing"),
        (lambda tw: tw.patch_resource("Patient", "none", []), r"Not found \(PATCH Patient/none\)"),
        (lambda tw: tw.delete_resource("Patient", "none"), r"Not found \(DELETE Patient/none\)"),
        (lambda tw: tw.search("Nothing"), "Unknown resource type: Nothing"),
        (lambda tw: tw.search(""), "There is no resource type ''"),
        (lambda tw: tw.search("Patient", {"foo": 1}), "Unknown search parameter: foo"),
        (lambda tw: list(tw.search_all("Patient", "foo=1")), "Unknown search parameter: foo"),
    ],
)
def test_what_is_wrong_is_named(
    tw: threadwell.Threadwell, wrong: Callable[[threadwell.Threadwell], Any], words: str
) -> None:
    with pytest.raises(threadwell.OperationOutcomeError, match=words) as refused:
        wrong(tw)
    assert refused.value.outcome["issue"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda tw: tw.create_resource([]), "a resource is a dict .* not of type list"),
        (lambda tw: tw.create_resource(None), "a resource is a dict .* not of type NoneType"),
        (lambda tw: tw.update_resource("Patient"), "a resource is a dict .* not of type str"),
        (
            lambda tw: tw.read_resource("Patient", 5),
            "id of a resource is text, not of type int",
        ),
        (lambda tw: tw.patch_resource("Patient", "1", {}), "a patch is a list .* not of type dict"),
        (lambda tw: tw.patch_resource("Patient", "1", "x"), "a patch is a list .* not of type str"),
        (lambda tw: tw.search("Patient", 5), "search parameters are .* not of type int"),
        (
            lambda tw: tw.search("Patient", {"family": None}),
            "family takes .* not NoneType",
        ),
        (lambda tw: tw.search("Patient", [("family",)]), "are pairs"),
        (lambda tw: tw.search("Patient", ["family=x"]), "are pairs"),
        (lambda tw: tw.request("GET", None), "a request is a method and a path"),
        (lambda tw: tw.import_messages(5), "what to import is a path"),
        (lambda tw: tw.held(None), "named by its Task"),
        (lambda tw: threadwell.open(None), "a store is a path or URL, not of type NoneType"),
    ],
)
def test_a_value_of_a_wrong_kind_is_named(
    tw: threadwell.Threadwell, wrong: Callable[[Any], Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        wrong(tw)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "late",
    [
        lambda tw: tw.create_resource(PATIENT),
        lambda tw: tw.search_resources("Patient"),
        lambda tw: tw.sessions(),
        lambda tw: tw.verify(),
        lambda tw: tw.care_zone,
        lambda tw: tw.add_client("x"),
        lambda tw: tw.import_messages("."),
    ],
)
def test_a_closed_store_says_that_it_is(
    tw: threadwell.Threadwell, late: Callable[[threadwell.Threadwell], Any]
) -> None:
    tw.close()
    with pytest.raises(threadwell.StoreError, match="the store is closed"):
        late(tw)


@pytest.mark.parametrize("prefix", ["", "/", "fhir/R4/", "/fhir/R4/"])
def test_a_path_may_begin_with_the_base(tw: threadwell.Threadwell, prefix: str) -> None:
    made = tw.create_resource(PATIENT)
    assert tw.request("GET", f"{prefix}Patient/{made['id']}") == made


def test_a_transaction_is_a_request(tw: threadwell.Threadwell) -> None:
    entry = {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}
    assert len(tw.request("POST", "", bundle)["entry"]) == 2
    assert tw.search("Patient", {"_summary": "count"})["total"] == 2


def test_clients_come_and_go(tw: threadwell.Threadwell) -> None:
    made = tw.add_client("billing")
    assert tw.rotate_client(made.client_id).client_secret != made.client_secret
    assert [client.name for client in tw.clients()] == ["billing"]
    tw.revoke_client(made.client_id)
    assert not tw.has_client(made.client_id)
    for end in (tw.revoke_client, tw.rotate_client):
        with pytest.raises(LookupError, match="there is no client"):
            end(made.client_id)


def test_it_serves_many_threads(tw: threadwell.Threadwell) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: tw.create_resource(PATIENT)["id"], range(40)))
    assert len(ids) == 40


def test_it_works_where_a_loop_is_running(tw: threadwell.Threadwell) -> None:
    async def notebook() -> str:
        return tw.create_resource(PATIENT)["id"]

    assert asyncio.run(notebook())


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("", "no name"),
        ("mysql://host/db", "no store is known for mysql://"),
        ("sqlite://host/db", "three slashes"),
        ("sqlite://", "three slashes"),
        ("nowhere/at/all.db", "there is no folder nowhere/at"),
    ],
)
def test_a_store_that_cannot_be_opened_says_why(store: str, words: str) -> None:
    with pytest.raises(threadwell.StoreError, match=words):
        threadwell.open(store)


def test_closing_twice_is_once(tw: threadwell.Threadwell) -> None:
    tw.close()
    tw.close()


def test_it_works_on_postgresql(postgres_url: str) -> None:
    with threadwell.open(postgres_url) as tw:
        made = tw.create_resource(PATIENT)
    with threadwell.open(postgres_url, create=False) as tw:
        assert tw.search_resources("Patient", {"family": "prado"}) == [made]


def test_a_sign_in_link_names_somebody_who_is_there(tw: threadwell.Threadwell) -> None:
    made = tw.create_resource({"resourceType": "Practitioner", "name": [{"family": "Alvarado"}]})
    assert "/sign-in/" in tw.sign_in_link(who=f"Practitioner/{made['id']}")
    tw.update_resource({**made, "active": False})
    for who in (f"Practitioner/{made['id']}", "Practitioner/none", "Patient/1", "Ines", "../x"):
        with pytest.raises(BadSetting):
            tw.sign_in_link(who=who)
