"""What is kept of a package: its name, and the definitions in it that are gone by here."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

#: The resource types that are kept of a package.
TYPES = ("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap")

_PART = re.compile(r"\d+|[^\d.]+")


class Head(msgspec.Struct, frozen=True):
    """What a definition is known by. ``of`` is the type that a StructureDefinition is about, ``""``
    for others, and ``profile`` whether it narrows another one.
    """

    type: str
    id: str
    url: str
    version: str = ""
    of: str = ""
    profile: bool = False


class Package(msgspec.Struct, frozen=True):
    """A package without the text of its definitions; ``needs`` are those it depends on."""

    name: str
    version: str
    title: str = ""
    canonical: str = ""
    needs: Sequence[str] = ()
    heads: Sequence[Head] = ()

    @property
    def label(self) -> str:
        """The name and version, as packages are named: ``hl7.fhir.us.core#6.1.0``."""
        return f"{self.name}#{self.version}"


class BadPackage(ValueError):
    """It is no package that can be used here; the message says why."""


def newer_first(version: str) -> tuple[tuple[int, int, str], ...]:
    """A key that orders versions, the newest first when reversed: 7.0.0 after 6.1.0, and what is
    still being tried (``7.0.0-ballot``) before what it becomes.
    """
    plain, dash, label = version.partition("-")
    parts = [_key(part) for part in _PART.findall(plain)]
    return (*parts, (0, 0, "") if dash else (0, 1, ""), *[_key(p) for p in _PART.findall(label)])


def _key(part: str) -> tuple[int, int, str]:
    return (2, int(part[:18]), "") if part.isdigit() else (1, 0, part)
