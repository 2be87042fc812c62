"""What a spreadsheet makes of a number or a text that it saves as CSV, and what can be undone.

It shows a long number as ``1.20756E+10`` or with a fraction, and a cell that begins like a formula
is guarded by an apostrophe or written as one (``="+1…"``).
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r'=\s?"((?:[^"]|"")*)"')
_GUARDED = re.compile(r"['\u2019][=+\-@0-9]")
#: With a sign or a fraction: ``1e10`` may be the name of anything.
_SCIENTIFIC = re.compile(r"\+?([0-9])(?=[.,]|[eE]\+)(?:[.,]([0-9]{1,30}))?[eE]\+?([0-9]{1,2})")
_FRACTION = re.compile(r"([0-9]{1,30})[.,](0{1,10})")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,9}|[0-9]{1,3}(?:\.[0-9]{3}){3,9}")
#: A column too narrow for its number, and the errors of a formula.
_NO_LONGER_THERE = re.compile(r"#+|#[^\s#]{1,14}[!?]|#N/[AD]|#NV")
_NEGATIVE = re.compile(r"[-\u2212][0-9]+(?:[.,][0-9]+)?")
#: A spreadsheet keeps so many digits of a number, and puts zeros in the place of the others.
_DIGITS_KEPT = 15
#: How many zeros behind them no honest number ends in.
_ZEROS = 3
#: What programs write in a cell that holds nothing; not ``none``, which a person writes.
_NOTHING = frozenset(
    {"null", "NULL", "Null", "<null>", "<NULL>", "(null)", "(NULL)", "None", "nil", "NaN", "nan"}
    | {"undefined", r"\N", "N/A", "#N/A"}
)


def unguarded(cell: str) -> str:
    """``cell`` without its margins and what keeps a spreadsheet from taking it for a formula."""
    bare = cell.strip()
    if bare.startswith("="):
        formula = _FORMULA.fullmatch(bare)
        bare = (formula[1].replace('""', '"') if formula else bare[1:]).strip()
    if _GUARDED.match(bare):
        bare = bare[1:].strip()
    return bare


def whole_number(cell: str) -> str:
    """The digits of a number that a spreadsheet wrote in its own way without losing any.

    ``12075550111.0``, ``1.2075550111E+10`` and ``12,075,550,111`` are ``12075550111``. ``""``
    where ``cell`` is anything else, or a number of which digits were lost.
    """
    if fraction := _FRACTION.fullmatch(cell):
        return fraction[1]
    if _GROUPED.fullmatch(cell):
        return cell.replace(",", "").replace(".", "")
    if scientific := _SCIENTIFIC.fullmatch(cell):
        exponent, behind = int(scientific[3]), scientific[2] or ""
        if len(behind) >= exponent and not behind[exponent:].strip("0"):
            return scientific[1] + behind[:exponent]
    return ""


def is_damaged(cell: str) -> bool:
    """Whether a number or text stood in ``cell`` of which a spreadsheet has lost a part.

    ``1.20756E+10``, ``#####``, ``#NAME?``.
    """
    if _SCIENTIFIC.fullmatch(cell):
        return not whole_number(cell)
    return _NO_LONGER_THERE.fullmatch(cell) is not None


def is_difference(cell: str) -> bool:
    """Whether ``cell`` is a number below zero: what is left of ``+1-207-555-0111`` as a formula."""
    return _NEGATIVE.fullmatch(cell) is not None


def is_rounded_id(cell: str) -> bool:
    """Whether ``cell`` is a whole number so long that a spreadsheet has put zeros at its end."""
    if not (cell.isascii() and cell.isdigit()) or len(cell) < _DIGITS_KEPT + _ZEROS:
        return False
    return not cell[_DIGITS_KEPT:].strip("0")


def says_nothing(cell: str) -> bool:
    """Whether ``cell`` is empty, or holds what programs write for nothing: ``null``, ``None``.

    Only where a value is a name or number of something: a patient may well write ``None``.
    """
    return not cell or cell in _NOTHING
