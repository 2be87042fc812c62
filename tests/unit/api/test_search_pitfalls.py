"""Searches that servers are known to answer wrongly, as they go over the wire, on every store."""

from __future__ import annotations

from urllib.parse import quote

import pytest

UCUM = "http://unitsofmeasure.org"


@pytest.fixture(scope="module")
def names(shared_api):
    """What is there, by the id that it has."""

    def make(what: str, type_: str, **members):
        found[shared_api.make(type_, **members)["id"]] = what

    found: dict[str, str] = {}
    make("plain", "Patient", name=[{"family": "Doe, Jr", "given": ["Ann"]}], gender="female")
    make("percent", "Patient", name=[{"family": "50%_off"}], birthDate="1980-02-29")
    make("dots", "Patient", name=[{"family": "50xyoff"}], birthDate="1980-02")
    make("accent", "Patient", name=[{"family": "Muñoz-Ångström"}], gender="male")
    tags = [{"system": "urn:tags", "code": "a|b"}, {"system": "urn:tags", "code": "c$d"}]
    make("odd", "Patient", identifier=[{"system": "urn:x", "value": "1,2"}], meta={"tag": tags})

    def observe(name: str, value: float, *, at: str, unit: str = "Cel", **more):
        quantity = {"value": value, "system": UCUM, "code": unit, "unit": unit}
        code = {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}
        more = {"status": "final", "code": code, "valueQuantity": quantity, **more}
        make(name, "Observation", effectiveDateTime=at, **more)

    observe("cold", -5.5, at="2024-02-29T23:30:00-05:00")
    observe("zero", 0, at="2024-03-01T04:30:00Z", status="amended")
    observe("warm", 37.50, at="2024-03")
    observe("hot", 41, at="2024-03-01T12:00:00.123+05:45", status="cancelled")
    urn = {"reference": "urn:uuid:11111111-2222-4333-8444-555555555555"}
    observe("urn", 1, at="2023", unit="mmol/L", subject=urn)
    return found


CASES: dict[str, str] = {
    # What is escaped, and what is special to SQL alone.
    r"Patient?family=doe\, jr": "plain",
    "Patient?family=doe, jr": "plain",
    "Patient?family:exact=Doe": "",
    "Patient?family:contains=%": "400",
    "Patient?family:contains=0%_o": "percent",
    "Patient?family:contains=_": "400",
    "Patient?family=50": "percent dots",
    r"Patient?identifier=1\,2": "odd",
    "Patient?identifier=1,2": "",
    r"Patient?identifier=urn:x|1\,2": "odd",
    r"Patient?_tag=urn:tags|a\|b": "odd",
    r"Patient?_tag=urn:tags|c\$d": "odd",
    "Patient?_tag:not=urn:tags|x": "plain percent dots accent odd",
    # Case, accents, parts of a name.
    "Patient?family=munoz": "accent",
    "Patient?family=MUÑOZ": "accent",
    "Patient?family=angstrom": "accent",
    "Patient?family:exact=munoz-angstrom": "",
    "Patient?name=ann": "plain",
    # Missing, and not.
    "Patient?gender:missing=true": "percent dots odd",
    "Patient?gender:not=female": "percent dots accent odd",
    "Patient?gender:not=female,male": "percent dots odd",
    "Patient?gender:not=female&gender:not=male": "percent dots odd",
    "Patient?gender=female&gender=male": "",
    "Patient?gender=female,male": "plain accent",
    # Dates that are known in part, on leap days, over the ends of days.
    "Patient?birthdate=1980-02": "percent dots",
    "Patient?birthdate=1980-02-29": "percent",
    "Patient?birthdate=ne1980-02-29": "dots",
    "Patient?birthdate=sa1980-02-28": "percent",
    "Patient?birthdate=eb1980-03": "percent dots",
    "Patient?birthdate=1981-02-29": "400",
    "Patient?birthdate=1980-2": "400",
    "Observation?date=2024-03-01T04:30:00Z": "cold zero",
    "Observation?date=2024-03-01": "cold zero hot",
    "Observation?date=2024-03-01T04:30Z": "cold zero",
    "Observation?date=2024-02-29T23:30:00-05:00": "cold zero",
    "Observation?date=ge2024-03-01&date=lt2024-03-02": "cold zero warm hot",
    "Observation?date=sa2024-02&date=eb2024-04": "cold zero warm hot",
    "Observation?date=2024-03": "cold zero warm hot",
    "Observation?date=lt2024": "urn",
    "Observation?date=2024-03-01T06:15:00.123Z": "hot",
    # Numbers below zero, with zeros at the end, in exponents; units.
    "Observation?value-quantity=-5.5": "cold",
    "Observation?value-quantity=lt0": "cold",
    "Observation?value-quantity=0": "zero",
    "Observation?value-quantity=gt-6": "cold zero warm hot urn",
    "Observation?value-quantity=37.5": "warm",
    "Observation?value-quantity=37.50": "warm",
    "Observation?value-quantity=38": "warm",
    "Observation?value-quantity=37.6": "",
    f"Observation?value-quantity=1|{UCUM}|mmol/L": "urn",
    # UCUM has both letters for the litre.
    f"Observation?value-quantity=1|{UCUM}|mmol/l": "urn",
    f"Observation?value-quantity=1|{UCUM}|mmol/dL": "",
    f"Observation?value-quantity=1|{UCUM}|MMOL/L": "",
    # A canonical may lead to any type, also to one whose url is no search parameter.
    "EventDefinition?successor=http://example.org/none": "",
    "RequestGroup?instantiates-canonical=http://example.org/none&_include=*": "",
    "Observation?value-quantity=1||mmol/L": "urn",
    "Observation?value-quantity=ap40||Cel": "warm hot",
    "Observation?code-value-quantity=http://loinc.org|8310-5$gt37": "warm hot",
    "Observation?code-value-quantity=8310-5$lt0,8310-5$gt40": "cold hot",
    # References that lead nowhere.
    "Observation?subject=urn:uuid:11111111-2222-4333-8444-555555555555": "urn",
    "Observation?subject:missing=true": "cold zero warm hot",
    "Observation?status:not=final,amended": "hot",
    # What is empty, unknown, or there twice.
    "Patient?gender=": "400",
    "Patient?name=,": "400",
    "Patient?genderr=female": "400",
    "Patient?gender:upper=female": "400",
    "Patient?_count=-1": "400",
    "Patient?_sort=nonsense": "400",
    "Patient?_id=a,b": "",
    "Patient?_lastUpdated=ge2000&_lastUpdated=lt2001": "",
}


@pytest.mark.parametrize(("search", "expected"), CASES.items())
def test_a_search_over_the_wire(shared_api, names, search: str, expected: str) -> None:
    path, _, query = search.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    sent = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, _, value in pairs)
    answer = shared_api.call("GET", f"{path}?{sent}&_total=accurate")
    form = f"{sent}&_total=accurate".encode()
    kind = "application/x-www-form-urlencoded"
    by_post = shared_api.call("POST", f"{path}/_search", form, content_type=kind)
    assert by_post.status_code == answer.status_code
    if expected == "400":
        assert answer.status_code == 400
        return
    bundle = answer.json()
    found = [names[one["resource"]["id"]] for one in bundle.get("entry", [])]
    assert sorted(found) == sorted(expected.split())
    assert bundle["total"] == len(found)
    assert by_post.json() == bundle


OF_TYPE = [
    ("urn:types|MR|1", "a"),
    ("urn:types|MR|2", "b"),
    ("urn:types|MR|1,urn:types|MR|2", "ab"),
    ("urn:other|own|1", "a"),
    ("urn:types|SS|1", "b"),
    ("urn:types|MR|3", ""),
    ("urn:other|MR|1", ""),
    ("urn:types|MR|x\\|y", "c"),
    ("urn:types|MR", None),
    ("urn:types||1", None),
    ("|MR|1", None),
    ("1", None),
]


def test_of_type(api) -> None:
    both = [{"system": "urn:types", "code": "MR"}, {"system": "urn:other", "code": "own"}]
    social = [{"system": "urn:types", "code": "SS"}]
    given = {
        "a": [(both, "1")],
        "b": [(both[:1], "2"), (social, "1")],
        "c": [(both[:1], "x|y")],
        "d": [([{"code": "MR"}], "1")],
    }
    who = {}
    for name, identifiers in given.items():
        listed = [{"type": {"coding": codes}, "value": value} for codes, value in identifiers]
        made = api.make(identifier=listed)
        reference = {"reference": f"Patient/{made['id']}"}
        task = api.make("Task", status="requested", intent="order", **{"for": reference})
        who |= {made["id"]: name, task["id"]: name}
    for value, found in OF_TYPE:
        for searched in ("Patient?identifier", "Task?patient.identifier"):
            answer = api.call("GET", f"{searched}:of-type={value}")
            assert answer.status_code == (400 if found is None else 200), value
            entries = answer.json().get("entry", [])
            assert sorted(who[one["resource"]["id"]] for one in entries) == sorted(found or "")
    # The usual ways find each once, and not by its type.
    assert sorted(who[id_] for id_ in api.ids("Patient?identifier=1")) == ["a", "b", "d"]
    assert api.ids("Patient?identifier=urn:types|1") == []
