"""Query strings and forms → (name, value) pairs."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from threadwell.fhir.outcome import FhirError, Issue

#: Parameters about the answer's format, which is always JSON (§3.1.0.1.11).
_FORMAT = frozenset({"_format", "_pretty"})
_JSON = frozenset({"json", "text/json", "application/json", "application/fhir+json"})

#: A plus sign that begins a phone number. Read as a space it would only ever find nothing.
_PLUS = re.compile(r"(?<=[=|,])\+(?=\d)")


def parse_params(text: str) -> list[tuple[str, str]]:
    """The pairs of a query or form, decoded, in their order.

    ``phone=+15550100`` keeps its plus sign, though a form would make a space of it. Raises
    ``FhirError`` 406 if ``_format`` asks for anything but JSON.
    """
    if "%" in text or "+" in text:
        pairs = parse_qsl(_PLUS.sub("%2B", text), keep_blank_values=True)
    else:  # nothing to decode, as in most searches
        parts = [part.partition("=") for part in text.split("&") if part]
        pairs = [(name, value) for name, _, value in parts]
    if "_format" not in text and "_pretty" not in text:
        return pairs
    for name, value in pairs:
        # "+xml" and "+json" lose their plus sign where they come unescaped.
        if name == "_format" and value.replace(" ", "+").partition(";")[0] not in _JSON:
            raise not_acceptable()
    return [pair for pair in pairs if pair[0] not in _FORMAT]


def not_acceptable() -> FhirError:
    """406: there is no other format than JSON."""
    return FhirError(406, [Issue("not-supported", "Only application/fhir+json is offered")])
