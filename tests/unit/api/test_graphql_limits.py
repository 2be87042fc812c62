"""``$graphql``: what is refused, and the ways to ask."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.unit.api.conftest import Api
from threadwell.api.graphql import answering, document, fetching, running
from threadwell.stores.memory import MemoryStore

JSON = "application/json"

REFUSED: list[tuple[str, str, str]] = [
    ("{ PatientList { nothing } }", "invalid", "Cannot query field 'nothing'"),
    ("{ PatientList { id }", "invalid", "Syntax Error"),
    ("{ PatientList }", "invalid", "must have a selection"),
    ("query($a: Int) { PatientList(_id: $a) { id } }", "invalid", "Variable '$a'"),
    ("query A { __typename } query B { __typename }", "invalid", "operationName"),
    ("{ PatientList { ...F } } fragment F on Patient { ...F }", "invalid", "within itself"),
    ("subscription { PatientList { id } }", "invalid", "subscription"),
    ("", "invalid", "no query"),
    ("{" * 5_000, "invalid", "Syntax Error"),
    ("{ PatientList { " + "name { family } " * 400 + "} }", "too-costly", "one name"),
    ("{" + " ".join(f"a{n}: __typename" for n in range(1_001)) + "}", "too-costly", "fields"),
    ("#" * (document.MAX_TEXT + 1), "too-costly", "characters"),
    # Each fragment names the next one twice.
    ("{ PatientList { ...F0 } }" + "".join(
        f" fragment F{n} on Resource {{ ...F{n + 1} ...F{n + 1} }}" for n in range(20)
    ) + " fragment F20 on Resource { id }", "too-costly", "fragments included"),
    # As deep as references go.
    ("{ PatientList {" + " generalPractitioner { resource { ... on Patient {" * 13
     + " id " + "} } }" * 13 + "} }", "too-costly", "levels"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "code", "text"), REFUSED)
def test_what_is_refused_is_an_outcome(query: str, code: str, text: str) -> None:
    api = _plain()
    answer = api.call("POST", "$graphql", {"query": query}, content_type=JSON)
    assert answer.status_code == 400, answer.text
    (issue, *_) = answer.json()["issue"]
    assert issue["code"] == code
    assert text in issue["details"]["text"]


_PLAIN: list[Api] = []


def _plain() -> Api:
    """A server in memory with one patient, for what is refused before it is asked."""
    if not _PLAIN:
        _PLAIN.append(Api())
        _PLAIN[0].make("Patient", name=[{"family": "Ash"}])
    return _PLAIN[0]


@pytest.mark.parametrize(
    ("module", "limit", "query"),
    [
        (fetching, "MAX_SEARCHES", "{ PatientList { id } }"),
        (fetching, "MAX_RESOURCES", "{ PatientList { id } }"),
        (running, "MAX_VALUES", "{ PatientList { id } }"),
        (answering, "MAX_ANSWER", "{ PatientList { id } }"),
        (answering, "MAX_ANSWER", "{ __schema { types { name } } }"),
    ],
)
def test_too_much_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch, module: Any, limit: str, query: str
) -> None:
    api = _plain()
    assert api.call("POST", "$graphql", {"query": query}, content_type=JSON).status_code == 200
    monkeypatch.setattr(module, limit, 0)
    answer = api.call("POST", "$graphql", {"query": query}, content_type=JSON)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "too-costly")


def test_a_query_that_takes_too_long_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(MemoryStore):
        async def search(self, *of: Any) -> Any:
            await asyncio.sleep(60)

    monkeypatch.setattr(answering, "LONGEST", 0.01)
    answer = Api(store=Slow()).call("POST", "$graphql", {"query": "{ PatientList { id } }"})
    assert answer.status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "$graphql?query=%7BPatientList%7Bid%7D%7D", None, {}, 200),
        ("GET", "$graphql?query=query(%24n:String)%7BPatientList(name:%24n)%7Bid%7D%7D"
         "&variables=%7B%22n%22:%22a%22%7D", None, {}, 200),
        ("GET", "$graphql?query=mutation%7BPatientDelete(id:%221%22)%7Bid%7D%7D", None, {}, 405),
        ("GET", "$graphql", None, {}, 400),
        ("POST", "$graphql", b"{ PatientList { id } }", {"content_type": "application/graphql"},
         200),
        ("POST", "$graphql", {"query": "{ PatientList { id } }"}, {}, 200),
        ("POST", "$graphql", b"{", {"content_type": JSON}, 400),
        ("POST", "$graphql", [], {"content_type": JSON}, 400),
        ("POST", "$graphql", {"query": 5}, {"content_type": JSON}, 400),
        ("POST", "$graphql", {"query": "{__typename}", "variables": []}, {}, 400),
        ("POST", "$graphql", {"query": "{__typename}", "operationName": 1}, {}, 400),
        ("POST", "$graphql", b"x", {"content_type": "text/plain"}, 415),
        ("PUT", "$graphql", {}, {}, 405),
        ("POST", "$graphql", {"query": "{__typename}"}, {"authorization": None}, 401),
        ("GET", "$graphql?query=%7B__typename%7D", None, {"accept": "text/turtle"}, 406),
    ],
)  # fmt: skip
def test_ways_to_ask(method: str, path: str, body: Any, headers: Any, status: int) -> None:
    answer = _plain().call(method, path, body, **headers)
    assert answer.status_code == status, answer.text


def test_mutations(api: Api) -> None:
    """Each is what a client would do by itself: with its checks, and its versions."""

    def ask(query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = api.call("POST", "$graphql", body, content_type=JSON)
        assert answer.status_code == 200, answer.text
        return answer.json()

    create = "mutation($res: PatientCreate!) { PatientCreate(res: $res) { id name { family } } }"
    made = ask(create, res={"name": [{"family": "Ash"}]})["data"]["PatientCreate"]
    assert made["name"] == [{"family": "Ash"}]
    id_ = made["id"]
    update = """mutation($id: ID!, $f: String!) { PatientUpdate(id: $id, res: {
                resourceType: "Patient", id: $id, name: [{family: $f}], active: true}) {
                active name { family } meta { versionId } } }"""
    changed = ask(update, id=id_, f="Elm")["data"]["PatientUpdate"]
    assert (changed["active"], changed["name"]) == (True, [{"family": "Elm"}])
    assert api.versions("Patient", id_) == 2
    refused = ask(create, res={"gender": "unheard of", "resourceType": "Patient"})
    assert refused["data"] == {"PatientCreate": None}
    assert refused["errors"][0]["extensions"]["code"] == "code-invalid"
    other = ask(create, res={"resourceType": "Group"})
    assert other["errors"][0]["path"] == ["PatientCreate"]
    assert api.ids("Group") == []
    gone = ask('mutation { PatientDelete(id: "' + id_ + '") { id } }')
    assert gone == {"data": {"PatientDelete": None}}
    assert api.call("GET", f"Patient/{id_}").status_code == 410


def test_in_a_bundle(api: Api) -> None:
    """A batch may ask; a transaction may not, as a mutation would be written by itself."""
    entry = api.entry("POST", "$graphql", {"query": "{ PatientList { id } }"})
    (answer,) = api.bundle("batch", entry).json()["entry"]
    assert answer["response"]["status"] == "200"
    assert api.bundle("transaction", entry).status_code == 400


def test_numbers_keep_their_digits(api: Api) -> None:
    text = '{"resourceType":"Observation","status":"final","code":{"text":"x"},'
    body = text + '"valueQuantity":{"value":1.50}}'
    assert api.call("POST", "Observation", body.encode()).status_code == 201
    query = "{ ObservationList { valueQuantity { value } } }"
    answer = api.call("POST", "$graphql", {"query": query}, content_type=JSON)
    assert '"value":1.50' in answer.text
    assert json.loads(answer.text)["data"]["ObservationList"][0]["valueQuantity"] == {"value": 1.5}
