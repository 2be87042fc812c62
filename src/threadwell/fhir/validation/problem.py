"""What checks are and what they find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

#: About where an array or object that is wrong all over is given up: the answer must stay small.
MOST = 1000


class Problem(NamedTuple):
    """One mistake; ``path`` leads to it from the checked value (``.payload[0].content[x]``).

    ``code`` is one of IssueType. ``fragment`` marks a suspicion: the reference ``#fragment``, which
    is a mistake unless the resource contains one with that id, of a type in ``targets``.
    """

    code: str
    text: str
    path: str = ""
    fragment: str | None = None
    targets: frozenset[str] = frozenset()

    def under(self, step: str) -> Problem:
        """The same problem seen from the value that ``step`` leads on from."""
        return self._replace(path=step + self.path)


#: Looks at one JSON value; ``None`` is valid, a list is never empty.
Check: TypeAlias = Callable[[Any], list[Problem] | None]


def wrong_type(expected: str, value: Any) -> list[Problem]:
    """The value is of another JSON type than the one expected."""
    text = f"Invalid JSON type: expected {expected}, but got {json_type(value)}"
    return [Problem("structure", "Invalid null value" if value is None else text)]


def given_up(problems: list[Problem]) -> bool:
    """Whether an array has so many problems that the rest of it need not be looked at.

    Suspicions alone never suffice: they may all turn out to be unfounded.
    """
    return len(problems) >= MOST and problems[-1].fragment is None


def json_type(value: Any) -> str:
    """JSON's name for the type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case dict():
            return "object"
        case list():
            return "array"
        case _:
            return "number"
