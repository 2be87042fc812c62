"""What a server says that it can do, what there is in it, and how a request is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from bench.faults.hostile import values

FHIR = "/fhir/R4"
JSON = "application/fhir+json"
PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Sent:
    """One request as it goes over the wire, but for who asks; ``kind`` is what made it."""

    kind: str
    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Grammar:
    """What a server says that it can do, and what there is in it.

    ``params`` has the search parameters of each type, with their types; ``operations`` those at
    each type, "" for the system; ``endpoints`` paths of the server that are no FHIR.
    """

    params: Mapping[str, Sequence[tuple[str, str]]]
    includes: Sequence[str]
    operations: Sequence[tuple[str, str]]
    references: Sequence[str]
    bodies: Sequence[dict[str, Any]]
    endpoints: Sequence[str]
    #: Types of which something is there: most requests are about these.
    there: Sequence[str] = field(default=())


def read_grammar(
    capability: Mapping[str, Any], bodies: Sequence[dict[str, Any]], endpoints: Sequence[str]
) -> Grammar:
    """The grammar of a server with this CapabilityStatement that holds these resources."""
    rest = capability["rest"][0]
    params = {
        one["type"]: [(p["name"], p["type"]) for p in one.get("searchParam", ())]
        for one in rest["resource"]
    }
    includes = sorted(
        {
            include
            for one in rest["resource"]
            for member in ("searchInclude", "searchRevInclude")
            for include in one.get(member, ())
        }
    )
    operations = [("", one["name"]) for one in rest.get("operation", ())] + [
        (one["type"], operation["name"])
        for one in rest["resource"]
        for operation in one.get("operation", ())
        if operation["name"] != "validate" or one["type"] in ("Patient", "Bundle")
    ]
    references = [f"{one['resourceType']}/{one['id']}" for one in bodies]
    there = sorted({one["resourceType"] for one in bodies})
    return Grammar(params, includes, operations, references, bodies, endpoints, there)


def type_of(grammar: Grammar, chance: Random) -> str:
    return chance.choice(grammar.there if chance.random() < 0.7 else list(grammar.params))


def one_path(grammar: Grammar, chance: Random) -> str:
    """A path to one resource, or to none."""
    known = chance.choice(grammar.references)
    odd = quote(values.odd(chance).encode("utf-8", "surrogatepass")[:300], safe="")
    type_ = type_of(grammar, chance)
    return chance.choice(
        (known, known, known, f"{type_}/{odd}", f"{type_}/none", f"{odd}/x", f"{type_}/{'a' * 64}")
    )


def form_of(chance: Random, pairs: Sequence[tuple[str, str]]) -> str:
    text = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in pairs)[:12_000]
    if chance.random() < 0.03:
        text += chance.choice(
            (
                "&",
                "&&&",
                "=",
                "%",
                "%zz",
                "%00",
                "%ff%fe",
                "%C0%80",
                "&=&=",
                "?",
                ";a=b",
                "%ed%a0%80",
            )
        )
    return text


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=":-._~|,$/")
