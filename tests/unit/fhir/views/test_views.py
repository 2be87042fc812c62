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


TOO_LONG = [
    ("(" * 80 + "id" + ")" * 80, "parentheses in each other"),
    ("name" + ".where(true)" * 700, "words and signs"),
    ("name" + ".where(true)" * 90, "steps"),
    ("id" + "+'x'" * 500, "steps"),
    ("extension.where(" * 80 + "url" + ")" * 80, "parentheses in each other"),
    ("id.", "a name was expected"),
]


@pytest.mark.parametrize(("path", "why"), TOO_LONG)
def test_a_path_has_bounds(path: str, why: str) -> None:
    with pytest.raises(BadView, match=why):
        compiled(view({"column": [column("a", path)]}))
    with pytest.raises(BadView, match=why):
        compiled(view({"column": [ID]}, where=[{"path": path}]))
    with pytest.raises(BadView, match=why):
        compiled(view({"forEach": path, "column": [ID]}))


@pytest.mark.parametrize(
    "path",
    [
        "name" + ".where(true)" * 60 + ".family.first()",
        "id" + "+'x'" * 60,
        "(" * 20 + "id" + ")" * 20,
        "extension.where(" * 20 + "url" + ")" * 20 + ".url.first()",
        "active" + ".not()" * 60,
    ],
)
def test_what_is_within_the_bounds_of_a_path_is_run(path: str) -> None:
    assert len(rows(view({"column": [column("a", path)]}))) == 2


def nested(depth: int, **more: Any) -> dict[str, Any]:
    inner: dict[str, Any] = {"column": [ID]}
    for _ in range(depth):
        inner = {**more, "select": [inner]}
    return inner


MANY = [column(f"c{n}", "id") for n in range(201)]
TOO_MUCH = [
    (view({"column": MANY}), "column has more than 200"),
    (view({"column": MANY[:101]}, {"column": MANY[101:]}), "more than 200 columns"),
    (view({"column": [ID]}, where=[{"path": "active"}] * 201), "where has more than 200"),
    (
        view({"column": [ID]}, constant=[{"name": f"c{n}", "valueCode": "a"} for n in range(201)]),
        "constant has more than 200",
    ),
    (view({"unionAll": [{"column": [ID]}] * 201}), "unionAll has more than 200"),
    (view({"repeat": ["link"] * 201, "column": [ID]}), "200 at most"),
    (view(nested(300)), "within more than 10 others"),
    (view({"unionAll": [{"column": MANY[:200]}] * 200}), "columns and selections"),
]


@pytest.mark.parametrize(("definition", "why"), TOO_MUCH)
def test_a_view_has_bounds(definition: dict[str, Any], why: str) -> None:
    with pytest.raises(BadView, match=why):
        compiled(definition)


def test_as_much_as_a_view_may_have() -> None:
    assert len(compiled(view({"column": MANY[:200]})).columns) == 200
    assert rows(view(nested(9, forEach="extension"))) == []
