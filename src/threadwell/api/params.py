"""Query strings and forms → (name, value) pairs."""

from __future__ import annotations

from threadwell.fhir.search.pairs import pairs

#: Parameters about the answer's format, which `negotiation` looks at (§3.1.0.1.11).
_FORMAT = frozenset({"_format", "_pretty"})


def parse_params(text: str) -> list[tuple[str, str]]:
    """The pairs of a query or form, decoded, in their order, but for those about the format.

    ``phone=+15550100`` keeps its plus sign, though a form would make a space of it.
    """
    return [pair for pair in pairs(text) if pair[0] not in _FORMAT]


def formats(text: str) -> list[str]:
    """Every value of ``_format`` in a query or form."""
    # Its underscore may be escaped; its letters hardly are.
    if "format=" not in text:
        return []
    return [value for name, value in pairs(text) if name == "_format"]
