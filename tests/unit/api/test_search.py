"""Searches over HTTP: bundles, links, forms. Which resources match is tested elsewhere."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest


@pytest.fixture
def thread(api):
    """A patient, a thread header about them and three messages."""
    patient = api.make(telecom=[{"system": "phone", "value": "+15550100"}])
    subject = {"reference": f"Patient/{patient['id']}"}
    header = api.make("Communication", status="in-progress", subject=subject)
    messages = [
        api.make(
            "Communication",
            status="completed",
            partOf=[{"reference": f"Communication/{header['id']}"}],
            sent=f"2024-03-10T10:0{minute}:00Z",
        )
        for minute in range(3)
    ]
    return patient, header, messages


def links(bundle: dict) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def test_the_shape_of_a_searchset(api, thread) -> None:
    _, header, messages = thread
    query = f"Communication?part-of=Communication/{header['id']}&_sort=sent"
    bundle = api.call("GET", query).json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    assert [one["resource"] for one in bundle["entry"]] == messages
    assert [one["search"] for one in bundle["entry"]] == [{"mode": "match"}] * 3
    for one in bundle["entry"]:
        assert one["fullUrl"] == f"{api.url}/fhir/R4/Communication/{one['resource']['id']}"
    assert "total" not in bundle


@pytest.mark.parametrize(
    ("query", "total", "entries"),
    [
        ("Patient?_total=accurate", 1, 1),
        ("Patient?_total=accurate&_count=0", 1, None),
        ("Patient?_count=0", 1, None),
        ("Patient?_summary=count", 1, None),
        ("Patient?family=nobody&_total=accurate", 0, None),
        ("Patient?family=nobody", None, None),
        ("Patient?phone=+15550100", None, 1),
        ("Patient?phone=%2B15550100", None, 1),
    ],
)
def test_totals_and_empty_pages(api, thread, query, total, entries) -> None:
    bundle = api.call("GET", query).json()
    assert bundle.get("total") == total
    assert "next" not in links(bundle)
    assert (len(bundle["entry"]) if "entry" in bundle else None) == entries


def test_links_lead_forward_and_back(api, thread) -> None:
    _, header, messages = thread
    query = f"Communication?_sort=sent&part-of=Communication/{header['id']}&_count=2"
    first = api.call("GET", query).json()
    assert links(first).keys() == {"self", "first", "next"}
    second = api.call("GET", links(first)["next"]).json()
    assert links(second).keys() == {"self", "first", "previous"}
    assert [one["resource"] for one in first["entry"] + second["entry"]] == messages
    again = api.call("GET", links(second)["previous"]).json()
    assert again["entry"] == first["entry"]
    assert links(again).keys() == {"self", "first", "next"}
    assert links(again)["next"] == links(first)["next"]
    assert api.call("GET", links(second)["first"]).json() == first


def test_an_offset_leads_forward_and_back(api, thread) -> None:
    _, header, messages = thread
    query = f"Communication?_sort=sent&part-of=Communication/{header['id']}&_count=1&_offset=1"
    page = api.call("GET", query).json()
    assert [one["resource"] for one in page["entry"]] == messages[1:2]
    assert "_offset=1" in links(page)["self"]
    for relation, found in {"next": messages[2:], "previous": messages[:1]}.items():
        other = api.call("GET", links(page)[relation]).json()
        assert [one["resource"] for one in other["entry"]] == found
    assert "previous" in links(api.call("GET", links(page)["next"]).json())


def walk(api, url: str, relation: str = "next"):
    while url:
        bundle = api.call("GET", url).json()
        yield [one["resource"]["id"] for one in bundle.get("entry", ())]
        url = links(bundle).get(relation)


@pytest.mark.parametrize("sort", ["", "&_sort=-_lastUpdated", "&_sort=_id", "&_sort=-birthdate"])
def test_pages_are_whole_while_others_write_and_delete(api, sort) -> None:
    made = [api.make(birthDate=f"19{n // 3 + 50}-01-01")["id"] for n in range(12)]
    (whole,) = walk(api, f"Patient?_count=100{sort}")
    seen, gone = [], []
    for page in walk(api, f"Patient?_count=3{sort}"):
        seen += page
        for id_ in (page[0], page[-1]):
            assert api.call("DELETE", f"Patient/{id_}").status_code == 200
            gone.append(id_)
        api.make(birthDate="1949-01-01" if "-" in sort else "2000-01-01")
        assert len(seen) < 40
    assert len(seen) == len(set(seen))
    assert [id_ for id_ in seen if id_ in made] == whole


def test_pages_go_back_to_the_first(api) -> None:
    for n in range(7):
        api.make(birthDate=f"19{n // 2 + 50}-01-01")
    for sort in ("", "&_sort=birthdate", "&_sort=-birthdate,_id", "&_sort=-_lastUpdated"):
        forward = list(walk(api, f"Patient?_count=2{sort}"))
        end = links(api.call("GET", f"Patient?_count=2{sort}").json())
        while "next" in end:
            url = end["next"]
            end = links(api.call("GET", url).json())
        assert list(walk(api, url, "previous")) == forward[::-1]


def test_a_page_that_goes_on_tells_the_total_and_includes(api, thread) -> None:
    patient, _, _ = thread
    for _ in range(2):
        api.make(
            "Communication", status="completed", subject={"reference": f"Patient/{patient['id']}"}
        )
    query = "Communication?subject:missing=false&_count=1&_total=accurate"
    first = api.call("GET", f"{query}&_include=Communication:subject").json()
    second = api.call("GET", links(first)["next"]).json()
    assert second["total"] == first["total"] == 3
    assert [one["search"]["mode"] for one in second["entry"]] == ["match", "include"]


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "eyJhIjoxfQ"])
def test_a_cursor_is_from_a_link(api, cursor) -> None:
    answer = api.call("GET", f"Patient?_cursor={cursor}")
    assert answer.status_code == 400
    assert "_cursor" in answer.json()["issue"][0]["details"]["text"]


def test_links_keep_every_parameter(api) -> None:
    query = (
        "Communication?status:not=completed&_sort=sent&identifier=urn:t|a%26b%2Bc"
        "&sent=gt2024&sent=lt2025"
    )
    url = links(api.call("GET", query).json())["self"]
    assert url.startswith(f"{api.url}/fhir/R4/Communication?_count=20&_sort=sent&")
    assert parse_qsl(urlsplit(url).query) == [
        ("_count", "20"),
        ("_sort", "sent"),
        ("identifier", "urn:t|a&b+c"),
        ("sent", "gt2024"),
        ("sent", "lt2025"),
        ("status:not", "completed"),
    ]


def test_by_form(api, thread) -> None:
    _, header, messages = thread
    form = f"part-of=Communication%2F{header['id']}&_sort=-sent".encode()
    kind = "application/x-www-form-urlencoded"
    bundle = api.call("POST", "Communication/_search?_count=1", form, content_type=kind).json()
    assert [one["resource"] for one in bundle["entry"]] == messages[-1:]
    assert "_sort=-sent" in links(bundle)["next"]

    everything = api.call("POST", "Communication/_search", content_type=None).json()
    assert len(everything["entry"]) == 4
    for body, content_type, status in [(b"{}", "application/json", 415), (b"\xff", kind, 400)]:
        answer = api.call("POST", "Communication/_search", body, content_type=content_type)
        assert answer.status_code == status


def test_includes_are_marked(api, thread) -> None:
    patient, header, _ = thread
    query = f"Communication?_id={header['id']}&_include=Communication:subject"
    modes = {
        one["resource"]["id"]: one["search"]["mode"]
        for one in api.call("GET", query).json()["entry"]
    }
    assert modes == {header["id"]: "match", patient["id"]: "include"}


def test_elements_of_matches(api, thread) -> None:
    _, header, _ = thread
    query = f"Communication?_id={header['id']}&_elements=subject&_include=Communication:subject"
    match, include = (one["resource"] for one in api.call("GET", query).json()["entry"])
    assert match.keys() == {"resourceType", "id", "meta", "status", "subject"}
    assert match["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "telecom" in include


@pytest.mark.parametrize("query", ["family=Åström", "family=%C3%85str%C3%B6m", "family=astrom"])
def test_other_alphabets(api, query: str) -> None:
    made = api.make(name=[{"family": "Åström"}])
    assert api.ids(f"Patient?{query}") == [made["id"]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("Patient?family=%FF%00", 200),
        ("Patient?nonsense=1", 400),
        ("Patient?birthdate=yesterday", 400),
        ("Patient?_count=x", 400),
        ("Patient?_format=json", 200),
        ("Patient?_format=application/fhir%2Bjson", 200),
        ("Patient?_format=application/fhir+json", 200),
        ("Patient?_format=xml", 406),
        ("Patient?_pretty=true", 200),
    ],
)
def test_parameters(api, query: str, status: int) -> None:
    answer = api.call("GET", query)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == ("Bundle" if status == 200 else "OperationOutcome")


def test_who_counts_by_another_servers_parameter_is_told_of_r4s(api) -> None:
    answer = api.call("GET", "Patient?_count=0&_totalMethod=count")
    assert answer.status_code == 400
    assert "_summary=count" in api.texts(answer)[0]
