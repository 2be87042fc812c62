"""Whatever is written and asked: SQLite and PostgreSQL answer as the memory store does."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.loop import run
from threadwell.fhir.search.fold import searched
from threadwell.fhir.search.query import Total
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Page, Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.sqlite.database import open_database, setting
from threadwell.stores.sqlite.known import read_known
from threadwell.stores.sqlite.reindex import reindex
from threadwell.stores.suite.scenario import Desk, query

IDS = ("a", "b", "c", "d")
STATUS = ("preparation", "in-progress", "completed", "entered-in-error")
DATES = (
    "2024",
    "2024-02",
    "2024-02-28",
    "2024-02-28T23:59:59Z",
    "2024-02-29T00:30:00+02:00",
    "2024-03-01T00:00:00.123456Z",
    "2024-03-01T00:00:00.123Z",
    "2024-03-01T00:00:00.1235Z",
    "1969-12-31T23:59:59.999Z",
)
TEXTS = (
    "Ana",
    "ana  maria",
    "ÁNA",
    "Müller",
    "muller-o",
    "O'Ana-Maria Solis",
    "O",
    "%",
    "_",
    "a_a",
    "Łukasz",
    "ß",
)
CODES = (("https://example.org/a", "x"), ("https://example.org/b", "x"), ("", "x"), ("", "y"))
NUMBERS = (-5, 0, 1, 54, 55, 1000)

BASE = "https://fhir.clinic.example/fhir/R4"
ELSEWHERE = "https://elsewhere.example.org/fhir"

ids = st.sampled_from(IDS)
urls = st.sampled_from(("https://example.org/q/a", "https://example.org/q/b"))
dates = st.sampled_from(DATES)


def maybe(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of the members."""
    return st.fixed_dictionaries({}, optional=members)


#: Before and behind ``Type/id``: most references are relative, and name no version.
_BEFORE = st.sampled_from(("", "", "", f"{BASE}/", f"{ELSEWHERE}/"))
_BEHIND = st.sampled_from(("", "", "", "/_history/1"))


def reference(*types: str) -> st.SearchStrategy[dict[str, str]]:
    return st.builds(
        lambda t, i, before, behind: {"reference": f"{before}{t}/{i}{behind}"},
        st.sampled_from(types),
        ids,
        _BEFORE,
        _BEHIND,
    )


def canonical() -> st.SearchStrategy[str]:
    written = st.builds(lambda url, version: f"{url}{version}", urls, st.sampled_from(("", "|1")))
    return st.one_of(written, ids.map(lambda i: f"Questionnaire/{i}"))


def few(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=1, max_size=2)


coding = st.sampled_from(CODES).map(
    lambda c: {"system": c[0], "code": c[1]} if c[0] else {"code": c[1]}
)
concept = st.one_of(
    few(coding).map(lambda c: {"coding": c}), st.sampled_from(TEXTS).map(lambda t: {"text": t})
)
period = maybe({"start": dates, "end": dates}).filter(bool)

MEMBERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Patient": {
        "active": st.booleans(),
        "birthDate": dates.map(lambda d: d[:10]),
        "name": few(
            maybe({"family": st.sampled_from(TEXTS), "given": few(st.sampled_from(TEXTS))})
        ),
        "identifier": few(
            st.sampled_from(CODES).map(
                lambda c: {"system": c[0], "value": c[1]} if c[0] else {"value": c[1]}
            )
        ),
        "generalPractitioner": few(reference("Practitioner", "Organization")),
    },
    "Communication": {
        "status": st.sampled_from(STATUS),
        "partOf": few(reference("Communication")),
        "subject": reference("Patient"),
        "sender": reference("Patient", "Practitioner"),
        "recipient": few(reference("Patient", "Practitioner")),
        "sent": dates.filter(lambda d: "T" in d),
        "received": dates,
        "category": few(concept),
    },
    "Encounter": {
        "status": st.sampled_from(("planned", "finished")),
        "class": coding,
        "period": period,
        "partOf": reference("Encounter"),
        "subject": reference("Patient"),
    },
    "Observation": {
        "code": concept,
        "subject": reference("Patient"),
        "valueQuantity": st.sampled_from(NUMBERS).map(lambda n: {"value": n, "unit": "mg"}),
        "effectivePeriod": period,
    },
    "Task": {
        "status": st.sampled_from(("requested", "completed")),
        "code": concept,
        "owner": reference("Practitioner"),
        "performerType": few(concept),
        "focus": reference("Communication"),
    },
}

MEMBERS["Questionnaire"] = {
    "status": st.sampled_from(("draft", "active")),
    "url": urls,
    "version": st.sampled_from(("1", "2")),
}
MEMBERS["QuestionnaireResponse"] = {
    "status": st.sampled_from(("in-progress", "completed")),
    "questionnaire": canonical(),
    "subject": reference("Patient"),
}
_medication = st.builds(
    lambda id_, rest: {"resourceType": "Medication", "id": id_, **rest},
    st.sampled_from(("m", "n")),
    maybe({"code": concept, "manufacturer": st.just({"reference": "#o"})}),
)
_organization = st.builds(
    lambda name: {"resourceType": "Organization", "id": "o", "name": name}, st.sampled_from(TEXTS)
)
MEMBERS["MedicationRequest"] = {
    "status": st.sampled_from(("active", "completed")),
    "contained": st.tuples(_medication, _organization).map(list),
    "medicationReference": st.sampled_from(("#m", "#n", "#o")).map(lambda r: {"reference": r}),
    "requester": st.just({"reference": "#o"}),
    "authoredOn": dates,
}

resources = st.sampled_from(sorted(MEMBERS)).flatmap(
    lambda type_: st.builds(
        lambda id_, members: {"resourceType": type_, "id": id_, **members},
        ids,
        maybe(MEMBERS[type_]),
    )
)

_token = st.sampled_from(
    [f"{s}|{c}" if s else c for s, c in CODES] + ["|x", "https://example.org/a|"]
)
_prefix = st.sampled_from(("", "eq", "ne", "gt", "ge", "lt", "le", "sa", "eb"))
_date = st.builds(lambda p, d: p + d.replace("+", "%2B"), _prefix, dates)
_text = st.sampled_from([t for t in (*TEXTS, "solis", "maria") if searched(t)])


def param(name: str, *values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """``name=value,value``."""
    value = st.lists(st.one_of(*values), min_size=1, max_size=2).map(",".join)
    return value.map(lambda v: f"{name}={v}")


def missing(*names: str) -> st.SearchStrategy[str]:
    return st.builds(
        lambda n, m: f"{n}:missing={m}", st.sampled_from(names), st.sampled_from(("true", "false"))
    )


def to(*types: str) -> st.SearchStrategy[str]:
    return st.builds(lambda t, i: f"{t}/{i}", st.sampled_from(types), ids)


_status = st.sampled_from(STATUS)
FILTERS: dict[str, st.SearchStrategy[str]] = {
    "Patient": st.one_of(
        param("active", st.sampled_from(("true", "false"))),
        param("birthdate", _date),
        param("family", _text),
        param("given:contains", _text),
        param("name:exact", _text),
        param("identifier", _token),
        param("identifier:not", _token),
        param("general-practitioner", to("Practitioner", "Organization"), ids),
        missing("active", "name", "general-practitioner", "birthdate"),
        param("_id", ids),
        param("_has:Communication:subject:status", _status),
        param("_has:Observation:patient:value-quantity", st.just("gt0")),
        param(
            "_lastUpdated", st.sampled_from(("gt2024-04-10T09:00:03Z", "le2024-04-10T09:00:05Z"))
        ),
    ),
    "Communication": st.one_of(
        param("status", _status),
        param("status:not", _status),
        missing("part-of", "sent", "sender", "status"),
        st.just("part-of:missing=true"),
        param("part-of", to("Communication"), ids),
        param("sender", to("Patient", "Practitioner"), ids),
        param("sender:not", to("Patient", "Practitioner")),
        param("recipient", to("Patient", "Practitioner")),
        param("subject", to("Patient")),
        param("sent", _date),
        param("received", _date),
        param("category", _token),
        param("category:text", _text),
        param("subject:Patient.active", st.just("true")),
        param("part-of.part-of.sender:Patient.family", _text),
    ),
    "Encounter": st.one_of(
        param("class", _token),
        param("status", st.sampled_from(("planned", "finished"))),
        param("date", _date),
        param("part-of", to("Encounter")),
        missing("part-of", "date", "class"),
    ),
    "Observation": st.one_of(
        param("code", _token),
        param(
            "value-quantity", st.builds(lambda p, n: f"{p}{n}", _prefix, st.sampled_from(NUMBERS))
        ),
        param("code-value-quantity", st.builds(lambda t, n: f"{t}${n}", _token, st.just("gt0"))),
        param("date", _date),
        param("patient", to("Patient")),
    ),
    "Task": st.one_of(
        param("code", _token),
        param("owner", to("Practitioner")),
        param("status", st.sampled_from(("requested", "completed"))),
        param("status:not", st.sampled_from(("requested", "completed"))),
        param("performer", _token),
        missing("owner"),
        st.just("focus:Communication.part-of:missing=true"),
    ),
}
_version = st.sampled_from(("1", "2"))
FILTERS |= {
    "Questionnaire": st.one_of(
        param("url", urls),
        param("_has:QuestionnaireResponse:questionnaire:status", st.just("completed")),
        param("_has:QuestionnaireResponse:questionnaire:subject", to("Patient")),
    ),
    "QuestionnaireResponse": st.one_of(
        param("questionnaire", canonical()),
        param("questionnaire:not", canonical()),
        param("questionnaire.version", _version),
        param("questionnaire.status:not", st.just("draft")),
        param("subject:Patient.active", st.just("true")),
        missing("questionnaire", "subject"),
    ),
    "MedicationRequest": st.one_of(
        param("medication.code", _token),
        param("medication.code:not", _token),
        param("medication.code:text", _text),
        missing("medication.code", "medication.manufacturer"),
        param("medication.manufacturer.name", _text),
        param("requester:Organization.name:contains", _text),
        param("status", st.just("active")),
    ),
}
SORTS: dict[str, tuple[str, ...]] = {
    "Questionnaire": ("url", "_lastUpdated"),
    "QuestionnaireResponse": ("questionnaire", "status"),
    "MedicationRequest": ("authoredon", "medication", "_lastUpdated"),
    "Patient": ("birthdate", "name", "family", "_id", "_lastUpdated", "active"),
    "Communication": ("sent", "received", "status", "_lastUpdated", "sender"),
    "Encounter": ("date", "class", "_lastUpdated"),
    "Observation": ("date", "value-quantity", "code", "_lastUpdated"),
    "Task": ("code", "_lastUpdated", "status"),
}


def searches_of(type_: str) -> st.SearchStrategy[str]:
    key = st.builds(lambda d, p: d + p, st.sampled_from(("", "-")), st.sampled_from(SORTS[type_]))
    sort = st.lists(key, max_size=2).map(lambda keys: [f"_sort={','.join(keys)}"] if keys else [])
    page = st.builds(
        lambda c, o: [f"_count={c}", f"_offset={o}"], st.integers(0, 5), st.integers(0, 4)
    )
    filters = st.lists(FILTERS[type_], max_size=3)
    return st.builds(
        lambda f, s, p: f"{type_}?" + "&".join([*f, *s, *p, "_total=accurate"]), filters, sort, page
    )


searches = st.sampled_from(sorted(MEMBERS)).flatmap(searches_of)
#: A resource to put, or the type and id of one to delete.
steps = st.lists(st.one_of(resources, resources, st.tuples(st.sampled_from(sorted(MEMBERS)), ids)))


#: A period that ends before it begins.
BACKWARDS = {
    "resourceType": "Observation",
    "id": "a",
    "effectivePeriod": {"start": "2024", "end": "1969-12-31T23:59:59.999Z"},
}


@given(steps, st.lists(searches, min_size=5, max_size=25))
@example(
    [BACKWARDS], [f"Observation?date={date}" for date in ("lt1971", "1969-12-31T23:59:59.999Z")]
)
def test_sqlite_answers_as_memory_does(steps: list[Any], searches: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(SqliteStore.open(Path(folder) / "threadwell.db"), steps, searches)


@COSTLY
@given(steps, st.lists(searches, min_size=5, max_size=25))
def test_postgres_answers_as_memory_does(
    postgres_server: Any, postgres_schemas: Any, steps: list[Any], searches: list[str]
) -> None:
    schema = postgres_schemas.lend()
    compare(PostgresStore.open(f"{postgres_server.url()}&schema={schema}"), steps, searches)
    postgres_schemas.take_back(schema)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_the_index_follows_from_the_current_versions(steps: list[Any]) -> None:
    async def fill(path: Path) -> None:
        store = SqliteStore.open(path)
        await _write(store, steps)
        await store.close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "threadwell.db"
        run(fill(path))
        connection = open_database(path)
        before = _index(connection)
        reindex(connection, Keys(setting(connection, "secret"), Bases(read_known(connection))))
        assert _index(connection) == before
        connection.close()


def _index(connection: apsw.Connection) -> list[list[Any]]:
    tables = (
        "SELECT * FROM posting",
        "SELECT * FROM text",
        "SELECT rid, present, sort FROM resource",
    )
    return [connection.execute(sql).fetchall() for sql in tables]


def compare(store: Store, steps: list[Any], searches: list[str]) -> None:
    """Each search is asked twice: how many there are may change how they are looked for."""
    queries = [query(search) for search in searches]
    queries += [replace(each, total=Total.NONE) for each in queries]

    async def answers(store: Store) -> list[Page]:
        await _write(store, steps)
        pages = []
        for each in queries:
            pages.append(await store.search(DEFAULT_PROJECT, each))
            # The places are the store's own; where they lead to is not.
            following = replace(each, offset=1, after=pages[-1].last)
            before = replace(each, offset=0, after=pages[-1].first, back=True)
            pages += [await store.search(DEFAULT_PROJECT, one) for one in (following, before)]
        await store.close()
        return pages

    expected = run(answers(MemoryStore()))
    found = run(answers(store))
    asked = [search for search in searches for _ in range(3)] * 2
    for search, one, other in zip(asked, expected, found, strict=True):
        assert (search, _brief(one)) == (search, _brief(other))


async def _write(store: Store, steps: list[Any]) -> None:
    desk = Desk(store)
    for number, step in enumerate(steps):
        if number == len(steps) // 2:
            await store.known_as(BASE)
        type_, id_ = step if isinstance(step, tuple) else (step["resourceType"], step["id"])
        before = await desk.read(type_, id_)
        if not isinstance(step, tuple):
            await store.commit(DEFAULT_PROJECT, ChangeSet((desk.write(step, before),)))
        elif before is not None and not before.deleted:
            await desk.commit(desk.deletion(before))


def _brief(page: Page) -> tuple[list[str], int | None, bool]:
    return [stored.id for stored in page.matches], page.total, page.more
