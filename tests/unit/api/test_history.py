"""The history of one resource: parts of it by time, and parts of each version."""

from __future__ import annotations

import pytest

MINUTE = 60_000


@pytest.fixture
def api(shared_api):
    return shared_api


@pytest.fixture(scope="module")
def aged(shared_api) -> dict:
    """A patient who is made at noon, changed five and ten minutes later, and deleted at 12:15."""
    api = shared_api
    made = api.make(gender="male", birthDate="2001-02-03")
    api.clock.now += 5 * MINUTE
    api.call("PUT", f"Patient/{made['id']}", {**made, "gender": "other"})
    api.clock.now += 5 * MINUTE
    api.call("PUT", f"Patient/{made['id']}", {**made, "gender": "unknown"})
    api.clock.now += 5 * MINUTE
    api.call("DELETE", f"Patient/{made['id']}")
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["gone", "unknown", "other", "male"]),
        ("_since=2024-03-10T12:05:00Z", ["gone", "unknown", "other"]),
        ("_since=2024-03-10T12:05:00.001Z", ["gone", "unknown"]),
        ("_since=2024-03-10T13:05:00.001%2B01:00", ["gone", "unknown"]),
        ("_since=2024-03-11", []),
        ("_since=2024", ["gone", "unknown", "other", "male"]),
        # Whatever was current at some time of the stretch.
        ("_at=2024-03-10T12:05:00.000Z", ["other"]),
        ("_at=2024-03-10T12:04:59Z", ["male"]),
        ("_at=2024-03-10T12:07Z", ["other"]),
        ("_at=2024-03-10T12:10Z", ["unknown", "other"][:1]),
        ("_at=2024-03-10", ["gone", "unknown", "other", "male"]),
        ("_at=2024-03-09", []),
        ("_at=2025", ["gone"]),
        ("_at=2024-03-10&_since=2024-03-10T12:10:00Z", ["gone", "unknown"]),
    ],
)
@pytest.mark.parametrize("count", [None, 1])
def test_versions_by_their_time(api, aged, query: str, expected: list[str], count) -> None:
    url = f"Patient/{aged['id']}/_history?{query}" + (f"&_count={count}" if count else "")
    found: list[str] = []
    methods = []
    while url:
        answer = api.call("GET", url)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        assert bundle["total"] == len(expected)
        for entry in bundle.get("entry", []):
            found.append(entry["resource"]["gender"] if "resource" in entry else "gone")
            methods.append(entry["request"]["method"])
        url = next((one["url"] for one in bundle["link"] if one["relation"] == "next"), None)
    assert found == expected
    names = {"gone": "DELETE", "male": "POST"}
    assert methods == [names.get(one, "PUT") for one in expected]


def test_parts_of_each_version(api, aged) -> None:
    path = f"Patient/{aged['id']}/_history"
    gone, *versions = api.call("GET", f"{path}?_elements=gender").json()["entry"]
    assert "resource" not in gone
    for entry in versions:
        assert entry["resource"].keys() == {"resourceType", "id", "meta", "gender"}
        assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    (summed, *_) = api.call("GET", f"{path}?_summary=text&_count=2").json()["entry"][1:]
    assert "gender" not in summed["resource"]
    counted = api.call("GET", f"{path}?_summary=count").json()
    assert (counted["total"], "entry" in counted) == (4, False)
    assert api.call("GET", f"{path}?_summary=true").status_code == 200


@pytest.mark.parametrize("query", ["_since=noon", "_at=1", "_sort=date", "_count=x", "_summary=x"])
def test_what_is_no_parameter_of_a_history(api, aged, query: str) -> None:
    answer = api.call("GET", f"Patient/{aged['id']}/_history?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.text


@pytest.mark.parametrize("query", ["", "?_since=2024", "?_at=2024"])
def test_of_what_never_was(api, query: str) -> None:
    assert api.call("GET", f"Patient/{api.never}/_history{query}").status_code == 404
