"""The text of a table of people: its encoding, its separator, its columns. Pure."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from threadwell.intake.bad_setting import BadSetting
from threadwell.messages.spreadsheet import unguarded

COLUMNS = (
    *("kind", "id", "family", "given", "middle", "nickname", "prefix", "suffix"),
    *("birth_date", "gender", "phone", "email", "chat", "patient", "relationship", "role"),
)
NEEDED = ("kind", "id")
#: Columns whose cells hold several values: two of them in one table are one.
SEVERAL = frozenset({"given", "middle", "nickname", "phone", "email", "chat", "patient", "role"})

#: Other names of the columns, as other programs head them.
_ALSO = {
    "family": ("family_name", "last_name", "lastname", "surname"),
    "given": ("given_name", "given_names", "first_name", "firstname", "forename"),
    "middle": ("middle_name", "middle_names"),
    "nickname": ("nick_name", "preferred", "preferred_name", "known_as"),
    "prefix": ("title", "name_prefix"),
    "suffix": ("name_suffix",),
    "birth_date": ("birthdate", "birthday", "date_of_birth", "dob"),
    "gender": ("sex",),
    "phone": ("phones", "phone_number", "telephone", "tel", "mobile", "mobile_phone", "cell"),
    "email": ("emails", "e_mail", "mail", "email_address"),
    "patient": ("patients",),
    "relationship": ("relation",),
}
_COLUMN_OF = {name: name for name in COLUMNS} | {
    other: name for name, others in _ALSO.items() for other in others
}

_SEPARATORS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\s_\-./]+")
_WINDOWS = "it is not UTF-8 and was read as Windows-1252: look whether the accents are right"

Row = Mapping[str, str]


class BadPeople(BadSetting):
    """A file of people cannot be taken in; the message names every row and what is wrong there."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("nobody was imported: " + "; ".join(self.problems))


class Sheet(NamedTuple):
    """The rows, each with the line that it ends in, and what a reader of the table should know."""

    rows: list[tuple[int, Row]]
    warnings: tuple[str, ...] = ()


def read_sheet(content: bytes) -> Sheet:
    """The rows of a CSV file by the names of ``COLUMNS``; raises ``BadPeople``.

    It may be UTF-8, UTF-16 or Windows-1252, and have commas, semicolons, tabs or bars between its
    cells. Columns may be in any order and case; those that are not known are passed over, with a
    warning.
    """
    text, warnings = _decoded(content)
    lines = io.StringIO(text, newline="")
    start = lines.tell()
    named = _SEPARATOR_LINE.fullmatch(lines.readline())
    if not named:
        lines.seek(start)
    header = next(iter(text[lines.tell() :].lstrip("\r\n").splitlines()), "")
    table = _numbered(lines, named[1] if named else _separator(header), 1 if named else 0)
    number, heads = next(table, (1, []))
    names = [_column(head) for head in heads]
    _check(names, heads, number)
    rows: list[tuple[int, Row]] = []
    used = [False] * len(names)
    longer: list[str] = []
    for number, cells in table:
        if any(cell.strip() for cell in cells[len(names) :]):
            longer.append(f"line {number}: more cells than columns")
        row: dict[str, str] = {}
        for place, cell in enumerate(cells[: len(names)]):
            if not cell.strip():
                continue
            used[place] = True
            if name := names[place]:
                row[name] = f"{row[name]};{cell}" if name in row else cell
        if row:
            rows.append((number, row))
    if longer:
        raise BadPeople(longer)
    return Sheet(rows, (*warnings, *_passed_over(names, heads, used)))


def as_row(values: Mapping[str, object]) -> Row:
    """A row that a program gives, by the names of ``COLUMNS``; without its empty cells."""
    row: dict[str, str] = {}
    for head, value in values.items():
        if (name := _column(head)) and value is not None and str(value).strip():
            row[name] = f"{row[name]};{value}" if name in row else str(value)
    return row


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace"), ()
    if b"\0" in content[:4]:  # UTF-16 without its mark: the first characters are ASCII.
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", "replace"), ()
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        try:
            # Rows that were added by another program may be UTF-8 all the same.
            return "".join(map(_line, content.splitlines(keepends=True))), (_WINDOWS,)
        except UnicodeDecodeError:
            reason = f"it is neither UTF-8 nor Windows-1252 at byte {error.start}"
            raise BadPeople([reason]) from None


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return line.decode("cp1252")


def _separator(header: str) -> str:
    """The separator that makes the most known columns out of a header."""
    return max(_SEPARATORS, key=lambda one: sum(bool(_column(head)) for head in header.split(one)))


def _numbered(lines: io.StringIO, separator: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with its line; ``before`` lines stood above them."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    line = before
    try:
        for cells in reader:
            line = before + reader.line_num
            if cells:
                yield line, cells
    except csv.Error as error:
        raise BadPeople(
            [f"line {line + 1}: this row, or one below it, is no CSV: {error}"]
        ) from None


def _column(head: str) -> str:
    """The column that a head names in whatever spelling; ``""`` where it is none of them."""
    plain = unicodedata.normalize("NFKC", unguarded(head)).strip("\ufeff \"'").lower()
    return _COLUMN_OF.get(_BETWEEN_WORDS.sub("_", plain).strip("_"), "")


def _check(names: list[str], heads: list[str], line: int) -> None:
    missing = [name for name in NEEDED if name not in names]
    problems = [f"line {line}: the column {name!r} is missing" for name in missing]
    if missing:
        problems += [
            f"line {line}: no column {head.strip()!r} is known"
            for name, head in zip(names, heads, strict=True)
            if not name and head.strip()
        ]
    for name in dict.fromkeys(filter(None, names)):
        if names.count(name) > 1 and name not in SEVERAL:
            problems.append(f"line {line}: two columns are {name!r}")
    if problems:
        raise BadPeople(problems)


def _passed_over(names: list[str], heads: list[str], used: list[bool]) -> Iterator[str]:
    for place, (name, head) in enumerate(zip(names, heads, strict=True), start=1):
        if not name and head.strip():
            yield f"the column {head.strip()!r} is not known and was passed over"
        elif not name and used[place - 1]:
            yield f"column {place} has no name and was passed over"
