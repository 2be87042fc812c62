"""Answers of huge resources end early, and lead on: nothing of them is lost."""

from __future__ import annotations

import pytest

SIZE = 4_000
ROOM = 3 * SIZE


@pytest.fixture
def narrow(store, new_api):
    """A server whose pages have little room, and a patient with twelve long messages."""
    api = new_api(store=store, max_page=ROOM)
    patient = api.make()
    about = {"reference": f"Patient/{patient['id']}"}
    part = {"payload": [{"contentString": "x" * SIZE}], "status": "completed"}
    messages = [
        api.make("Communication", subject=about, sent=f"2024-03-10T10:{at:02}:00Z", **part)
        for at in range(12)
    ]
    return api, patient, messages


def links(bundle: dict) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def walk(api, url: str) -> list[str]:
    """The ids of the matches on all pages, each of which is bounded."""
    found: list[str] = []
    while url:
        answer = api.call("GET", url)
        assert len(answer.content) < 2 * (ROOM + SIZE) + 8_000
        bundle = answer.json()
        found += [
            one["resource"]["id"]
            for one in bundle["entry"]
            if one.get("search", {}).get("mode") != "include"
        ]
        url = links(bundle).get("next", "")
    return found


@pytest.mark.parametrize(
    "path",
    [
        "Communication?_count=1000",
        "Communication?_count=1000&_sort=-_lastUpdated",
        "Communication?_count=1000&_sort=_id&_total=accurate",
        "Communication?_count=5&_sort=sent&_include=*",
        "Patient/{id}/Communication?_count=1000",
        "?_type=Communication,Task&_count=1000",
        "?_type=Communication,Task&_count=1000&_sort=-_lastUpdated",
        "Patient/{id}/*?_type=Communication",
        "Patient/{id}/$everything?_type=Communication",
        "Patient/$everything?_type=Communication",
    ],
)
def test_pages_end_early(narrow, path: str) -> None:
    api, patient, messages = narrow
    found = walk(api, path.format(id=patient["id"]))
    assert sorted(found) == sorted(one["id"] for one in messages)


def test_a_history_ends_early(narrow) -> None:
    api, _, messages = narrow
    first = messages[0]
    for at in range(9):
        text = [{"contentString": f"{at}" * SIZE}]
        answer = api.call("PUT", f"Communication/{first['id']}", {**first, "payload": text})
        assert answer.status_code == 200
    versions, url = [], f"Communication/{first['id']}/_history?_count=100"
    while url:
        bundle = api.call("GET", url).json()
        assert len(bundle["entry"]) <= 3
        assert bundle["total"] == 10
        versions += [one["resource"]["meta"]["versionId"] for one in bundle["entry"]]
        url = links(bundle).get("next", "")
    assert len(versions) == len(set(versions)) == 10


def test_what_is_included_takes_fewer_matches(narrow) -> None:
    api, _, messages = narrow
    for message in messages:
        to = {"reference": f"Communication/{message['id']}"}
        api.make("Communication", status="in-progress", partOf=[to])
    url, found, included = (
        "Communication?status=in-progress&_count=100&_include=Communication:part-of",
        [],
        [],
    )
    while url:
        bundle = api.call("GET", url).json()
        modes = [one["search"]["mode"] for one in bundle["entry"]]
        assert 0 < modes.count("match") == modes.count("include") <= 3
        assert "outcome" not in modes
        for one in bundle["entry"]:
            into = found if one["search"]["mode"] == "match" else included
            into.append(one["resource"]["id"])
        url = links(bundle).get("next", "")
    assert len(found) == len(set(found)) == 12
    assert sorted(included) == sorted(one["id"] for one in messages)


def test_it_is_said_that_a_single_match_includes_too_much(narrow) -> None:
    api, patient, _ = narrow
    query = f"Patient?_id={patient['id']}&_revinclude=Communication:subject"
    bundle = api.call("GET", query).json()
    modes = [one["search"]["mode"] for one in bundle["entry"]]
    assert modes == ["match", *["include"] * 3, "outcome"]
    outcome = bundle["entry"][-1]["resource"]
    assert outcome["issue"][0]["code"] == "incomplete"
