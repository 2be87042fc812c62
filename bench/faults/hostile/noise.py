"""Noise: methods, paths and contents that nothing is there for."""

from __future__ import annotations

import json
from random import Random

from bench.faults.hostile import values
from bench.faults.hostile.grammar import FHIR, JSON, Grammar, Sent, quoted
from bench.faults.hostile.operations import view


def noise(_: Grammar, chance: Random) -> Sent:
    """A method, a path or a content that nothing is there for."""
    method = chance.choice(
        ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "X")
    )
    part = quoted(values.odd(chance))[:300]
    path = chance.choice(
        (
            *(
                f"{FHIR}/{part}",
                f"{FHIR}//Patient",
                f"{FHIR}/Patient//",
                f"{FHIR}/../../etc",
                "//",
                f"/{part}",
                "/fhir",
            ),
            *(
                f"{FHIR}/Patient/$x",
                f"{FHIR}/$",
                f"{FHIR}/Patient/_search",
                f"{FHIR}/metadata?mode={part}",
                "/*",
            ),
            *(
                "/%2e%2e/%2e%2e",
                f"{FHIR}/%50atient",
                f"{FHIR}/Patient%2f1",
                f"{FHIR}/Patient;a=b",
                f"/storage/{part}/x",
            ),
        )
    )
    body = chance.choice(
        (
            b"",
            b"",
            b"{}",
            b"null",
            b"[]",
            b'"a"',
            b"\x00",
            b"<x/>",
            json.dumps(view(chance)).encode(),
        )
    )
    kind = chance.choice(
        (JSON, "text/plain", "application/xml", "a/b; charset=x", "multipart/form-data", "")
    )
    return Sent("", method, path, body, (("content-type", kind),) if body else ())
