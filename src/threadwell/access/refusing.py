"""What a caller is told who may not do something; it tells nothing of what is there."""

from __future__ import annotations

from threadwell.fhir.outcome import FhirError, Issue


def forbidden(text: str = "Forbidden", expression: str = "") -> FhirError:
    """403: known, and not allowed to."""
    return FhirError(403, [Issue("forbidden", text, expression)], "forbidden")
