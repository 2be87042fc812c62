"""Whole requests: what the CapabilityStatement names, and what it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from bench.faults.hostile import values
from bench.faults.hostile.grammar import JSON, Grammar, Sent
from bench.faults.hostile.noise import noise
from bench.faults.hostile.operations import administration, endpoint, graphql, operation
from bench.faults.hostile.searches import history, read, search
from bench.faults.hostile.writes import bundle, patch, write


def make(grammar: Grammar, chance: Random) -> Sent:
    """One request."""
    (kind,) = chance.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])
    made = _KINDS[kind][1](grammar, chance)
    return Sent(kind, made.method, made.target, made.body, (*made.headers, *_headers(chance)))


def _headers(chance: Random) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for name, known in _HEADERS.items():
        if chance.random() < 0.03:
            odd = "".join(c for c in values.odd(chance) if " " <= c <= "~")[:500]
            made.append((name, chance.choice((*known, odd))))
    return made


_HEADERS: Mapping[str, Sequence[str]] = {
    "accept": (
        JSON,
        "application/json",
        "*/*",
        "text/html",
        "text/event-stream",
        "application/fhir+xml",
        "application/fhir+ndjson",
        "application/fhir+json; fhirVersion=9",
        "a;q=x",
        "image/*",
    ),
    "accept-encoding": ("gzip", "zstd", "zstd;q=0.1, gzip;q=1", "br", "identity;q=0", "*;q=0"),
    "content-encoding": ("gzip", "zstd", "identity", "x"),
    "if-none-exist": ("identifier=a|b", "_id=x&_sort=y", "?"),
    "prefer": (
        "return=minimal",
        "return=OperationOutcome",
        "handling=strict",
        "handling=lenient",
        "respond-async",
        "return=representation; handling=strict, respond-async",
        "x=,",
    ),
    "if-match": ('W/"1"', "*", '"', 'W/"a", W/"b"', "1"),
    "if-none-match": ('W/"1"', "*"),
    "if-modified-since": ("Mon, 13 May 2024 10:00:00 GMT", "yesterday"),
    "if-unmodified-since": ("Mon, 13 May 2024 10:00:00 GMT", "0"),
    "range": ("bytes=0-1", "bytes=-1", "bytes=9999999999-", "bytes=0-1,2-3"),
    "origin": ("http://example.org", "null"),
    "x-medplum": ("extended",),
    "x-medplum-on-behalf-of": ("ProjectMembership/x", "Patient/1"),
    "traceparent": ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0"),
    "cookie": ("a=b", "a", "session=x; a=b;;"),
    "x-forwarded-for": ("1.2.3.4", "x, y"),
    "x-provenance": ("{}", '{"resourceType":"Provenance"}'),
    "x-http-method-override": ("DELETE",),
}
_KINDS: Mapping[str, tuple[int, Callable[[Grammar, Random], Sent]]] = {
    "search": (30, search),
    "read": (10, read),
    "history": (4, history),
    "write": (16, write),
    "patch": (8, patch),
    "bundle": (8, bundle),
    "operation": (10, operation),
    "graphql": (5, graphql),
    "endpoint": (6, endpoint),
    "administration": (4, administration),
    "noise": (3, noise),
}
