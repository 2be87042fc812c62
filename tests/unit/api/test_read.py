"""read, vread, history and what their headers say."""

from __future__ import annotations

import pytest


def test_read_gives_the_stored_version(api) -> None:
    made = api.make(gender="female")
    answer = api.call("GET", f"Patient/{made['id']}")
    assert answer.status_code == 200
    assert answer.json() == made
    assert answer.headers["etag"] == f'W/"{made["meta"]["versionId"]}"'
    assert answer.headers["last-modified"] == "Sun, 10 Mar 2024 12:00:00 GMT"
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"


def test_head_is_read_without_a_body(api) -> None:
    made = api.make()
    read, head = (api.call(method, f"Patient/{made['id']}") for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == read.headers


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ('W/"{}"', 304),
        ('"{}"', 304),
        ('W/"other", W/"{}"', 304),
        ("*", 304),
        ('W/"other"', 200),
        ('W/"{}x"', 200),
    ],
)
def test_if_none_match(api, condition: str, status: int) -> None:
    made = api.make()
    tag = condition.format(made["meta"]["versionId"])
    answer = api.call("GET", f"Patient/{made['id']}", if_none_match=tag)
    assert answer.status_code == status
    assert bool(answer.content) is (status == 200)


def test_what_cannot_be_read(api) -> None:
    gone = api.make()
    api.call("DELETE", f"Patient/{gone['id']}")
    there = api.make()
    for path, status, id_, code in [
        (f"Patient/{api.never}", 404, "not-found", "not-found"),
        ("Patient/not-a-uuid", 404, "not-found", "not-found"),
        (f"Practitioner/{there['id']}", 404, "not-found", "not-found"),
        (f"Patient/{gone['id']}", 410, "gone", "deleted"),
        (f"Patient/{there['id']}/_history/{api.never}", 404, "not-found", "not-found"),
        (f"Patient/{api.never}/_history", 404, "not-found", "not-found"),
        (f"Patient/{there['id']}/nonsense", 404, "not-found", "not-found"),
        (f"Patient/{there['id']}/_history/x/y", 404, "not-found", "not-found"),
        ("Nonsense", 404, "not-found", "not-supported"),
    ]:
        answer = api.call("GET", path)
        body = answer.json()
        assert (answer.status_code, body["id"], body["issue"][0]["code"]) == (status, id_, code)


def test_each_version_stays_readable(api) -> None:
    first = api.make(gender="male")
    path = f"Patient/{first['id']}"
    second = api.call("PUT", path, {**first, "gender": "female"}).json()
    api.call("DELETE", path)
    for version in (first, second):
        again = api.call("GET", f"{path}/_history/{version['meta']['versionId']}")
        assert again.json() == version

    history = api.call("GET", f"{path}/_history").json()
    assert (history["type"], history["total"]) == ("history", 3)
    entries = history["entry"]
    assert [one["request"]["method"] for one in entries] == ["DELETE", "PUT", "POST"]
    assert [one["response"]["status"] for one in entries] == ["410", "200", "200"]
    assert [one.get("resource") for one in entries] == [None, second, first]
    assert entries[0]["response"]["outcome"]["id"] == "gone"

    deletion = entries[0]["response"]["etag"].removeprefix('W/"').rstrip('"')
    assert api.call("GET", f"{path}/_history/{deletion}").status_code == 410


def test_history_in_pages(api) -> None:
    made = api.make()
    path = f"Patient/{made['id']}"
    for number in range(4):
        api.call("PUT", path, {**made, "name": [{"family": f"Brook{number}"}]})
    url, seen = f"{path}/_history?_count=2", []
    while url:
        page = api.call("GET", url).json()
        assert page["total"] == 5
        seen += [one["resource"]["meta"]["versionId"] for one in page["entry"]]
        url = next((x["url"] for x in page["link"] if x["relation"] == "next"), None)
    assert len(set(seen)) == 5


@pytest.mark.parametrize("query", ["_count=x", "_count=-1", "_offset=1.5", "nonsense=1"])
def test_history_with_parameters_that_mean_nothing(api, query: str) -> None:
    made = api.make()
    assert api.call("GET", f"Patient/{made['id']}/_history?{query}").status_code == 400


def test_elements_are_a_tagged_part(api) -> None:
    payload = [{"contentString": "Good morning"}]
    made = api.make("Communication", status="completed", sent="2024-03-10", payload=payload)
    part = api.call("GET", f"Communication/{made['id']}?_elements=sent").json()
    assert part.keys() == {"resourceType", "id", "meta", "status", "sent"}
    assert [tag["code"] for tag in part["meta"]["tag"]] == ["SUBSETTED"]
    # Storing it would lose the payload.
    assert api.call("PUT", f"Communication/{made['id']}", part).status_code == 400


@pytest.mark.parametrize(
    ("summary", "left"),
    [
        ("true", {"identifier", "subject"}),
        ("text", {"text"}),
        ("data", {"identifier", "subject", "sent", "note"}),
    ],
)
def test_a_summary_is_a_tagged_part(api, summary: str, left: set[str]) -> None:
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Hi</div>'}
    made = api.make(
        "Communication",
        status="completed",
        identifier=api.tagged("a"),
        subject={"reference": "Patient/1"},
        sent="2024-03-10",
        note=[{"text": "late"}],
        text=text,
    )
    read = api.call("GET", f"Communication/{made['id']}?_summary={summary}").json()
    found = api.call("GET", f"Communication?_id={made['id']}&_summary={summary}").json()
    for part in (read, found["entry"][0]["resource"]):
        assert part.keys() == {"resourceType", "id", "meta", "status", *left}
        assert [tag["code"] for tag in part["meta"]["tag"]] == ["SUBSETTED"]
    assert api.call("GET", f"Communication/{made['id']}?_summary=false").json() == made
    assert api.call("GET", f"Communication/{made['id']}?_summary=much").status_code == 400


def test_extended_answers_tell_where_a_version_comes_from(api) -> None:
    made = api.make(meta={"tag": [{"code": "kept"}]})
    plain = api.call("GET", f"Patient/{made['id']}").json()["meta"]
    extended = api.call("GET", f"Patient/{made['id']}", x_medplum="extended").json()["meta"]
    assert plain.keys() == {"tag", "versionId", "lastUpdated"}
    added = {name: value for name, value in extended.items() if name not in plain}
    author = f"ClientApplication/{api.client.client_id}"
    assert added.keys() == {"author", "project", "compartment"}
    assert added["author"] == {"reference": author}
    assert added["compartment"] == [{"reference": f"Project/{added['project']}"}]
