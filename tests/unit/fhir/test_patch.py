"""JSON Patch: what it makes of a resource, and what it refuses."""

import re
from copy import deepcopy
from decimal import Decimal

import pytest

from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.patch import apply_patch

TASK = {
    "resourceType": "Task",
    "id": "t",
    "status": "requested",
    "note": [{"text": "a"}, {"text": "b"}],
    "for": {"reference": "Patient/p"},
    "extension": [{"url": "urn:x~y/z", "valueDecimal": Decimal("1.10")}],
}


def op(name, path, *value, **more):
    return {"op": name, "path": path, **({"value": value[0]} if value else {}), **more}


def without(name):
    return {key: value for key, value in TASK.items() if key != name}


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], TASK),
        ([op("add", "/encounter", {"reference": "Encounter/e"})],
         {**TASK, "encounter": {"reference": "Encounter/e"}}),
        ([op("add", "/status", "accepted")], {**TASK, "status": "accepted"}),
        ([op("add", "/note/-", {"text": "c"})], {**TASK, "note": [*TASK["note"], {"text": "c"}]}),
        ([op("add", "/note/2", {"text": "c"})], {**TASK, "note": [*TASK["note"], {"text": "c"}]}),
        ([op("add", "/note/0", {"text": "c"})], {**TASK, "note": [{"text": "c"}, *TASK["note"]]}),
        ([op("add", "/input/-", 1), op("add", "/input/-", 2)], {**TASK, "input": [1, 2]}),
        ([op("add", "/for/extension/-", 1)], {**TASK, "for": {**TASK["for"], "extension": [1]}}),
        ([op("add", "", without("note"))], without("note")),
        ([op("remove", "/note")], without("note")),
        ([op("remove", "/note/0")], {**TASK, "note": [{"text": "b"}]}),
        ([op("replace", "/note/1/text", "c")], {**TASK, "note": [{"text": "a"}, {"text": "c"}]}),
        ([op("replace", "/status", None)], {**TASK, "status": None}),
        ([op("replace", "", without("for"))], without("for")),
        ([op("move", "/description", **{"from": "/status"})],
         {**without("status"), "description": "requested"}),
        ([op("move", "/note/1", **{"from": "/note/0"})],
         {**TASK, "note": [{"text": "b"}, {"text": "a"}]}),
        ([op("move", "/status", **{"from": "/status"})], TASK),
        ([op("copy", "/note/-", **{"from": "/note/0"}), op("replace", "/note/0/text", "z")],
         {**TASK, "note": [{"text": "z"}, {"text": "b"}, {"text": "a"}]}),
        ([op("test", "/status", "requested"), op("remove", "/note")], without("note")),
        ([op("test", "/for", {"reference": "Patient/p"})], TASK),
        ([op("test", "/extension/0/valueDecimal", Decimal("1.1"))], TASK),
        ([op("add", "/a~1b~0c~01", 1), op("test", "/a~1b~0c~01", 1)], {**TASK, "a/b~c~1": 1}),
        ([op("add", "/", 1)], {**TASK, "": 1}),
    ],
)  # fmt: skip
def test_what_it_makes(operations, expected):
    before = deepcopy(TASK)
    patched = apply_patch(TASK, operations)
    assert patched == expected
    assert patched is not TASK
    assert before == TASK
    assert apply_patch(before, operations, own=True) == expected


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ({}, "Patch body must be an array"),
        (None, "Patch body must be an array"),
        (["x"], "Patch operation must be an object"),
        ([{"path": "/a"}], "Patch op must be"),
        ([op("spell", "/a")], "Patch op must be"),
        ([{"op": ["add"], "path": "/a"}], "Patch op must be"),
        ([{"op": "add", "value": 1}], "Patch path must be a JSON Pointer"),
        ([op("add", "a", 1)], "Patch path must be a JSON Pointer"),
        ([op("add", "/a~2", 1)], "Patch path must be a JSON Pointer"),
        ([op("add", "/a~", 1)], "Patch path must be a JSON Pointer"),
        ([op("add", "/a")], "Patch add must have a value"),
        ([op("test", "/status")], "Patch test must have a value"),
        ([op("copy", "/a")], "Patch from must be a JSON Pointer"),
        ([op("replace", "/owner", {})], "Value required at path: /owner"),
        ([op("remove", "/owner")], "Value required at path: /owner"),
        ([op("remove", "")], "Patch must leave a resource"),
        ([op("remove", "/note/2")], "Value required at path: /note/2"),
        ([op("replace", "/note/-", {})], "Not a place in a list: /note/-"),
        ([op("remove", "/note/00")], "Not a place in a list: /note/00"),
        ([op("remove", "/note/-1")], "Not a place in a list: /note/-1"),
        ([op("remove", "/note/²")], "Not a place in a list: /note/²"),
        ([op("add", "/note/3", {})], "Value required at path: /note/3"),
        ([op("add", "/note/9999999999", {})], "Value required at path: /note/9999999999"),
        ([op("add", "/owner/reference", "x")], "Value required at path: /owner"),
        ([op("add", "/status/x", "y")], "Value required at path: /status/x"),
        ([op("add", "/owner/note/-", "x")], "Value required at path: /owner"),
        ([op("add", "/status/-", "x")], "Value required at path: /status/-"),
        ([op("test", "/status", "accepted")], "Test failed at /status"),
        ([op("test", "", {})], "Test failed at /"),
        ([op("test", "/owner", None)], "Value required at path: /owner"),
        ([op("move", "/note/0/text", **{"from": "/note"})], "Cannot move /note into itself"),
        ([op("move", "/a", **{"from": "/owner"})], "Value required at path: /owner"),
        ([op("move", "/owner", **{"from": "/owner"})], "Value required at path: /owner"),
        ([op("replace", "/id", "u")], "Patch must not change id"),
        ([op("remove", "/id")], "Patch must not change id"),
        ([op("replace", "/resourceType", "Patient")], "Patch must not change resourceType"),
        ([op("replace", "", [])], "Patch must leave a resource"),
    ],
)
def test_what_it_refuses(operations, message):
    before = deepcopy(TASK)
    with pytest.raises(FhirError) as refused:
        apply_patch(TASK, operations)
    assert refused.value.status == 400
    assert [issue.code for issue in refused.value.issues] == ["invalid"]
    assert message in str(refused.value)
    assert before == TASK
    with pytest.raises(FhirError, match=re.escape(message)):
        apply_patch(before, operations, own=True)


def nested(levels):
    return [nested(levels - 1)] if levels else "end"


@pytest.mark.parametrize("name", ["add", "replace", "copy", "move"])
@pytest.mark.parametrize("deeper", [0, 1])
def test_nothing_gets_deeper_than_what_can_be_read_again(name, deeper):
    # Below /x and 47 lists stand 52 more levels: 100 in all.
    task = {**TASK, "x": nested(48), "y": nested(52 + deeper)}
    what = {"value": task["y"]} if name in ("add", "replace") else {"from": "/y"}
    operations = [{"op": name, "path": "/x" + "/0" * 47, **what}]
    if deeper:
        with pytest.raises(FhirError, match="deeper than 100"):
            apply_patch(task, operations)
    else:
        patched = apply_patch(task, operations)
        assert decode(encode(patched)) == patched


def test_copies_do_not_grow_without_end():
    operations = [op("copy", "/note/-", **{"from": "/note"})] * 30
    with pytest.raises(FhirError, match="copies too much"):
        apply_patch({**TASK, "note": ["x" * 1000]}, operations)


@pytest.mark.parametrize(
    ("there", "operations", "left"),
    [
        ({"a": [1]}, [op("remove", "/a/0")], {}),
        ({"a": [1, 2]}, [op("remove", "/a/0"), op("remove", "/a/0")], {}),
        ({"a": {"b": 1}}, [op("remove", "/a/b")], {}),
        ({"a": [{"b": [{"c": 1}]}]}, [op("remove", "/a/0/b/0/c")], {}),
        ({"a": [{"b": 1}, {"c": 1}]}, [op("remove", "/a/0/b")], {"a": [{"c": 1}]}),
        ({"a": [{"b": 1}, {"c": 1}]}, [op("remove", "/a/1"), op("remove", "/a/0/b")], {}),
        ({"a": [1], "b": 2}, [op("move", "/b", **{"from": "/a/0"})], {"b": 1}),
        # In the end, and not on the way: what comes after finds the places that it names.
        ({"a": [1]}, [op("remove", "/a/0"), op("add", "/a/0", 2)], {"a": [2]}),
        ({"a": [1]}, [op("remove", "/a/0"), op("add", "/a/-", 2)], {"a": [2]}),
        ({"a": [1]}, [op("remove", "/a/0"), op("test", "/a", [])], {}),
        ({"a": {"b": 1}}, [op("remove", "/a/b"), op("add", "/a/c", 2)], {"a": {"c": 2}}),
        ({"a": [1]}, [op("remove", "/a/0"), op("remove", "/a")], {}),
        # What was empty before, or is said to be so, is not the patch's to put right.
        ({"a": [], "b": [1]}, [op("remove", "/b/0")], {"a": []}),
        ({"b": [1]}, [op("remove", "/b/0"), op("add", "/a", {})], {"a": {}}),
        ({"b": [1]}, [op("replace", "/b", [])], {"b": []}),
    ],
)
def test_what_is_left_empty_goes(there, operations, left):
    basic = {"resourceType": "Basic", "id": "b"}
    assert apply_patch({**basic, **there}, operations) == {**basic, **left}


@pytest.mark.parametrize(
    "operations",
    [
        [op("test", "/status", "requested")] * 10_001,
        [op("add", "/note/0", {})] * 7_000,
        [op("move", "/note/9000", **{"from": "/note/0"})] * 3_000,
        [op("remove", "/note/0")] * 3_000,
    ],
    ids=["many", "add", "move", "remove"],
)
def test_the_work_of_a_patch_is_bounded(operations):
    task = {**TASK, "note": [{"text": "a"}] * 10_000}
    with pytest.raises(FhirError) as refused:
        apply_patch(task, operations)
    assert [issue.code for issue in refused.value.issues] == ["too-costly"]


def test_an_error_repeats_no_long_path():
    with pytest.raises(FhirError) as refused:
        apply_patch(TASK, [op("remove", "/x" * 10_000)])
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("there", "asked", "equal"),
    [
        (1, Decimal("1.0"), True), (1, True, False), (0, False, False), (True, True, True),
        ("1", 1, False), (None, None, True), (None, False, False), ([1], [1.0], True),
        ([1, 2], [2, 1], False), ([1], [1, 2], False), ({"a": 1}, {"a": True}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), ({"a": 1}, {}, False), ({}, [], False),
    ],
)  # fmt: skip
def test_equality_is_that_of_json(there, asked, equal):
    resource = {"resourceType": "Basic", "x": there}
    if equal:
        assert apply_patch(resource, [op("test", "/x", asked)]) == resource
    else:
        with pytest.raises(FhirError, match="Test failed at /x"):
            apply_patch(resource, [op("test", "/x", asked)])


def test_a_value_of_the_patch_is_not_shared_with_the_resource():
    value = {"text": "c"}
    operations = [op("add", "/note/0", value), op("replace", "/note/0/text", "d")]
    assert apply_patch(TASK, operations)["note"][0] == {"text": "d"}
    assert value == {"text": "c"}


def test_a_refusal_does_not_repeat_what_is_in_the_resource():
    with pytest.raises(FhirError) as refused:
        apply_patch(TASK, [op("test", "/for/reference", "Patient/q")])
    assert "Patient" not in str(refused.value)
