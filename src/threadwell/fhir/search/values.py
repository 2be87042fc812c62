"""The values that a resource is found by, one shape for each search parameter type (§3.1.1.5).

``extract`` makes them from a resource, a store indexes them, a ``Query`` is matched against them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, TypeAlias


class TokenValue(NamedTuple):
    """A code in a system. ``system`` is ``""`` where the element has none; ``text`` is its display.

    ``code`` may be ``""`` where only a text or a system is there. A ContactPoint has its own
    ``system`` (``phone``, ``email``) and its value in the form of ``contact_code``.
    """

    system: str
    code: str
    text: str = ""


class ReferenceValue(NamedTuple):
    """A reference. One to a resource of our own has ``type`` and ``id``; any other only ``url``.

    ``identifier`` is ``Reference.identifier`` where there is one (for ``:identifier``). A reference
    that has nothing but a display has none of them, and still is not ``:missing``. ``version`` is
    what it names of a resource's history, or where it is ``canonical`` the business version that
    stood behind the ``|``. A canonical that leads below our own base has all three.
    """

    type: str
    id: str
    url: str
    identifier: TokenValue | None = None
    version: str = ""
    canonical: bool = False


class StringValue(NamedTuple):
    """A text as written; stores compare its ``fold.searched_forms``.

    ``parted``: it is found by its later parts as well, as a family name of several is.
    """

    text: str
    parted: bool = False


class DateValue(NamedTuple):
    """A stretch of time, half open: ``low`` ≤ t < ``high`` in microseconds since 1970 UTC.

    ``2024`` spans a year, a time is one millisecond, or as much less as it is written finer; an
    open end of a Period is ``MIN_TIME`` or ``MAX_TIME``.
    """

    low: int
    high: int


class NumberValue(NamedTuple):
    """A number: ``low`` = ``value`` = ``high``. Only the number searched for implies a range."""

    value: Decimal
    low: Decimal
    high: Decimal


class QuantityValue(NamedTuple):
    """A quantity with its ``system``, ``code`` and ``unit`` (each ``""`` if absent).

    ``low`` = ``value`` = ``high`` but for a Range and a quantity with a comparator: these reach
    from ``low`` to ``high``, both included, an open end infinite; ``value`` is a finite end.
    """

    value: Decimal
    low: Decimal
    high: Decimal
    system: str
    code: str
    unit: str


class UriValue(NamedTuple):
    """A uri, compared as written (§3.1.1.5.13); a canonical with a version as two, as above."""

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

#: Search parameter code → the values found under it, none twice; one without values is absent.
IndexValues: TypeAlias = dict[str, list[IndexValue]]

MIN_TIME = -(2**62)
MAX_TIME = 2**62


def of_type(system: str, code: str) -> str:
    """The system of the further value that an identifier has for each code of its type."""
    return f"{system}|{code}"
