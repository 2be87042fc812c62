"""``lowBoundary()`` and ``highBoundary()``: the ends of what a value stands for (FHIRPath N2)."""

from __future__ import annotations

from calendar import monthrange
from decimal import Decimal
from typing import Any

#: A day begins here first, and ends there last.
_FIRST, _LAST = "+14:00", "-12:00"
_TIME = ("00:00:00.000", "23:59:59.999")


def boundary(value: Any, type_: str, *, high: bool) -> Any:
    """The end of a value of that type; ``None`` where it has none."""
    if type_ == "date" and isinstance(value, str):
        return _day(value, high=high)
    if type_ in ("dateTime", "instant") and isinstance(value, str):
        day, mark, time = value.partition("T")
        zone = ""
        for sign in ("Z", "+", "-"):
            if mark and sign in time:
                at = time.index(sign)
                time, zone = time[:at], time[at:]
        return (
            f"{_day(day, high=high)}T{_clock(time, high=high)}{zone or (_LAST if high else _FIRST)}"
        )
    if type_ == "time" and isinstance(value, str):
        return _clock(value, high=high)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        exponent = number.as_tuple().exponent
        half = Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)
        return number + half if high else number - half
    return None


def _day(text: str, *, high: bool) -> str:
    year, month, day = (*text.split("-"), "", "")[:3]
    month = month or ("12" if high else "01")
    if not day:
        day = f"{monthrange(int(year), int(month))[1]:02d}" if high else "01"
    return f"{year}-{month}-{day}"


def _clock(text: str, *, high: bool) -> str:
    whole = _TIME[high]
    if "." in text:
        # A fraction that is shorter than milliseconds.
        return text + ("9" if high else "0") * max(0, len(whole) - len(text))
    return text + whole[len(text) :]
