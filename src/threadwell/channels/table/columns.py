"""The columns of a table, as its header names them in whatever spelling."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from threadwell.channels.delimited import best_cut, delimiter_line

#: Every column, in the order of the documentation.
COLUMNS = (
    *("id", "thread", "sent", "from", "to", "text", "subject", "channel", "medium"),
    *("in_reply_to", "attachments"),
)
#: Without these a file is no table of messages.
REQUIRED = ("from", "sent", "text")
#: By these a table is one of people.
_OF_PEOPLE = ("kind", "id", "family")


class Head(NamedTuple):
    """The ``names`` in a header, and which of the ``columns`` each is: ``""`` where it is none."""

    delimiter: str
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in their order."""
        return tuple(name if name in COLUMNS else "" for name in self.names)

    @property
    def missing(self) -> str:
        """Which needed columns are not there, in words; ``""`` where all are."""
        missing = self.lacking
        return f"needs the columns {', '.join(missing)}" if missing else ""

    @property
    def lacking(self) -> list[str]:
        """Which needed columns are not there."""
        return [name for name in REQUIRED if name not in self.names]

    @property
    def problem(self) -> str:
        """Why the rows below cannot be read; ``""`` where they can."""
        twice = [name for name in COLUMNS if self.names.count(name) > 1]
        if twice:
            return f"has the column {twice[0]} twice"
        return self.missing


def parse_head(header: str, delimiter: str = "", others: Container[str] = ()) -> Head:
    """The columns of a header line, cut where it makes the most of them, or of ``others``."""
    if not others:
        return Head(*best_cut(header, delimiter, COLUMNS.__contains__))
    return Head(*best_cut(header, delimiter, lambda name: name in COLUMNS or name in others))


def head_of(lines: Iterable[str], others: Container[str] = ()) -> Head | None:
    """The head of a file that begins with those lines; ``None`` where there are none.

    ``others`` are names that columns have as well.
    """
    every = iter(lines)
    first = next(every, None)
    if first is None:
        return None
    delimiter = delimiter_line(first)
    return parse_head(next(every, "") if delimiter else first, delimiter, others)


def shortcoming(head: Head, is_named_table: bool, *, may_be_named: bool = True) -> str:
    """Why what looks like a table is none of messages; ``""`` where it looks like none.

    A text whose lines have commas is no table, unless its file is called one. Where it
    ``may_be_named`` what its columns are, that says how.
    """
    known = sum(map(bool, head.columns))
    if len(head.names) < 2 or not (is_named_table or known > 1):
        return ""
    if all(name in head.names for name in _OF_PEOPLE):
        return "a table of people: give it with --people"
    if not head.lacking:
        return ""
    names = " ".join(f"--columns {name}=…" for name in head.lacking)
    how = f". If they have other names there, import it with {names}" if may_be_named else ""
    return f"a table of messages {head.missing}{how}"
