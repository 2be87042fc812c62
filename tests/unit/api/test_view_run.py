"""``$viewdefinition-run``: tables of what is there, through the caller's view."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from pyarrow import parquet

from threadwell.api.rest import view_run
from threadwell.bulk import tables

VIEW = {
    "resourceType": "ViewDefinition",
    "resource": "Patient",
    "select": [
        {
            "column": [
                {"name": "id", "path": "id"},
                {"name": "family", "path": "name.family.first()"},
                {"name": "active", "path": "active"},
            ]
        }
    ],
}


def fill(api: Any, count: int = 5) -> list[dict[str, Any]]:
    return [api.make(name=[{"family": f'O"Neil, {n}'}], active=n % 2 == 0) for n in range(count)]


def parameters(**more: Any) -> dict[str, Any]:
    given = [{"name": name, **value} for name, value in more.items()]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "viewResource", "resource": VIEW}, *given],
    }


@pytest.mark.parametrize(
    "path", ["$viewdefinition-run", "ViewDefinition/$viewdefinition-run", "ViewDefinition/$run"]
)
def test_the_same_in_each_format(api, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(tables, "_AT_ONCE", 2)
    there = [
        {"id": one["id"], "family": one["name"][0]["family"], "active": one["active"]}
        for one in fill(api)
    ]
    text = api.call("POST", path, VIEW)
    assert (text.status_code, text.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    read = list(csv.DictReader(io.StringIO(text.text)))
    assert read == [{**one, "active": str(one["active"]).lower()} for one in there]
    lines = api.call("POST", f"{path}?_format=ndjson", VIEW)
    assert [json.loads(line) for line in lines.text.splitlines()] == there
    assert api.call("POST", path, parameters(_format={"valueCode": "json"})).json() == there
    some = api.call("POST", f"{path}?_format=json&_limit=3", VIEW)
    assert some.json() == there[:3]
    bare = api.call("POST", f"{path}?header=false&_limit=1", VIEW)
    assert bare.text.count("\r\n") == 1


def test_parquet(new_api) -> None:
    api = new_api()
    there = fill(api)
    answer = api.call("POST", "$viewdefinition-run?_format=parquet", VIEW)
    read = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert read == [
        {"id": one["id"], "family": one["name"][0]["family"], "active": one["active"]}
        for one in there
    ]


def test_of_one_patient_and_of_ours(new_api) -> None:
    api = new_api()
    first, second, *_ = fill(api)
    body = parameters(patient={"valueReference": {"reference": f"Patient/{second['id']}"}})
    assert (
        api.call("POST", "$viewdefinition-run?_format=json", body).json()[0]["id"] == second["id"]
    )
    header = api.make("Communication", status="completed")
    message = api.make(
        "Communication",
        status="completed",
        sent="2024-04-10T09:00:00Z",
        partOf=[{"reference": f"Communication/{header['id']}"}],
        sender={"reference": f"Patient/{first['id']}"},
        subject={"reference": f"Patient/{first['id']}"},
        payload=[{"contentString": "hello"}],
    )
    told = api.call("GET", "ViewDefinition/messages/$viewdefinition-run?_format=json")
    assert told.json() == [
        {
            "message": f"Communication/{message['id']}",
            "thread": f"Communication/{header['id']}",
            "patient": f"Patient/{first['id']}",
            "status": "completed",
            "medium": None,
            "sent": "2024-04-10T09:00:00Z",
            "sender": f"Patient/{first['id']}",
            "from_patient": True,
            "answers": None,
            "files": 0,
        }
    ]
    assert api.call("GET", "ViewDefinition/none/$viewdefinition-run").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("$viewdefinition-run", {**VIEW, "resource": "Horse"}, 422, "a resource type of R4"),
        ("$viewdefinition-run?_format=xml", VIEW, 400, "_format is one of csv, ndjson, json"),
        ("$viewdefinition-run", {"resourceType": "Parameters"}, 400, "viewResource is missing"),
        ("$viewdefinition-run", parameters(group={"valueString": "x"}), 400, "Unknown parameter"),
        (
            "$viewdefinition-run",
            {**VIEW, "select": [{"column": [{"name": "all", "path": "name.given"}]}]},
            422,
            "all has several values",
        ),
    ],
)
def test_what_cannot_be_run_is_told(new_api, path: str, body: Any, status: int, text: str) -> None:
    api = new_api()
    api.make(name=[{"given": ["a", "b"]}])
    answer = api.call("POST", path, body)
    assert answer.status_code == status
    assert text in api.texts(answer)[0]


@pytest.mark.parametrize(
    "path", ["(" * 80 + "id" + ")" * 80, "name" + ".where(true)" * 700, "id" + "+'x'" * 500]
)
def test_a_path_that_is_too_long_is_told(api, path: str) -> None:
    asked = {**VIEW, "select": [{"column": [{"name": "a", "path": path}]}]}
    answer = api.call("POST", "$viewdefinition-run", asked)
    assert answer.status_code == 422
    assert "column[0].path: an expression" in answer.text


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("id" + ".select($this | $this)" * 20, "invalid", "come to too much"),
        ("id" + ".select($this & $this)" * 30, "processing", "letters"),
        ("id.matches('a')", "invalid", "by command or in Python"),
    ],
)
def test_a_path_that_grows_is_told(api, path: str, code: str, says: str) -> None:
    fill(api, 1)
    view = {**VIEW, "select": [{"column": [{"name": "id", "path": path}]}]}
    answer = api.call("POST", "$viewdefinition-run", view)
    assert answer.status_code == 422
    (issue,) = answer.json()["issue"]
    assert issue["code"] == code
    assert says in json.dumps(issue)


def test_others_have_their_turn_while_rows_are_made() -> None:
    class Slow:
        def rows(self, _: Any) -> list[dict[str, Any]]:
            time.sleep(0.15)
            return [{"a": 1}] * 2500

    async def run() -> tuple[list[int], int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        beside = asyncio.create_task(other())
        versions: Any = [SimpleNamespace(body=b"{}")] * 3
        view: Any = Slow()
        sizes = [len(some) async for some in tables._of(view, versions)]
        beside.cancel()
        return sizes, turns

    sizes, turns = asyncio.run(run())
    assert sizes == [1000, 1000, 500] * 3
    assert turns > 10


@pytest.mark.parametrize("format_", ["csv", "ndjson", "parquet"])
def test_rows_of_long_texts_are_written_apart(
    new_api, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    """However long the texts of rows are, few of them are in memory at a time."""
    monkeypatch.setattr(tables, "_LETTERS", 1_000)
    monkeypatch.setattr(tables, "_GROUP_LETTERS", 1_000)
    api = new_api()
    there = [api.make(name=[{"family": f"{n}" * 400}]) for n in range(9)]
    pieces: list[int] = []
    rows_of = tables.rows_of

    async def noted(*asked: Any) -> Any:
        async for some in rows_of(*asked):
            pieces.append(len(some))
            yield some

    monkeypatch.setattr(view_run, "rows_of", noted)
    answer = api.call("POST", f"$viewdefinition-run?_format={format_}", VIEW)
    assert (sum(pieces), max(pieces)) == (9, 2)
    if format_ == "parquet":
        file = parquet.ParquetFile(io.BytesIO(answer.content))
        assert file.num_row_groups > 1
        shown = file.read().to_pylist()
    elif format_ == "csv":
        shown = list(csv.DictReader(io.StringIO(answer.text)))
    else:
        shown = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["family"] for one in shown] == [one["name"][0]["family"] for one in there]


def test_a_row_that_is_too_long_is_refused(new_api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_LETTERS", 1_000)
    api = new_api()
    api.make(name=[{"family": "x" * 300}])
    several = [{"name": f"c{n}", "path": "name", "collection": True} for n in range(4)]
    view = {
        "resourceType": "ViewDefinition",
        "resource": "Patient",
        "select": [{"column": several}],
    }
    answer = api.call("POST", "$viewdefinition-run", view)
    assert answer.status_code == 422
    assert "a row has more than 1,000 letters" in answer.text


@pytest.mark.parametrize(
    ("path", "type_", "found"),
    [
        ("name.family", "integer", None),
        ("name.family", "decimal", None),
        ("name.family", "boolean", None),
        ("name", "integer", None),
        ("multipleBirth.ofType(integer) / 4", "integer", None),
        ("'9' + '9'", "integer", None),
        ("99999999999999999999", "integer", None),
        ("active", "integer", None),
        ("multipleBirth.ofType(integer) / 4", "decimal", 0.5),
        ("multipleBirth.ofType(integer) / 2", "integer", 1),
        ("multipleBirth.ofType(integer)", "string", "2"),
        ("active", "boolean", False),
        ("name.family + '!'", "", "Aal!"),
        ("multipleBirth.ofType(integer) + 1", "", 3.0),
    ],
)
def test_a_value_of_a_column_is_of_its_type(new_api, path: str, type_: str, found: Any) -> None:
    """Or it is told, without the value: a wrong one is never written."""
    api = new_api()
    api.make(name=[{"family": "Aal"}], multipleBirthInteger=2, active=False)
    column = {"name": "a", "path": path, **({"type": type_} if type_ else {})}
    view = {
        "resourceType": "ViewDefinition",
        "resource": "Patient",
        "select": [{"column": [column]}],
    }
    answer = api.call("POST", "$viewdefinition-run?_format=parquet", view)
    if found is None:
        assert (answer.status_code, api.texts(answer)) == (
            422,
            [f"a has a value that is no {type_}"],
        )
    else:
        assert parquet.read_table(io.BytesIO(answer.content)).to_pylist() == [{"a": found}]
