"""The values that a resource is found by, one shape for each search parameter type (§3.1.1.5).

``extract`` makes them from a resource, a store indexes them, a ``Query`` is matched against them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, TypeAlias


class TokenValue(NamedTuple):
    """A code in a system. ``system`` is ``""`` where the element has none; ``text`` is its display.

    ``code`` may be ``""`` where only a text or a system is there.
    """

    system: str
    code: str
    text: str = ""


class ReferenceValue(NamedTuple):
    """A reference. A relative one has ``type`` and ``id``; any other only ``url``.

    ``identifier`` is ``Reference.identifier`` where there is one (for ``:identifier``).
    A canonical keeps its version in ``url`` (``http://x|1.0``).
    """

    type: str
    id: str
    url: str
    identifier: TokenValue | None = None


class StringValue(NamedTuple):
    """A text as written; stores fold case and accents with ``fold``."""

    text: str


class DateValue(NamedTuple):
    """A stretch of time, half open: ``low`` ≤ t < ``high`` in microseconds since 1970 UTC.

    ``2024`` spans a year, an instant one millisecond or less; an open end of a Period is
    ``MIN_TIME`` or ``MAX_TIME``.
    """

    low: int
    high: int


class NumberValue(NamedTuple):
    """A number with the range that its written precision implies (§3.1.1.5.1), half open."""

    value: Decimal
    low: Decimal
    high: Decimal


class QuantityValue(NamedTuple):
    """A quantity: number with implied range, ``system`` and ``code`` (each ``""`` if absent)."""

    value: Decimal
    low: Decimal
    high: Decimal
    system: str
    code: str
    unit: str


class UriValue(NamedTuple):
    """A uri, compared as written (§3.1.1.5.13)."""

    uri: str


class CompositeValue(NamedTuple):
    """The values of each component within one repeat of the composite's element."""

    components: tuple[tuple[IndexValue, ...], ...]


IndexValue: TypeAlias = (
    TokenValue
    | ReferenceValue
    | StringValue
    | DateValue
    | NumberValue
    | QuantityValue
    | UriValue
    | CompositeValue
)

#: Search parameter code → the values found under it; a parameter without values is absent.
IndexValues: TypeAlias = dict[str, list[IndexValue]]

MIN_TIME = -(2**62)
MAX_TIME = 2**62
