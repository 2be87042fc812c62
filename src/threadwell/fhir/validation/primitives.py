"""The formats of the primitive types (FHIR R4 §2.24.0.1).

Most of the time of a validation is spent here, so a valid value costs one call of a check.
"""

from __future__ import annotations

import binascii
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from threadwell.fhir.numbers import MOST_DIGITS, MOST_POWER, is_within
from threadwell.fhir.validation.narrative import check_xhtml
from threadwell.fhir.validation.problem import Check, Problem, wrong_type
from threadwell.fhir.validation.uris import OID, UUID, canonical_check, uri_check

#: The limit of a string, in bytes of UTF-8; counted in characters, of which there are no more.
_MAX_STRING = 1024 * 1024

#: Control characters and lone surrogates, which no UTF-8 text has.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

# The group is a day that not every month has.
_DAY = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8]|(29|3[01]))"
_PART = "[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

_DATES = {
    "date": f"{_DAY}|{_PART}",
    "dateTime": f"{_DAY}(?:T{_TIME}{_ZONE})?|{_PART}",
    "instant": f"{_DAY}T{_TIME}{_ZONE}",
}

#: A time that lacks its seconds, its zone or its T.
_INCOMPLETE = re.compile(
    r"[0-9-]{10}(?:[T ][0-9:]{5}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"|T[0-9:]{5}(?:Z|[+-][0-9:]{5})| [0-9:]{5}.*)"
)
_WHOLE = "a time has seconds and a zone, as in 2024-05-01T10:00:00Z or 2024-05-01T10:00:00+02:00"

ID = r"[A-Za-z0-9\-.]{1,64}"

_PATTERNS = {
    "id": ID,
    "oid": OID,
    "time": _TIME,
    "uuid": UUID,
}

_INTEGERS = {
    "integer": range(-(2**31), 2**31),
    "positiveInt": range(1, 2**31),
    "unsignedInt": range(2**31),
}


def text_check(test: Callable[[str], object], problem: Problem) -> Check:
    """A check for a string that passes the test; ``problem`` is what to say if it does not."""

    def check(value: Any) -> list[Problem] | None:
        if isinstance(value, str):
            return None if test(value) else [problem]
        return wrong_type("string", value)

    return check


def _string_check(type_: str) -> Check:
    problem = _invalid(type_)

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, str):
            return wrong_type("string", value)
        # Printable text, the usual case, is quicker to tell than text without controls.
        if 0 < len(value) <= _MAX_STRING and (value.isprintable() or not _CONTROLS.search(value)):
            return None
        return [problem]

    return check


def _code_check() -> Check:
    problem = _invalid("code")
    spaced = re.compile(r"\S+(?: \S+)*").fullmatch

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, str):
            return wrong_type("string", value)
        # Without spaces is the usual case, and the quicker one to tell.
        if value and value.isprintable() and " " not in value:
            return None
        return None if spaced(value) else [problem]

    return check


def _date_check(type_: str) -> Check:
    problem = _invalid(type_)
    fullmatch = re.compile(f"(?!0000)(?:{_DATES[type_]})").fullmatch

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, str):
            return wrong_type("string", value)
        match = fullmatch(value)
        if match is None:
            incomplete = type_ != "date" and _INCOMPLETE.fullmatch(value)
            return [problem._replace(text=f"{problem.text}: {_WHOLE}") if incomplete else problem]
        if match.lastindex is None or int(value[8:10]) <= _days(value):
            return None
        return [problem]

    return check


def _days(date: str) -> int:
    return monthrange(int(date[:4]), int(date[5:7]))[1]


def _integer_check(type_: str) -> Check:
    problem, allowed = _invalid(type_), _INTEGERS[type_]

    def check(value: Any) -> list[Problem] | None:
        if type(value) is int:  # a bool is an int too
            return None if value in allowed else [problem]
        return [problem] if isinstance(value, Decimal | float) else wrong_type("number", value)

    return check


def _check_decimal(value: Any) -> list[Problem] | None:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
        return wrong_type("number", value)
    if isinstance(value, float):
        return None if isfinite(value) else [_invalid("decimal")]
    if isinstance(value, Decimal) and not value.is_finite():
        return [_invalid("decimal")]
    return None if is_within(value) else [_BEYOND]


def _check_boolean(value: Any) -> list[Problem] | None:
    return None if isinstance(value, bool) else wrong_type("boolean", value)


def _is_base64(text: str) -> bool:
    try:
        return binascii.a2b_base64(text, strict_mode=True) != b""
    except ValueError:
        packed = "".join(text.split())
        return packed != text and _is_base64(packed)


def _invalid(type_: str) -> Problem:
    return Problem("value", f"Invalid {type_} format")


_BEYOND = Problem(
    "value",
    f"Invalid decimal format: at most {MOST_DIGITS} digits, and powers of ten from -{MOST_POWER}"
    f" to {MOST_POWER}",
)

#: Primitive type → the check of a value of it.
PRIMITIVES: Mapping[str, Check] = {
    "base64Binary": text_check(_is_base64, _invalid("base64Binary")),
    "boolean": _check_boolean,
    "code": _code_check(),
    "decimal": _check_decimal,
    **{type_: _string_check(type_) for type_ in ("string", "markdown")},
    **{type_: uri_check(type_) for type_ in ("uri", "url")},
    "canonical": canonical_check(),
    "xhtml": check_xhtml,
    **{type_: _date_check(type_) for type_ in _DATES},
    **{type_: _integer_check(type_) for type_ in _INTEGERS},
    **{
        type_: text_check(re.compile(pattern).fullmatch, _invalid(type_))
        for type_, pattern in _PATTERNS.items()
    },
}
