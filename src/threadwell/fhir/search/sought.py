"""The values that a query looks for, and how each is compared (FHIR R4 §3.1.1.5)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Prefix(StrEnum):
    """How an ordered value compares with the one searched for (§3.1.1.4.5)."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    LT = "lt"
    GE = "ge"
    LE = "le"
    SA = "sa"
    EB = "eb"
    AP = "ap"


class StringMode(StrEnum):
    """How a text is compared; STARTS ignores case and accents, as CONTAINS does (§3.1.1.5.4)."""

    STARTS = "starts"
    CONTAINS = "contains"
    EXACT = "exact"
    #: Of ``_filter``: the whole text, and its end, without case and accents.
    EQUAL = "equal"
    ENDS = "ends"


class UriMode(StrEnum):
    """How a uri is compared (§3.1.1.5.13)."""

    EXACT = "exact"
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """``system`` ``None`` is any system, ``""`` is none (``|code``); ``code`` ``None`` is any."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class ReferenceMatch:
    """``Type/id`` (``type`` ``""`` where the query gave a bare id), or ``url`` for any other.

    The ``url`` of a canonical may end in ``|version``; ``plain``, it stands for itself alone and
    not for what is written with a version.
    """

    type: str
    id: str
    url: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class DateMatch:
    """A date with its implied range, half open, in microseconds since 1970 UTC."""

    prefix: Prefix
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class NumberMatch:
    """A number with its implied range, half open."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class QuantityMatch:
    """As a number; ``system`` and ``code`` ``None`` mean any.

    ``code`` is the code of the unit, or without a ``system`` its text as well.
    """

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None
    code: str | None
