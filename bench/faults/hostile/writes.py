"""Creates, updates, patches and bundles of them, of resources that are sound or damaged."""

from __future__ import annotations

from random import Random
from typing import Any

from bench.faults.hostile import expressions, resources
from bench.faults.hostile.grammar import FHIR, JSON, PATCH, Grammar, Sent, one_path, type_of
from bench.faults.hostile.searches import query_of, read, search


def body_of(grammar: Grammar, chance: Random) -> dict[str, Any]:
    made = (
        dict(chance.choice(grammar.bodies))
        if chance.random() < 0.6
        else resources.resource(chance, type_of(grammar, chance), grammar.references)
    )
    return resources.damaged(chance, made) if chance.random() < 0.5 else made


def write(grammar: Grammar, chance: Random) -> Sent:
    body = body_of(grammar, chance)
    known = body.get("resourceType") if isinstance(body, dict) else None
    fits = isinstance(known, str) and known in grammar.params and chance.random() < 0.95
    type_ = str(known) if fits else type_of(grammar, chance)
    sent = resources.encoded(chance, body)
    kind = (("content-type", JSON),)
    roll = chance.random()
    if roll < 0.5:
        more: tuple[tuple[str, str], ...] = kind
        if chance.random() < 0.2:
            more = (*kind, ("if-none-exist", query_of(grammar, chance, type_)))
        return Sent("", "POST", f"{FHIR}/{type_}", sent, more)
    if roll < 0.65:
        return Sent("", "PUT", f"{FHIR}/{type_}?{query_of(grammar, chance, type_)}", sent, kind)
    if roll < 0.75:
        return Sent("", "POST", f"{FHIR}/{type_}/$validate", sent, kind)
    id_ = body.get("id") if isinstance(body, dict) else None
    one = (
        f"{type_}/{id_}"
        if isinstance(id_, str) and id_.isascii() and id_.isalnum()
        else one_path(grammar, chance)
    )
    return Sent("", "PUT", f"{FHIR}/{one}", sent, kind)


def patch(grammar: Grammar, chance: Random) -> Sent:
    one = one_path(grammar, chance)
    if chance.random() < 0.3:
        value = chance.choice(("en", "de-CH", "x" * 200, None, 5, ["en"]))
        body: Any = [{"op": "add", "path": "/language", "value": value}]
        sound = resources.encoded(chance, body)
        known = chance.choice(grammar.references)
        return Sent("", "PATCH", f"{FHIR}/{known}", sound, (("content-type", PATCH),))
    if chance.random() < 0.2:
        type_ = type_of(grammar, chance)
        one = f"{type_}?{query_of(grammar, chance, type_)}"
    if chance.random() < 0.4:
        parts = [
            {
                "name": "type",
                "valueCode": chance.choice(("add", "insert", "delete", "replace", "move", "x")),
            },
            {"name": "path", "valueString": expressions.fhirpath(chance)},
            {"name": "name", "valueString": chance.choice(("status", "name", "x", "id"))},
            {"name": "value", "valueString": "x"},
            {"name": "index", "valueInteger": chance.choice((0, -1, 10**9))},
        ]
        body: Any = {
            "resourceType": "Parameters",
            "parameter": [{"name": "operation", "part": parts}],
        }
        return Sent(
            "",
            "PATCH",
            f"{FHIR}/{one}",
            resources.encoded(chance, body),
            (("content-type", JSON),),
        )
    paths = (
        "/status",
        "/name/0",
        "/name/-",
        "/",
        "",
        "x",
        "/a/b/c",
        "/~",
        "/~2",
        "/name/99999999999",
        "/id",
        "/meta",
    )
    body = [
        {
            "op": chance.choice(("add", "remove", "replace", "move", "copy", "test", "x")),
            "path": chance.choice(paths),
            "from": chance.choice(paths),
            "value": chance.choice(("x", None, 5, [], {"a": {}}, "a" * 2000)),
        }
        for _ in range(chance.choice((1, 1, 2, 40)))
    ]
    if chance.random() < 0.2:
        body = resources.damaged(chance, body)
    return Sent(
        "", "PATCH", f"{FHIR}/{one}", resources.encoded(chance, body), (("content-type", PATCH),)
    )


def bundle(grammar: Grammar, chance: Random) -> Sent:
    entries = []
    urns = [f"urn:uuid:00000000-0000-4000-8000-{n:012d}" for n in range(4)]
    for _ in range(chance.choice((0, 1, 2, 4, 12))):
        inner = chance.choice((write, write, read, search, patch))(grammar, chance)
        url = inner.target.removeprefix(FHIR).lstrip("/")
        entry: dict[str, Any] = {"request": {"method": inner.method, "url": url}}
        if chance.random() < 0.8:
            body = body_of(grammar, chance)
            if chance.random() < 0.3 and isinstance(body, dict):
                body["subject"] = {
                    "reference": chance.choice(
                        (*urns, "Patient?name=x", "Patient?", "#", urns[0] + "#a")
                    )
                }
            entry["resource"] = body
        if chance.random() < 0.6:
            entry["fullUrl"] = chance.choice(
                (*urns, "urn:oid:1.2", "x", "http://example.org/Patient/1")
            )
        if chance.random() < 0.2:
            entry["request"]["ifNoneExist"] = query_of(grammar, chance, "Patient")
        entries.append(entry)
    body = {
        "resourceType": "Bundle",
        "type": chance.choice(("batch", "transaction", "transaction", "x")),
        "entry": entries,
    }
    if chance.random() < 0.3:
        body = resources.damaged(chance, body)
    return Sent("", "POST", FHIR, resources.encoded(chance, body), (("content-type", JSON),))
