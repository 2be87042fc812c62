"""``_elements``, ``_fields``, ``_summary``: parts of resources (FHIR R4 §3.1.1.5.8–9), tagged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from threadwell.fhir.search.summary import named_elements, summary_elements
from threadwell.fhir.subsets import subset
from threadwell.stores.aside import aside


def wanted(type_: str, params: Sequence[tuple[str, str]]) -> list[str]:
    """The elements that ``_elements`` and ``_summary`` name, none where the whole is asked for."""
    names: list[str] = []
    for name, value in params:
        if name in ("_elements", "_fields"):
            names += named_elements(type_, value)
        elif name == "_summary":
            names += summary_elements(type_, value)
    return names


async def subsets(bodies: Iterable[bytes], names: Collection[str]) -> list[bytes]:
    """``subset`` of each, but for the empty body of a deletion."""
    return [
        await aside(len(body), partial(subset, body, names)) if body else body for body in bodies
    ]
