"""Searches of several types, of the whole server and of compartments, over HTTP."""

from __future__ import annotations

import pytest

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def world(api):
    return make_world(api)


@pytest.fixture(scope="module")
def shared_world(shared_api):
    return make_world(shared_api)


def make_world(api):
    """Ana with a session, a thread of five messages and a task, beside Ben with his own."""
    ana = api.make(name=[{"family": "Prado"}])
    ben = api.make(name=[{"family": "Ngata"}])
    about = {"reference": f"Patient/{ana['id']}"}
    act = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
    encounter = api.make("Encounter", status="finished", subject=about, **{"class": act})
    inside = {"reference": f"Encounter/{encounter['id']}"}
    header = api.make("Communication", status="in-progress", subject=about, encounter=inside)
    part_of = [{"reference": f"Communication/{header['id']}"}]
    messages = [
        api.make("Communication", status="completed", sender=about, partOf=part_of, sent=sent)
        for sent in (f"2024-03-10T10:0{minute}:00Z" for minute in range(5))
    ]
    others = {"reference": f"Patient/{ben['id']}"}
    other = api.make("Communication", status="completed", recipient=[others, about])
    alone = api.make("Communication", status="completed", recipient=[others])
    return {
        "ana": ana,
        "ben": ben,
        "encounter": encounter,
        "header": header,
        "messages": messages,
        "other": other,
        "alone": alone,
    }


def ids(bundle: dict, mode: str = "match") -> list[str]:
    return [
        one["resource"]["id"] for one in bundle.get("entry", []) if one["search"]["mode"] == mode
    ]


def links(bundle: dict) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def walk(api, url: str) -> list[str]:
    """The ids of all pages, forth; and back again they are the same."""
    pages = [api.call("GET", url).json()]
    while "next" in links(pages[-1]):
        pages.append(api.call("GET", links(pages[-1])["next"]).json())
    forth = [id_ for page in pages for id_ in ids(page)]
    back, page = ids(pages[-1]), pages[-1]
    while "previous" in links(page):
        page = api.call("GET", links(page)["previous"]).json()
        back[:0] = ids(page)
    assert back == forth
    return forth


def test_a_compartment_of_one_type(shared_api, shared_world) -> None:
    ana, header, messages = shared_world["ana"], shared_world["header"], shared_world["messages"]
    expected = {header["id"], shared_world["other"]["id"], *(one["id"] for one in messages)}
    path = f"Patient/{ana['id']}/Communication"
    bundle = shared_api.call("GET", f"{path}?_total=accurate").json()
    assert set(ids(bundle)) == expected
    assert bundle["total"] == 7
    assert links(bundle)["self"].startswith(f"{shared_api.url}/fhir/R4/{path}?")
    found = shared_api.call("GET", f"{path}?part-of:missing=false&_sort=-sent&_count=2").json()
    assert ids(found) == [messages[4]["id"], messages[3]["id"]]
    assert walk(shared_api, f"{path}?_count=2&_sort=sent&part-of:missing=false") == [
        one["id"] for one in messages
    ]
    included = shared_api.call(
        "GET", f"{path}?status=in-progress&_include=Communication:subject"
    ).json()
    assert ids(included, "include") == [ana["id"]]


@pytest.mark.parametrize("path", ["Patient/{ana}/Communication", "Communication", ""])
def test_a_form_finds_the_same(shared_api, shared_world, path) -> None:
    path = path.format(ana=shared_world["ana"]["id"])
    query = f"_compartment=Patient/{shared_world['ana']['id']}&_type=Communication&_count=3"
    if path:
        query = query.replace("&_type=Communication", "")
    by_get = shared_api.call("GET", f"{path}?{query}").json()
    form = shared_api.call(
        "POST", f"{path}/_search".lstrip("/"), query.encode(), content_type=FORM
    ).json()
    assert len(ids(by_get)) == 3
    assert by_get == form


def test_all_of_a_compartment(shared_api, shared_world) -> None:
    ana, encounter = shared_world["ana"], shared_world["encounter"]
    expected = {
        *(one["id"] for one in (ana, encounter, shared_world["header"], shared_world["other"])),
        *(one["id"] for one in shared_world["messages"]),
    }
    for query in ("", "?_count=1", "?_count=4", "?_count=3&_sort=-_lastUpdated", "?_sort=_id"):
        found = walk(shared_api, f"Patient/{ana['id']}/*{query}")
        assert set(found) == expected
        assert len(found) == len(expected)
    form = shared_api.call("POST", f"Patient/{ana['id']}/_search", b"", content_type=FORM).json()
    assert set(ids(form)) == expected
    of_type = f"Patient/{ana['id']}/*?_type=Patient,Encounter,Organization&_total=accurate"
    bundle = shared_api.call("GET", of_type).json()
    assert ids(bundle) == [encounter["id"], ana["id"]]
    assert bundle["total"] == 2
    assert set(ids(shared_api.call("GET", f"Encounter/{encounter['id']}/*").json())) == {
        encounter["id"],
        shared_world["header"]["id"],
    }


def test_a_compartment_that_holds_nothing(shared_api, shared_world) -> None:
    ana = shared_world["ana"]["id"]
    for path in (f"Patient/{shared_api.never}/Communication", f"Patient/{ana}/Organization"):
        bundle = shared_api.call("GET", f"{path}?_total=accurate").json()
        assert (bundle["total"], ids(bundle)) == (0, [])
    empty = shared_api.call("GET", f"Patient/{ana}/*?_type=Organization").json()
    assert "entry" not in empty


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?_type=Patient,Communication", 10),
        ("?_type=Patient&_type=Encounter", 3),
        ("?_lastUpdated=ge2024", 11),
        ("?_lastUpdated=lt2024", 0),
        ("?_id={ana}", 1),
        ("?_type=Patient,Encounter&_id={ana}", 1),
        ("?_type=Communication,Encounter&patient=Patient/{ana}", 2),
        ("?_type=Communication,Encounter&_compartment=Patient/{ana}", 8),
        ("", 11),
    ],
)
def test_the_whole_server(shared_api, shared_world, query, count) -> None:
    query = query.format(ana=shared_world["ana"]["id"])
    joined = f"{query}{'&' if query else '?'}"
    for more in ("_count=1000", "_count=1", "_count=3", "_count=2&_sort=-_lastUpdated,_id"):
        found = walk(shared_api, f"{joined}{more}")
        assert len(found) == len(set(found)) == count
    bundle = shared_api.call("GET", f"{joined}_summary=count").json()
    assert (bundle["total"], ids(bundle)) == (count, [])


def test_types_stand_among_each_other_where_they_are_sorted(shared_api, shared_world) -> None:
    found = shared_api.call(
        "GET", "?_type=Patient,Encounter,Communication&_sort=_id&_count=100"
    ).json()
    assert ids(found) == sorted(ids(found))
    for sort in ("_lastUpdated", "-_lastUpdated"):
        entries = shared_api.call("GET", f"?_sort={sort}&_count=100").json()["entry"]
        times = [one["resource"]["meta"]["lastUpdated"] for one in entries]
        assert times == sorted(times, reverse=sort.startswith("-"))


@pytest.mark.parametrize("sort", ["", "&_sort=_lastUpdated", "&_sort=-_lastUpdated", "&_sort=_id"])
@pytest.mark.parametrize("path", ["", "Patient/{ana}/*"])
def test_pages_of_several_types_neither_skip_nor_repeat(api, world, path, sort) -> None:
    query = f"{path.format(ana=world['ana']['id'])}?_type=Communication,Task,Patient{sort}"
    there = ids(api.call("GET", f"{query}&_count=100").json())
    page = api.call("GET", f"{query}&_count=3").json()
    seen = ids(page)
    gone = {seen[-1], there[4]}
    for type_ in ("Communication", "Patient"):
        for id_ in gone:
            api.call("DELETE", f"{type_}/{id_}")
    while "next" in links(page):
        page = api.call("GET", links(page)["next"]).json()
        seen += ids(page)
    assert seen == [id_ for id_ in there if id_ not in gone or id_ == there[2]]


def test_what_several_types_include(shared_api, shared_world) -> None:
    query = "?_type=Encounter,Communication&status=finished,in-progress"
    bundle = shared_api.call("GET", f"{query}&_include=*").json()
    assert len(ids(bundle)) == 2
    assert ids(bundle, "include") == [shared_world["ana"]["id"]]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?_type=Patient,Visit", "Unknown resource type in _type: Visit"),
        ("?family=prado", "Unknown search parameter: family (of"),
        ("?_type=Patient,Encounter&birthdate=1980", "Unknown search parameter: birthdate (of Enc"),
        ("?_type=Patient,Encounter&_sort=birthdate", "Unknown search parameter: birthdate"),
        ("?_type=Patient,Person&_sort=birthdate", "is sorted by _id or _lastUpdated"),
        ("?_type=Patient&_offset=1", "has no _offset"),
        ("?_type=Patient&_cursor=abc", "_cursor is not from a link of this search"),
        ("?_id=" + ",".join(map(str, range(100))), "name fewer types in _type"),
        ("Communication?_compartment=Location/1", "expected the id of a Device"),
        ("Communication?_compartment:missing=true", "has no modifier but :not"),
        ("Communication?subject:Patient._compartment=Task/1", "expected the id of a"),
    ],
)
def test_what_is_refused_says_why(shared_api, query, text) -> None:
    answer = shared_api.call("GET", query)
    assert answer.status_code == 400
    assert text in shared_api.texts(answer)[0]


def test_only_five_types_have_a_compartment(shared_api) -> None:
    assert shared_api.call("GET", f"Organization/{shared_api.never}/Patient").status_code == 404
    assert shared_api.call("GET", f"Patient/{shared_api.never}/Visit").status_code == 404
    assert shared_api.call("GET", "Patient/a,b/Communication").status_code == 404
    assert (
        shared_api.call("PUT", f"Patient/{shared_api.never}/Communication", {}).status_code == 405
    )


def test_fields_are_elements(shared_api, shared_world) -> None:
    ana = shared_world["ana"]["id"]
    for path in (f"Patient?_id={ana}&_fields=name", f"?_type=Patient&_id={ana}&_fields=name"):
        (entry,) = shared_api.call("GET", path).json()["entry"]
        assert entry["resource"]["name"] == [{"family": "Prado"}]
        assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    (entry,) = shared_api.call("GET", f"Patient?_id={ana}&_fields=gender,_lastUpdated").json()[
        "entry"
    ]
    assert entry["resource"].keys() == {"resourceType", "id", "meta"}
    form = f"_id={ana}&_fields=Patient.gender"
    (entry,) = shared_api.call("POST", "Patient/_search", form.encode(), content_type=FORM).json()[
        "entry"
    ]
    assert "name" not in entry["resource"]
    (entry,) = shared_api.call("GET", f"Patient/{ana}/_history?_fields=gender").json()["entry"]
    assert "name" not in entry["resource"]
    assert "name" in shared_api.call("GET", f"Patient/{ana}?_fields=name").json()
