"""One thing that does not keep the pattern."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """``resource`` (``Type/id``) breaks ``rule``; ``text`` says how, without any content.

    ``severity`` is ``error``, or ``warning`` for what FHIR allows and the pattern advises against.
    """

    severity: str
    resource: str
    rule: str
    text: str
