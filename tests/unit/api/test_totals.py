"""What a searchset says of a total that would take too long to count."""

from __future__ import annotations

import pytest

from threadwell.stores.sql import counting

#: A store in memory counts everything.
pytestmark = pytest.mark.parametrize("store", ["sqlite", "postgres"], indirect=True)
#: Three of these, and no list that has them alone.
_SEVERAL = "Patient?active=true&gender=female"


@pytest.fixture
def people(api, monkeypatch):
    for number in range(4):
        api.make(active=True, gender="female" if number else "male")
    monkeypatch.setattr(counting, "MOST", 2)
    monkeypatch.setattr(counting, "ENOUGH", 2)
    return api


def _told(bundle: dict) -> list[tuple[str, str]]:
    outcomes = [one for one in bundle.get("entry", ()) if one["search"]["mode"] == "outcome"]
    issues = [issue for one in outcomes for issue in one["resource"]["issue"]]
    return [(issue["severity"], issue["code"]) for issue in issues]


@pytest.mark.parametrize(
    ("asked", "total", "told"),
    [
        ("_total=accurate", None, [("warning", "too-costly")]),
        ("_summary=count&_total=accurate", None, [("warning", "too-costly")]),
        ("_summary=count", 3, [("information", "too-costly")]),
        ("_total=estimate", 3, []),
        ("_total=none", None, []),
    ],
)
def test_a_total_that_takes_too_long(people, asked: str, total: int | None, told: list) -> None:
    bundle = people.call("GET", f"{_SEVERAL}&{asked}").json()
    if total is None:
        assert "total" not in bundle
    else:
        # An estimate: no less than the page has, and no more than there are.
        assert 0 <= bundle["total"] <= 4
    assert _told(bundle) == told
    matches = [one for one in bundle.get("entry", ()) if one["search"]["mode"] == "match"]
    assert len(matches) == (0 if "_summary" in asked else 3)


@pytest.mark.parametrize("asked", ["_total=accurate", "_summary=count"])
def test_of_one_list_the_number_is_exact_however_long_it_is(people, asked: str) -> None:
    for search, total in (("gender=female", 3), ("active=true", 4), ("", 4)):
        bundle = people.call("GET", f"Patient?{search}&{asked}").json()
        assert (bundle["total"], _told(bundle)) == (total, [])
    people.make(active=True, gender="female")
    assert people.call("GET", f"Patient?gender=female&{asked}").json()["total"] == 4


def test_of_several_types_together(people) -> None:
    for asked, known in (("_total=accurate", False), ("_summary=count", True)):
        bundle = people.call(
            "GET", f"?_type=Patient,RelatedPerson&active=true&gender=female&{asked}"
        ).json()
        assert ("total" in bundle) is known
        assert [code for _, code in _told(bundle)] == ["too-costly"]
