"""Answers that are not FHIR: plain JSON of the endpoints around the API."""

from __future__ import annotations

from typing import Any

from threadwell.api.exchange import Answer
from threadwell.fhir.json import encode


def json_answer(status: int, value: Any, *, cache: bytes = b"no-store") -> Answer:
    """``value`` as ``application/json``."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", cache)]
    return Answer(status, headers, encode(value))
