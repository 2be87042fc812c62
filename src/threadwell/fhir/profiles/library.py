"""What profiles are compiled from."""

from __future__ import annotations

from typing import Protocol

from threadwell.fhir.resource import Resource
from threadwell.fhir.terminology.library import Library as Terms


class Library(Terms, Protocol):
    """What is known under a canonical, which may end in ``|version``."""

    def structure(self, url: str) -> Resource | None:
        """The StructureDefinition of a profile or extension, if it is known here."""
        ...

    def type_of(self, url: str) -> str:
        """The type that a profile narrows, or that has this url itself; ``""`` if not known."""
        ...


class BadProfile(ValueError):
    """A profile cannot be made sense of; the message says why."""


#: What comes of definitions that are not made as R4 has them: packages are anybody's.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
