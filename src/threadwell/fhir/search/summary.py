"""What ``_summary`` leaves of a resource (FHIR R4 §3.1.1.5.9), by the elements' definitions."""

from __future__ import annotations

from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.outcome import invalid


def named_elements(type_: str, value: str) -> list[str]:
    """The elements that a list in ``_elements`` names; Medplum's clients call it ``_fields``."""
    names = [name.strip().removeprefix(f"{type_}.") for name in value.split(",")]
    return [name.removesuffix("[x]") for name in names if name]


def summary_elements(type_: str, summary: str) -> list[str]:
    """The top-level elements that are asked for, as named in JSON; none where all are.

    The mandatory ones and those of every resource belong to the answer too, and are not told.
    Raises ``FhirError`` 400 for a summary that FHIR does not know.
    """
    match summary:
        case "true":
            kept = [element for element in elements(type_) if element.summary]
        case "data":
            kept = [element for element in elements(type_) if element.name != "text"]
        case "text":
            return ["text"]
        case "count" | "false":
            return []
        case _:
            raise invalid("_summary must be true, text, data, count or false")
    return [name for element in kept for name in element.json_names()]
