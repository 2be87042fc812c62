"""Parameters that an operation answers with."""

from __future__ import annotations

from typing import Any

from threadwell.api.exchange import Answer
from threadwell.api.outcomes import JSON
from threadwell.fhir.json import encode


def parameters(*listed: dict[str, Any] | None) -> Answer:
    """200 with those that are there."""
    parameter = [one for one in listed if one]
    return Answer(200, [JSON], encode({"resourceType": "Parameters", "parameter": parameter}))


def parameter(name: str, type_: str, value: Any) -> dict[str, Any] | None:
    """A parameter with a value of a type, ``None`` where the value is empty."""
    return None if value == "" else {"name": name, f"value{type_}": value}
