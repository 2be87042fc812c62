"""``$graphql``: each line of a table is one query and what comes of it; on each kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.conftest import Api
from threadwell.api.graphql import fetching
from threadwell.stores.contract import Store

JSON = "application/json"


class Practice:
    """Two threads of three messages each, of one patient and one practitioner."""

    def __init__(self, api: Api) -> None:
        self.api = api
        name = [{"use": "official", "family": "Ash", "given": ["Ida", "Lou"]}, {"use": "old"}]
        self.patient = self._make("Patient", name=name, active=True)
        self.doctor = self._make("Practitioner", name=[{"family": "Bell"}])
        patient, doctor = ({"reference": one} for one in (self.patient, self.doctor))
        self.threads = [
            self._make("Communication", status="in-progress", topic={"text": t}, subject=patient)
            for t in ("Rash", "Refill")
        ]
        self.messages = [
            self._make(
                "Communication",
                status="completed",
                partOf=[{"reference": thread}],
                sender=patient,
                recipient=[doctor],
                sent=f"2031-0{at}-01T10:00:00Z",
                payload=[{"contentString": f"{at} of {topic}"}],
            )
            for thread, topic in zip(self.threads, ("Rash", "Refill"), strict=True)
            for at in (1, 2, 3)
        ]
        self.names = {
            **{f"thread{n}": ref.partition("/")[2] for n, ref in enumerate(self.threads)},
            "patient": self.patient.partition("/")[2],
            "doctor": self.doctor.partition("/")[2],
            "never": api.never,
        }

    def _make(self, type_: str, **members: Any) -> str:
        # Ids are in the order of time.
        self.api.clock.now += 1000
        return f"{type_}/{self.api.make(type_, **members)['id']}"

    def ask(self, query: str, **more: Any) -> Any:
        answer = self.api.call(
            "POST", "$graphql", {"query": self.filled(query), **more}, content_type=JSON
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(JSON)
        return answer.json()

    def filled(self, query: str) -> str:
        for name, id_ in self.names.items():
            query = query.replace(f"<{name}>", id_)
        return query


@pytest.fixture
def practice(api: Api) -> Practice:
    return Practice(api)


#: A query, and its data; every query of one practice.
FOUND: list[tuple[str, Any]] = [
    # One resource by its id, as it is stored.
    (
        '{ Patient(id: "<patient>") { resourceType active name { family given } } }',
        {
            "Patient": {
                "resourceType": "Patient",
                "active": True,
                "name": [
                    {"family": "Ash", "given": ["Ida", "Lou"]},
                    {"family": None, "given": None},
                ],
            }
        },
    ),
    # A list of threads with their messages, the last first, as an inbox asks for them.
    (
        """{ CommunicationList(part_of: "Communication/<thread0>", _sort: "-sent") {
             payload { contentString }
             sender { resource { ... on Patient { name(use: "official") { family } } } }
             recipient { resource { __typename ... on Practitioner { name { family } } } } } }""",
        {
            "CommunicationList": [
                {
                    "payload": [{"contentString": f"{at} of Rash"}],
                    "sender": {"resource": {"name": [{"family": "Ash"}]}},
                    "recipient": [
                        {"resource": {"__typename": "Practitioner", "name": [{"family": "Bell"}]}}
                    ],
                }
                for at in (3, 2, 1)
            ]
        },
    ),
    # What refers to each of several, each with its own count.
    (
        """{ CommunicationList(subject: "Patient/<patient>", _sort: "_id") {
             topic { text }
             CommunicationList(_reference: part_of, _sort: "-sent", _count: 2) { sent } } }""",
        {
            "CommunicationList": [
                {
                    "topic": {"text": topic},
                    "CommunicationList": [
                        {"sent": "2031-03-01T10:00:00Z"},
                        {"sent": "2031-02-01T10:00:00Z"},
                    ],
                }
                for topic in ("Rash", "Refill")
            ]
        },
    ),
    # ... and its own offset; who has none has an empty list.
    (
        """{ CommunicationList(status: "in-progress", _sort: "_id") {
             CommunicationList(_reference: part_of, _sort: "sent", _offset: 2) { sent }
             TaskList(_reference: focus) { id } } }""",
        {
            "CommunicationList": [
                {"CommunicationList": [{"sent": "2031-03-01T10:00:00Z"}], "TaskList": []}
            ]
            * 2
        },
    ),
    # A reverse list of one, and of a filter of its own.
    (
        """{ Patient(id: "<patient>") {
             CommunicationList(_reference: sender, sent: "ge2031-03", _sort: "_id") {
               payload { contentString } } } }""",
        {
            "Patient": {
                "CommunicationList": [
                    {"payload": [{"contentString": "3 of Rash"}]},
                    {"payload": [{"contentString": "3 of Refill"}]},
                ]
            }
        },
    ),
    # Fragments, aliases, and fields that are named twice.
    (
        """query Q { a: Patient(id: "<patient>") { ...P name { given } }
                     b: PractitionerList { name { ...N } ... { id @skip(if: true) } } }
           fragment P on Patient { name { ...N } } fragment N on HumanName { family }""",
        {
            "a": {
                "name": [
                    {"family": "Ash", "given": ["Ida", "Lou"]},
                    {"family": None, "given": None},
                ]
            },
            "b": [{"name": [{"family": "Bell"}]}],
        },
    ),
    # Lists within a resource are narrowed.
    (
        """{ PatientList { a: name(_count: 1) { use } b: name(_offset: 1) { use }
             c: name(fhirpath: "given.exists() and family.startsWith('A')") { use }
             d: name(use: "none") { use } e: name { given(_offset: 1, _count: 5) } } }""",
        {
            "PatientList": [
                {
                    "a": [{"use": "official"}],
                    "b": [{"use": "old"}],
                    "c": [{"use": "official"}],
                    "d": [],
                    "e": [{"given": ["Lou"]}, {"given": None}],
                }
            ]
        },
    ),
    # A page of a connection.
    (
        """{ CommunicationConnection(_count: 2, _offset: 1, status: "completed") {
             count offset pageSize previous edges { mode score resource { status } } } }""",
        {
            "CommunicationConnection": {
                "count": 6,
                "offset": 1,
                "pageSize": 2,
                "previous": None,
                "edges": [
                    {"mode": "match", "score": None, "resource": {"status": "completed"}}
                ]
                * 2,
            }
        },
    ),
    ('{ PatientList(name: "nobody") { id } PatientConnection { count } }',
     {"PatientList": [], "PatientConnection": {"count": 1}}),
    # The schema tells of itself.
    (
        '{ __typename __type(name: "Task") { kind fields { name } } }',
        None,
    ),
]  # fmt: skip


def test_what_is_found(practice: Practice) -> None:
    for query, data in FOUND:
        found = practice.ask(query)
        assert "errors" not in found, (query, found)
        if data is not None:
            assert found["data"] == data, query
    fields = {one["name"] for one in practice.ask(FOUND[-1][0])["data"]["__type"]["fields"]}
    assert {"resourceType", "focus", "TaskList", "ProvenanceList"} <= fields


def test_pages_of_a_connection_follow_each_other(practice: Practice) -> None:
    query = """query($c: String) { CommunicationConnection(_count: 3, _sort: "_id", _cursor: $c) {
               next previous edges { resource { id } } } }"""
    every = sorted(ref.partition("/")[2] for ref in (*practice.threads, *practice.messages))
    cursor, met, back = None, [], []
    while True:
        page = practice.ask(query, variables={"c": cursor})["data"]["CommunicationConnection"]
        met += [edge["resource"]["id"] for edge in page["edges"]]
        back.append(page["previous"])
        cursor = page["next"]
        if cursor is None:
            break
    assert met == every
    before = practice.ask(query, variables={"c": back[1]})["data"]["CommunicationConnection"]
    assert [edge["resource"]["id"] for edge in before["edges"]] == every[:3]
    assert back[0] is None


def test_one_level_is_read_at_once(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many threads there are, their messages are one search, and the senders one read."""
    asked: list[str] = []
    store: Store = practice.api.store
    for name in ("search", "read", "read_many"):
        method = getattr(store, name)

        def counted(*of: Any, _name: str = name, _method: Any = method) -> Any:
            asked.append(_name)
            return _method(*of)

        monkeypatch.setattr(store, name, counted)
    practice.api.app._context = None  # a view has the methods that the store had
    practice.ask(
        """{ CommunicationList(status: "in-progress") {
             CommunicationList(_reference: part_of) {
               sender { resource { id } } recipient { resource { id } } } } }"""
    )
    assert sorted(asked) == ["read_many", "read_many", "search", "search"]


def test_who_has_more_than_fits_is_asked_for_alone(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_COUNT", 4)
    query = """{ CommunicationList(status: "in-progress", _sort: "_id") {
                 CommunicationList(_reference: part_of, _sort: "-sent") { payload {contentString} }
               } }"""
    found = practice.ask(query)["data"]["CommunicationList"]
    assert [
        [one["payload"][0]["contentString"] for one in thread["CommunicationList"]]
        for thread in found
    ] == [[f"{at} of {topic}" for at in (3, 2, 1)] for topic in ("Rash", "Refill")]


#: A query that finds some of what it asks for: what it cannot find, by path and code.
MISSING: list[tuple[str, list[tuple[list[Any], str]]]] = [
    ('{ Patient(id: "<never>") { id } }', [(["Patient"], "not-found")]),
    ('{ a: PatientList(birthdate: "soon") { id } b: PatientList { id } }', [(["a"], "invalid")]),
    ("{ PatientList(_count: -1) { id } }", [(["PatientList"], "invalid")]),
    ('{ PatientList { name(fhirpath: "matches(\'x\')") { id } } }',
     [(["PatientList", 0, "name"], "invalid")]),
    ('{ PatientList { name(fhirpath: "((((") { id } } }',
     [(["PatientList", 0, "name"], "invalid")]),
    (f'{{ PatientList {{ name(fhirpath: "{"(" * 80}use{")" * 80}") {{ id }} }} }}',
     [(["PatientList", 0, "name"], "invalid")]),
    ('{ PatientList { name(fhirpath: "use as") { id } } }',
     [(["PatientList", 0, "name"], "invalid")]),
    ('{ PatientList { name(fhirpath: "use.ofType(") { id } } }',
     [(["PatientList", 0, "name"], "invalid")]),
    ('{ PatientList { name(fhirpath: "given.count(1) = 1") { id } } }',
     [(["PatientList", 0, "name"], "invalid")]),
    ('{ PatientList { name(fhirpath: "given[²]") { id } } }',
     [(["PatientList", 0, "name"], "invalid")]),
    ('query($id: ID = "x") { Patient(id: $id) { id } }', [(["Patient"], "not-found")]),
]  # fmt: skip


def test_what_is_not_found_is_told_beside_the_rest(practice: Practice) -> None:
    for query, errors in MISSING:
        found = practice.ask(query)
        told = [(one["path"], one["extensions"]["code"]) for one in found["errors"]]
        assert told == errors, query
        assert found["data"] is not None
        assert all("line" in one["locations"][0] for one in found["errors"])


def test_references(api: Api) -> None:
    """To what is contained, deleted, elsewhere, by another URL of ours, and nowhere."""
    there = api.make("Practitioner", name=[{"family": "Cole"}])["id"]
    gone = api.make("Practitioner")["id"]
    api.call("DELETE", f"Practitioner/{gone}")
    inside = {"resourceType": "Practitioner", "id": "in", "name": [{"family": "Drew"}]}
    performers = [
        "#in",
        f"Practitioner/{there}",
        f"{api.url}/fhir/R4/Practitioner/{there}",
        f"Practitioner/{there}/_history/1",
        f"Practitioner/{gone}",
        "https://elsewhere.example/Practitioner/1",
        "urn:uuid:5b6d2f3a-0000-4000-8000-000000000001",
    ]
    api.make(
        "Communication",
        status="completed",
        contained=[inside],
        recipient=[{"reference": one} for one in performers] + [{"display": "somebody"}],
    )
    query = """{ CommunicationList { recipient { resource(ARGS) {
                 ... on Practitioner { name { family } CommunicationList(_reference: recipient)
                 { id } } } } } }"""

    def ask(arguments: str) -> Any:
        body = {"query": query.replace("(ARGS)", arguments)}
        return api.call("POST", "$graphql", body, content_type=JSON).json()

    found = ask("")
    (message,) = found["data"]["CommunicationList"]
    names = [
        one["resource"] and one["resource"]["name"][0]["family"] for one in message["recipient"]
    ]
    assert names == ["Drew", "Cole", "Cole", "Cole", None, None, None, None]
    # Nothing elsewhere refers to what is contained.
    assert message["recipient"][0]["resource"]["CommunicationList"] is None
    assert len(message["recipient"][1]["resource"]["CommunicationList"]) == 1
    places = [one["path"] for one in found["errors"]]
    assert places == [["CommunicationList", 0, "recipient", at, "resource"] for at in (4, 5, 6)]
    assert "errors" not in ask("(optional: true)")
    typed = ask('(optional: true, type: "Patient")')["data"]["CommunicationList"][0]
    assert {one["resource"] for one in typed["recipient"]} == {None}
