"""A view of anybody ends: its paths are bounded, whatever they ask for, of whatever type."""

from __future__ import annotations

import random
from typing import Any

import pytest

from threadwell.fhir.views import definition, paths
from threadwell.fhir.views.definition import BadView, SeveralValues, compiled
from threadwell.fhir.views.paths import TooMuch

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "one",
    "status": "final",
    "_status": {"id": "s"},
    "code": {"text": "Weight", "coding": [{"system": "s", "code": "c"}, {"code": "d"}]},
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2024-01-02",
    "issued": "2024-01-02T03:04:05Z",
    "valueQuantity": {"value": 1.5, "unit": "kg"},
    "component": [
        {"code": {"text": "a"}, "valueBoolean": True},
        {"code": {"text": "b"}, "valueInteger": 7},
    ],
    "extension": [{"url": "urn:u", "valueString": "v"}],
    "identifier": [{"value": "1"}, {"_value": {"id": "q"}}],
}

BASES = (
    "1", "1.5", "'a'", "true", "id", "status", "code", "code.coding", "code.coding.code",
    "code.coding[0]", "effective", "value", "value.ofType(Quantity).value", "component",
    "component.value.ofType(boolean)", "component.value.ofType(integer)", "issued", "subject",
    "subject.reference", "$this", "%rowIndex", "extension.value", "identifier.value", "@2024",
    "@2024-01-02T03:04:05Z", "%context", "contained", "resolve()",
)  # fmt: skip
STEPS = (
    ".matches('a')", ".contains({})", ".startsWith({})", ".join(',')", ".exists({})", ".where({})",
    ".all({})", ".lowBoundary()", ".highBoundary()", ".last()", ".first()", "[0]", ".not()",
    ".empty()", ".isDistinct()", ".hasValue()", ".getResourceKey()", ".getReferenceKey()",
    ".ofType(string)", ".code", ".value", ".count()", ".trace('x')", ".children()",
    ".descendants()", ".combine({})", ".toString()", ".toInteger()", ".select({})",
    ".replaceMatches('a', 'b')", ".intersect({})", ".resolve()", ".tail()", " is string",
    " + {}", " - {}", " * {}", " / {}", " > {}", " = {}", " in {}", " and {}", " | {}", " & {}",
)  # fmt: skip


def rows(path: str, **more: Any) -> list[Any]:
    column = {"name": "a", "path": path, "collection": True}
    view = {"resource": "Observation", "select": [{"column": [column]}], **more}
    return [cells["a"] for cells in compiled(view).rows(OBSERVATION)]


def test_no_path_fails_by_what_it_meets() -> None:
    """Any path has values, or says why not."""
    made = random.Random(20)
    done = 0
    for _ in range(1_500):
        path = made.choice(BASES)
        for _ in range(made.randint(1, 3)):
            step = made.choice(STEPS).format(made.choice(BASES))
            path = f"({path}){step}" if made.random() < 0.3 else path + step
        try:
            rows(path, where=[{"path": path}] if made.random() < 0.2 else [])
            done += 1
        except (BadView, SeveralValues, TooMuch):
            pass
    assert done > 400


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("1.5.matches('1')", False),
        ("component.value.ofType(integer).contains('7')", False),
        ("code.text.startsWith(1)", False),
        ("(code.text & component.value.ofType(integer)) = 'Weight'", True),
        ("code.text > 1", None),
        ("value.ofType(Quantity) > 'a'", None),
        ("true.toString()", "true"),
        ("component.value.ofType(boolean).toInteger()", 1),
        ("code.combine(1).count()", 2),
        ("code.text.replaceMatches('[aeiou]', '*')", "W**ght"),
        ("code.text * 2", None),
        ("true + 1", None),
        ("9223372036854775807 + 1", None),
    ],
)
def test_a_value_of_another_type_is_none_that_is_asked_for(path: str, found: Any) -> None:
    assert rows(path) == [[] if found is None else [found]]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("code.text.matches('[')", "no pattern"),
        ("code.text.matches(id)", "a pattern that is written there"),
        ("status.where(1e5)", "was expected"),
        ("id.where()", "nothing is found"),
        ("9" * 5000, "at most 200 digits"),
        (f"id[{'9' * 5000}]", "at most 200 digits"),
        ("id" + ".select($this | $this)" * 14, "come to too much"),
        ("id" + ".select($this.combine($this) | $this)" * 14, "come to too much"),
    ],
)
def test_a_path_that_cannot_be_is_refused(path: str, says: str) -> None:
    with pytest.raises(BadView, match=says):
        rows(path)


@pytest.mark.parametrize("joined", ["&", "+"])
def test_a_text_does_not_grow_for_ever(joined: str) -> None:
    with pytest.raises(TooMuch, match="letters"):
        rows("id" + f".select($this {joined} $this)" * 25)


@pytest.mark.parametrize(
    "path",
    [
        "id" + ".select($this.combine($this))" * 25,
        "%resource.descendants()" + ".select(%resource.descendants())" * 6,
        "descendants()" + ".where(%resource.descendants().combine($this).exists())" * 1,
        "descendants().where(%resource.descendants().code.isDistinct())",
        "descendants().where(%resource.descendants().code = %resource.descendants().code)",
        "descendants().select(%context.code.coding).count()",
        "+".join([f"({'+'.join(['code.coding.code.count()'] * 30)})"] * 2),
        f"code.coding.code{'.intersect(%resource.code.coding.code)' * 30}",
        f"({' and '.join(['code.coding.code.isDistinct()'] * 60)})",
    ],
)
def test_what_is_looked_at_is_counted(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(paths, "MOST_STEPS", 100)
    with pytest.raises(TooMuch, match="100 steps"):
        rows(path)


def test_what_all_asks_of_the_whole_is_asked_once() -> None:
    inner = "%resource.descendants().exists()"
    for _ in range(15):
        inner = f"%resource.descendants().all({inner})"
    assert rows(inner) == [[True]]


def test_rows_that_come_to_nothing_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_STEPS", 1_000)
    select: dict[str, Any] = {"forEach": "contained", "column": [{"name": "a", "path": "id"}]}
    for _ in range(6):
        select = {"forEach": "%resource.descendants()", "select": [select]}
    with pytest.raises(TooMuch, match="1,000 steps"):
        compiled({"resource": "Observation", "select": [select]}).rows(OBSERVATION)


def test_patterns_are_for_those_who_wait_for_them() -> None:
    column = {"name": "a", "path": "code.text.matches('a+')"}
    view = {"resource": "Observation", "select": [{"column": [column]}]}
    assert compiled(view).rows(OBSERVATION) == [{"a": False}]
    with pytest.raises(BadView, match="by command or in Python"):
        compiled(view, patterns=False)


def test_a_number_that_is_too_large_is_none() -> None:
    assert rows(f"1{'0' * 190}.0" + ".select($this * $this)" * 20) == [[]]


@pytest.mark.parametrize("joined", ["combine($this)", "select($this | $this)"])
def test_what_one_step_finds_is_counted(monkeypatch: pytest.MonkeyPatch, joined: str) -> None:
    monkeypatch.setattr(paths, "MOST_STEPS", 100)
    with pytest.raises(TooMuch, match="100 steps"):
        rows("%resource.descendants()" + f".{joined}" * 5)


def _many(number: int) -> dict[str, Any]:
    """Rows of two selections beside each other: 36 of them."""
    one = {"forEach": "code.coding.code.combine(code.coding.code).combine(code.coding.code)"}
    names = f"a{number}", f"b{number}"
    return {"select": [{**one, "column": [{"name": name, "path": "$this"}]} for name in names]}


def test_rows_of_a_union_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "MOST_ROWS", 50)
    assert len(compiled({"resource": "Observation", **_many(0)}).rows(OBSERVATION)) == 36
    view = {"resource": "Observation", "select": [{"unionAll": [_many(0), _many(0)]}]}
    with pytest.raises(TooMuch, match="more than 50 rows"):
        compiled(view).rows(OBSERVATION)


def test_rows_that_go_with_none_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are made before it shows that there is none to go with them."""
    none = {"forEach": "contained", "column": [{"name": "none", "path": "id"}]}
    select = [*(_many(number) for number in range(20)), none]
    view = {"resource": "Observation", "select": select}
    assert compiled(view).rows(OBSERVATION) == []
    monkeypatch.setattr(paths, "MOST_CELLS", 1_000)
    with pytest.raises(TooMuch, match="1,000 cells"):
        compiled(view).rows(OBSERVATION)


def test_what_many_references_lead_to_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_STEPS", 100)
    patient = {
        "resourceType": "Patient",
        "contained": [{"resourceType": "Organization", "id": "o", "meta": {"tag": [{}] * 20}}],
        "generalPractitioner": [{"reference": "#o"}] * 20,
    }
    path = "generalPractitioner.resolve().meta.tag.first()"
    view = {"resource": "Patient", "select": [{"column": [{"name": "a", "path": path}]}]}
    with pytest.raises(TooMuch, match="100 steps"):
        compiled(view).rows(patient)
