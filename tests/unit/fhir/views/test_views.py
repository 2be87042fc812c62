"""Which rows a view makes of resources (SQL on FHIR 2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from threadwell.fhir.views.definition import BadView, SeveralValues, compiled

ADA = {
    "resourceType": "Patient",
    "id": "ada",
    "active": True,
    "birthDate": "1980-05",
    "multipleBirthInteger": 2,
    "name": [
        {"use": "official", "family": "Ames", "given": ["Ada", "May"]},
        {"use": "nickname", "given": ["Addie"]},
    ],
    "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}],
    "contact": [
        {"name": {"family": "Ames"}, "telecom": [{"value": "3"}, {"value": "4"}]},
        {"name": {"family": "Bell"}},
    ],
    "link": [{"other": {"reference": "Patient/ada"}, "type": "seealso"}],
    "extension": [{"url": "urn:color", "valueCode": "red"}],
}
BEN = {"resourceType": "Patient", "id": "ben", "active": False}
ANSWERS = {
    "resourceType": "QuestionnaireResponse",
    "id": "q",
    "status": "completed",
    "item": [
        {"linkId": "1", "item": [{"linkId": "1.1", "answer": [{"item": [{"linkId": "1.1.1"}]}]}]},
        {"linkId": "2"},
    ],
}


def view(*select: dict[str, Any], resource: str = "Patient", **more: Any) -> dict[str, Any]:
    return {"resource": resource, "select": list(select), **more}


def column(name: str, path: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "path": path or name, **more}


def rows(definition: dict[str, Any], *resources: dict[str, Any]) -> list[tuple[Any, ...]]:
    made = compiled(definition)
    return [
        tuple(cells[one.name] for one in made.columns)
        for resource in resources or (ADA, BEN)
        for cells in made.rows(resource)
    ]


ID = column("id")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("active", True),
        ("name[1].given[0]", "Addie"),
        ("name[7].family", None),
        ("name.first().family", "Ames"),
        ("name.last().given.first()", "Addie"),
        ("name.where(use = 'official').given.join(' ')", "Ada May"),
        ("name.given.join()", "AdaMayAddie"),
        ("name.exists(use = 'old')", False),
        ("name.where(use = 'old').empty()", True),
        ("(active = true).not()", False),
        ("name.count()", 2),
        ("multipleBirth.ofType(integer) * 2 + 1", 5),
        ("multipleBirth.ofType(integer) / 4", Decimal("0.5")),
        ("multipleBirth.ofType(integer) / 0", None),
        ("multipleBirth.ofType(boolean)", None),
        ("getResourceKey() = link.other.getReferenceKey(Patient)", True),
        ("link.other.getReferenceKey(Group)", None),
        ("extension('urn:color').value.ofType(code)", "red"),
        ("birthDate.lowBoundary()", "1980-05-01"),
        ("birthDate.highBoundary()", "1980-05-31"),
        ("birthDate < @2000-01-01", True),
        ("'fixed'", "fixed"),
        ("%most", 3),
        ("name[%at].use", "nickname"),
    ],
)
def test_paths(path: str, value: Any) -> None:
    constants = [{"name": "most", "valueInteger": 3}, {"name": "at", "valueInteger": 1}]
    made = rows(view({"column": [column("x", path)]}, constant=constants), ADA)
    assert made == [(value,)]


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ([{"column": [ID, column("active")]}], [("ada", True), ("ben", False)]),
        (
            [{"column": [ID]}, {"forEach": "telecom", "column": [column("value")]}],
            [("ada", "1"), ("ada", "2")],
        ),
        (
            [{"column": [ID]}, {"forEachOrNull": "telecom", "column": [column("value")]}],
            [("ada", "1"), ("ada", "2"), ("ben", None)],
        ),
        (
            [
                {
                    "forEach": "contact",
                    "column": [column("family", "name.family"), column("n", "%rowIndex")],
                    "select": [
                        {
                            "forEachOrNull": "telecom",
                            "column": [column("value"), column("m", "%rowIndex")],
                        }
                    ],
                }
            ],
            [("Ames", 0, "3", 0), ("Ames", 0, "4", 1), ("Bell", 1, None, 0)],
        ),
        (
            [
                {"column": [ID]},
                {
                    "unionAll": [
                        {"forEach": "telecom", "column": [column("value")]},
                        {"forEach": "contact.telecom", "column": [column("value")]},
                    ]
                },
            ],
            [("ada", "1"), ("ada", "2"), ("ada", "3"), ("ada", "4")],
        ),
        (
            [{"column": [ID, column("given", "name.given", collection=True)]}],
            [("ada", ["Ada", "May", "Addie"]), ("ben", [])],
        ),
    ],
)
def test_selections(select: list[dict[str, Any]], expected: list[tuple[Any, ...]]) -> None:
    assert rows(view(*select)) == expected


def test_where_and_repeat() -> None:
    where = [{"path": "active"}, {"path": "name.exists()"}]
    assert rows(view({"column": [ID]}, where=where)) == [("ada",)]
    repeat = {
        "repeat": ["item", "answer.item"],
        "column": [column("linkId"), column("n", "%rowIndex")],
    }
    made = rows(view(repeat, resource="QuestionnaireResponse"), ANSWERS)
    assert made == [("1", 0), ("1.1", 1), ("1.1.1", 2), ("2", 3)]


def test_the_types_of_columns_are_known() -> None:
    made = compiled(
        view({"column": [column("a", "active"), column("b", "birthDate", type="string")]})
    )
    assert [(one.name, one.type) for one in made.columns] == [("a", "boolean"), ("b", "string")]


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ([], "a ViewDefinition is a JSON object"),
        ({"select": [{"column": [ID]}]}, "ViewDefinition.resource has to be a resource type of R4"),
        ({"resource": "Patient"}, "ViewDefinition.select has to be there"),
        (view({"forEach": "@@", "column": [ID]}), "ViewDefinition.select[0]: cannot read"),
        (view({"forEach": 1, "column": [ID]}), "ViewDefinition.select[0] is a path"),
        (view({"column": [column("nose")]}), "column[0].path: Patient has no nose"),
        (view({"column": [column("x", "%none")]}), "there is no %none"),
        (view({"column": [column("x", "name.given.fly()")]}), "there is no function fly"),
        (view({"column": [column("a-b", "id")]}), "name has letters, digits and underscores"),
        (view({"column": [ID, ID]}), "there are two columns id"),
        (view({"column": [ID]}, where=[{"path": "name.family"}]), "has to be true or false"),
        (view({"column": [ID]}, constant=[{"name": "x"}]), "has a name and one value"),
        (
            view({"unionAll": [{"column": [ID]}, {"column": [column("other", "id")]}]}),
            "unionAll[1] has other columns than the first",
        ),
        (
            view({"forEach": "name", "forEachOrNull": "name", "column": []}),
            "one of them is allowed",
        ),
    ],
)
def test_what_cannot_be_run_is_told(definition: Any, words: str) -> None:
    with pytest.raises(BadView) as bad:
        compiled(definition)
    assert words in str(bad.value)


def test_a_cell_has_one_value() -> None:
    with pytest.raises(SeveralValues):
        rows(view({"column": [column("given", "name.given")]}))
