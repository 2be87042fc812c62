"""What a check finds, and what it is found in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from threadwell.fhir.fhirpath.top import Top
from threadwell.fhir.outcome import Issue
from threadwell.fhir.profiles.places import Place

#: Problems that are told of one resource.
MOST = 200
#: Values that are looked at for one resource, over all that it claims.
MAX_LOOKS = 500_000
#: How deep values may be that are looked at.
MAX_DEPTH = 60


class TooMuch(Exception):
    """A resource takes more than is looked at."""


@dataclass(slots=True)
class Run:
    """One resource being looked at.

    ``top`` is the resource for invariants, ``whole`` the one that a contained one stands in.
    """

    top: Top
    whole: Any
    issues: list[Issue] = field(default_factory=list)
    looks: list[int] = field(default_factory=lambda: [MAX_LOOKS])
    depth: int = 0

    def say(self, code: str, text: str, path: str, severity: str = "error") -> None:
        """Note a problem."""
        if len(self.issues) < MOST:
            self.issues.append(Issue(code, text, path, severity))

    def quiet(self) -> Run:
        """The same, where what is said is for nobody but who asks."""
        return Run(self.top, self.whole, looks=self.looks, depth=self.depth + 1)

    def look(self, count: int = 1) -> None:
        """Count values as looked at; raises ``TooMuch``."""
        self.looks[0] -= count
        if self.looks[0] < 0 or self.depth > MAX_DEPTH:
            raise TooMuch

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return any(issue.severity == "error" for issue in self.issues)


#: Looks at one value and says what is wrong with it.
Test: TypeAlias = Callable[[Place, Run], None]

#: Whether a value is one of a slice.
Matcher: TypeAlias = Callable[[Place, Run], bool]
