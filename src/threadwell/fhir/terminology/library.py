"""What the functions here go by: the code systems and value sets that others name."""

from __future__ import annotations

from typing import Protocol

from threadwell.fhir.resource import Resource
from threadwell.fhir.terminology.concepts import CodeSystem


class Library(Protocol):
    """What is known under a canonical; ``url`` may end in ``|version``."""

    def code_system(self, url: str) -> CodeSystem | None:
        """The code system, or ``None`` where it is not known here."""
        ...

    def value_set(self, url: str) -> Resource | None:
        """The value set, or ``None`` where it is not known here."""
        ...


class Unknown(Exception):
    """A value set or code system that is asked about, or named by one, is not known here."""

    def __init__(self, type_: str, url: str) -> None:
        super().__init__(f"{type_} {url[:200]} is not known here: load it to use it")
        self.url = url


class TooMuch(Exception):
    """An answer would be larger, or its work longer, than is done here."""


class NotDone(Exception):
    """A value set says what is in it in a way that is not understood here."""
