"""The invariants of R4: what must hold of a type beyond its elements (FHIR R4 §5.1.0.12)."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from threadwell.fhir.definitions import load
from threadwell.fhir.definitions.structures import has_element

#: Expressions of R4 that do not say what their text says, or say it in FHIRPath of their own.
_CORRECTED = {
    # Nothing is not a decimal and no number either: as written, a risk without a probability fails.
    "ras-2": "(probability as decimal).empty() or (probability as decimal) <= 100",
    # `max` is optional here; as written, it would have to be there.
    "md-1": "max.empty() or max = '*' or max.toInteger() > 0",
    # The text has "more than one", the expression "more than two".
    "que-12": "enableWhen.count() > 1 implies enableBehavior.exists()",
    # These two choose by `iif` what `or` and `implies` say as well.
    "eld-2": "min.empty() or max.empty() or max = '*' or min <= max.toInteger()",
    "ctm-1": "onBehalfOf.exists() implies member.resolve().all($this is Practitioner)",
}


class Constraint(NamedTuple):
    """What must hold: its ``key`` (``per-1``), what it says to people, and its FHIRPath."""

    key: str
    human: str
    expression: str

    @property
    def text(self) -> str:
        """What to say where it does not hold."""
        return f"{self.human.strip().removesuffix('.')} ({self.key})"


@cache
def constraints(path: str) -> tuple[Constraint, ...]:
    """The constraints of a type, a backbone element or an element, by its path.

    Those that every element has are those of ``Element`` and are not repeated.
    """
    own = load("constraints").get(path, ())
    inherited = load("constraints")["DomainResource"] if _contains_others(path) else ()
    return tuple(
        Constraint(key, human, _CORRECTED.get(key, expression))
        for key, human, expression in (*own, *inherited)
    )


def constraint(path: str, key: str) -> Constraint:
    """The constraint of that key; raises ``LookupError`` where there is none."""
    return next(c for c in constraints(path) if c.key == key)


def _contains_others(type_: str) -> bool:
    return "." not in type_ and type_ in _domain_resources()


@cache
def _domain_resources() -> frozenset[str]:
    return frozenset(type_ for type_ in load("resource_types") if has_element(type_, "contained"))
