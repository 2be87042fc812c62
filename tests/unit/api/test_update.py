"""update, patch and delete, by id and by condition, and who wins where several write."""

from __future__ import annotations

import asyncio

import pytest

JSON_PATCH = "application/json-patch+json"


def patch(op: str, path: str, **more: object) -> dict[str, object]:
    return {"op": op, "path": path, **more}


def test_update_makes_a_version(api) -> None:
    made = api.make()
    answer = api.call("PUT", f"Patient/{made['id']}", {**made, "gender": "female"})
    assert answer.status_code == 200
    assert answer.json()["gender"] == "female"
    assert answer.json()["meta"]["versionId"] != made["meta"]["versionId"]
    assert api.versions("Patient", made["id"]) == 2


def test_update_with_what_is_there_makes_none(api) -> None:
    made = api.make(name=[{"family": "Brook", "given": ["Ada"]}], meta={"tag": [{"code": "a"}]})
    path = f"Patient/{made['id']}"
    extended = api.call("GET", path, x_medplum="extended").json()
    shuffled = dict(reversed(made.items())) | {"name": [{"given": ["Ada"], "family": "Brook"}]}
    unmarked = {**made, "meta": {"tag": [{"code": "a"}]}}
    for body in (made, extended, shuffled, unmarked):
        answer = api.call("PUT", path, body)
        assert (answer.status_code, answer.json()) == (200, made)
    assert api.versions("Patient", made["id"]) == 1


def test_a_decimal_with_other_digits_is_a_change(api) -> None:
    text = (
        '{"resourceType":"Observation",%s"status":"final","code":{"text":"x"},'
        '"valueQuantity":{"value":%s}}'
    )
    made = api.call(
        "POST", "Observation", (text % ("", "1.1")).encode(), content_type="application/json"
    ).json()
    body = (text % (f'"id":"{made["id"]}",', "1.10")).encode()
    answer = api.call("PUT", f"Observation/{made['id']}", body, content_type="application/json")
    assert answer.json()["meta"]["versionId"] != made["meta"]["versionId"]


def test_update_of_something_else(api) -> None:
    made = api.make()
    path = f"Patient/{made['id']}"
    for target, body, status in [
        (path, {"resourceType": "Patient", "id": api.never}, 400),
        (path, {"resourceType": "Patient"}, 400),
        (path, {"resourceType": "Practitioner", "id": made["id"]}, 400),
        (path, {**made, "gender": 5}, 400),
        (f"Patient/{api.never}", {"resourceType": "Patient", "id": api.never}, 404),
    ]:
        assert api.call("PUT", target, body).status_code == status
    assert api.versions("Patient", made["id"]) == 1


def test_update_brings_back_what_was_deleted(api) -> None:
    made = api.make()
    path = f"Patient/{made['id']}"
    api.call("DELETE", path)
    assert api.call("PUT", path, made).status_code == 201
    assert api.call("GET", path).status_code == 200
    assert api.versions("Patient", made["id"]) == 3


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_match(api, method: str) -> None:
    made = api.make()
    path = f"Patient/{made['id']}"
    current = api.call("PUT", path, {**made, "gender": "male"}).json()

    def write(tag: str):
        body = {"PUT": {**made, "gender": "other"}, "PATCH": [patch("remove", "/gender")]}
        return api.call(method, path, body.get(method), if_match=tag)

    stale = write(f'W/"{made["meta"]["versionId"]}"')
    assert (stale.status_code, stale.json()["id"]) == (412, "precondition-failed")
    assert api.call("GET", path).json() == current
    assert write(f'W/"{current["meta"]["versionId"]}"').status_code == 200


def test_if_match_of_what_is_not_there(api, mark: str) -> None:
    made = api.make()
    path = f"Patient/{made['id']}"
    query = f"Patient?identifier=urn:t|{mark}"
    body = {"resourceType": "Patient", "identifier": api.tagged(mark)}
    api.call("DELETE", path)
    for tag in ("*", f'W/"{made["meta"]["versionId"]}"'):
        assert api.call("PUT", path, made, if_match=tag).status_code == 412
        assert api.call("PUT", query, body, if_match=tag).status_code == 412
        entry = api.entry("PUT", query, body, ifMatch=tag)
        assert api.bundle("transaction", entry).status_code == 412
    assert api.ids("Patient") == []


def test_last_updated_never_goes_back(api) -> None:
    made = api.make()
    api.clock.now -= 60_000
    later = api.call("PUT", f"Patient/{made['id']}", {**made, "gender": "male"}).json()
    assert later["meta"]["lastUpdated"] == made["meta"]["lastUpdated"]


def test_conditional_update(api, mark: str) -> None:
    body = {"resourceType": "Patient", "identifier": api.tagged(mark)}
    query = f"Patient?identifier=urn:t|{mark}"
    made = api.call("PUT", query, body)
    assert made.status_code == 201
    again = api.call("PUT", query, {**body, "gender": "male"})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert api.call("PUT", query, {**body, "id": api.never}).status_code == 400
    api.make(identifier=api.tagged(mark))
    assert api.call("PUT", query, body).status_code == 412
    # A client may not choose the id of what would be new.
    other = f"Patient?identifier=urn:t|{mark}-other"
    assert api.call("PUT", other, {**body, "id": api.never}).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("query", ["", "?", "?_count=1", "?_sort=_id"])
def test_a_condition_must_select(api, method: str, query: str) -> None:
    api.make()
    bodies = {"PUT": {"resourceType": "Patient"}, "PATCH": [patch("add", "/active", value=True)]}
    assert api.call(method, f"Patient{query}", bodies.get(method)).status_code == 400
    assert len(api.ids("Patient?active:missing=true")) == 1


def test_patch(api) -> None:
    made = api.make(gender="male", name=[{"family": "Brook", "given": ["Ada"]}])
    path = f"Patient/{made['id']}"
    operations = [
        patch("test", "/meta/versionId", value=made["meta"]["versionId"]),
        patch("replace", "/gender", value="female"),
        patch("add", "/name/0/given/-", value="May"),
    ]
    answer = api.call("PATCH", path, operations, content_type=JSON_PATCH)
    assert answer.status_code == 200
    assert answer.json()["gender"] == "female"
    assert answer.json()["name"][0]["given"] == ["Ada", "May"]
    # The version named is no longer the current one.
    assert api.call("PATCH", path, operations, content_type=JSON_PATCH).status_code == 400


@pytest.mark.parametrize(
    "operations",
    [
        [patch("replace", "/birthDate", value="2000-01-01")],
        [patch("replace", "/gender", value="female"), patch("remove", "/name")],
        [patch("add", "/nonsense", value=1)],
        [patch("remove", "/id")],
        [patch("replace", "/id", value="11111111-2222-4333-8444-555555555555")],
        [patch("replace", "/resourceType", value="Practitioner")],
        [patch("replace", "", value={"resourceType": "Patient"})],
        [patch("zap", "/gender")],
        {"op": "add"},
        None,
    ],
)
def test_a_patch_that_fails_changes_nothing(api, operations: object) -> None:
    made = api.make(gender="male")
    path = f"Patient/{made['id']}"
    assert api.call("PATCH", path, operations, content_type=JSON_PATCH).status_code == 400
    assert api.call("GET", path).json() == made


def test_a_patch_that_changes_nothing_makes_no_version(api) -> None:
    made = api.make(gender="male")
    operations = [patch("replace", "/gender", value="male")]
    assert api.call("PATCH", f"Patient/{made['id']}", operations).json() == made


def test_patch_of_what_is_not_there(api) -> None:
    made = api.make()
    api.call("DELETE", f"Patient/{made['id']}")
    operations = [patch("add", "/active", value=True)]
    assert api.call("PATCH", f"Patient/{made['id']}", operations).status_code == 410
    assert api.call("PATCH", f"Patient/{api.never}", operations).status_code == 404
    assert api.call("PATCH", "Patient?gender=male", operations).status_code == 404


def test_conditional_patch_and_delete(api, mark: str) -> None:
    made = api.make(identifier=api.tagged(mark))
    query = f"Patient?identifier=urn:t|{mark}"
    operations = [patch("add", "/active", value=True)]
    assert api.call("PATCH", query, operations).json()["active"] is True
    other = api.make(identifier=api.tagged(mark))
    assert api.call("PATCH", query, operations).status_code == 412
    assert api.call("DELETE", query).status_code == 412
    api.call("DELETE", f"Patient/{other['id']}")
    assert api.call("DELETE", query).status_code == 200
    assert api.call("GET", f"Patient/{made['id']}").status_code == 410
    assert api.call("DELETE", query).status_code == 200


def test_delete(api) -> None:
    made = api.make()
    path = f"Patient/{made['id']}"
    for _ in range(2):
        answer = api.call("DELETE", path)
        assert (answer.status_code, answer.json()["id"]) == (200, "ok")
    assert api.versions("Patient", made["id"]) == 2
    assert api.ids("Patient") == []
    assert api.call("DELETE", f"Patient/{api.never}").status_code == 404


def test_patches_at_once_are_all_kept(unhurried) -> None:
    made = unhurried.make(name=[{"family": "Brook"}])
    path = f"Patient/{made['id']}"

    async def all_at_once():
        return await asyncio.gather(
            *(
                unhurried.send(
                    "PATCH", path, [patch("add", "/name/-", value={"family": f"B{number}"})]
                )
                for number in range(40)
            )
        )

    assert [answer.status_code for answer in unhurried.run(all_at_once())] == [200] * 40
    names = unhurried.call("GET", path).json()["name"]
    assert {name["family"] for name in names} == {"Brook", *(f"B{n}" for n in range(40))}


def test_conditional_creates_at_once_make_one(unhurried, mark: str) -> None:
    body = {"resourceType": "Patient", "identifier": unhurried.tagged(mark)}

    async def all_at_once():
        condition = f"identifier=urn:t|{mark}"
        return await asyncio.gather(
            *(unhurried.send("POST", "Patient", body, if_none_exist=condition) for _ in range(8))
        )

    answers = unhurried.run(all_at_once())
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize("kind", ["", "batch", "transaction"])
def test_a_patch_grows_nothing_beyond_what_may_be_sent(new_api, kind: str) -> None:
    api = new_api(max_body=5_000)
    made = api.make(name=[{"text": "x" * 2_000}])
    path = f"Patient/{made['id']}"
    grow = [patch("add", "/name/-", value={"text": "y" * 2_000})]

    def status(operations: list) -> int:
        if not kind:
            return api.call("PATCH", path, operations, content_type=JSON_PATCH).status_code
        answer = api.bundle(kind, api.entry("PATCH", path, operations))
        if answer.status_code != 200:
            return answer.status_code
        return int(answer.json()["entry"][0]["response"]["status"])

    assert [status(grow) for _ in range(2)] == [200, 413]
    double = [patch("copy", "/name/-", **{"from": "/name/0"}) for _ in range(3)]
    assert status(double) == 413
    assert api.versions("Patient", made["id"]) == 2
    assert status([patch("remove", "/name/1")]) == 200


def test_the_last_of_a_list_can_be_removed(api) -> None:
    made = api.make(telecom=[{"system": "phone", "value": "1"}], name=[{"given": ["Ada"]}])
    operations = [patch("remove", "/telecom/0"), patch("remove", "/name/0/given/0")]
    answer = api.call("PATCH", f"Patient/{made['id']}", operations, content_type=JSON_PATCH)
    assert answer.status_code == 200
    assert answer.json().keys() == {"resourceType", "id", "meta"}
