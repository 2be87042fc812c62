"""Which columns of somebody else's table are ours, as whoever imports it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from threadwell.channels.delimited import plain_name
from threadwell.channels.table.columns import COLUMNS, Head

_FIXED = ":"


class BadColumn(ValueError):
    """What was said of the columns makes no sense; the message says what would."""


@dataclass(frozen=True, slots=True)
class Columns:
    """``theirs`` tells the name of our column by that of theirs, both as a ``Head`` has them.

    ``fixed`` are values of columns that each row has. A row is set aside that has one of the values
    of ``aside`` in the column of that name.
    """

    theirs: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    aside: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, head: Head) -> Head:
        """The head with our names, if it has all of the columns that were named."""
        if not self.theirs or not set(self.theirs) <= set(head.names):
            return head
        taken = set(self.theirs.values()) - set(self.theirs)
        names = (
            self.theirs.get(name, f"{name}?" if name in taken else name) for name in head.names
        )
        return head._replace(names=tuple(names))

    def applies(self, head: Head) -> bool:
        """Whether a head is one of those tables."""
        return set(self.theirs) <= set(head.names)


PLAIN = Columns()


def parse_columns(columns: Iterable[str], aside: Iterable[str] = ()) -> Columns:
    """What ``sent=created_at``, ``channel=:spruce`` and, to set aside, ``type=NOTE`` say.

    Raises ``BadColumn``.
    """
    theirs: dict[str, str] = {}
    fixed: dict[str, str] = {}
    for text in columns:
        ours, name = _halves(text)
        if ours not in COLUMNS:
            raise BadColumn(f"there is no column {ours!r}: there are {', '.join(COLUMNS)}")
        if name.startswith(_FIXED):
            fixed[ours] = name.removeprefix(_FIXED)
        elif theirs.setdefault(plain_name(name), ours) != ours:
            raise BadColumn(
                f"the column {name!r} cannot be both {theirs[plain_name(name)]} and {ours}"
            )
    if len(set(theirs.values())) < len(theirs):
        raise BadColumn("each of our columns can be one of theirs")
    out: dict[str, frozenset[str]] = {}
    for text in aside:
        name, value = _halves(text)
        out[plain_name(name)] = out.get(plain_name(name), frozenset()) | {value.casefold()}
    return Columns(theirs, fixed, out)


def _halves(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise BadColumn(f"{text!r} is not of the form NAME=VALUE, such as sent=created_at")
    return name.strip(), value.strip()
