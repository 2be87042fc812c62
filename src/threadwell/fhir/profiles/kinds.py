"""Which types values and profiles are of."""

from __future__ import annotations

from typing import Any

from threadwell.fhir.profiles.places import Place, member
from threadwell.fhir.profiles.said import Run, Test

BASE = "http://hl7.org/fhir/StructureDefinition/"
#: What every value, or every resource, is.
_ANY = ("Resource", "DomainResource", "Element")


def type_test(of: str) -> Test:
    """The check that a value is of the type that a profile is about."""

    def check(place: Place, run: Run) -> None:
        if place.type not in (of, plain(of)) and of not in _ANY:
            run.say("structure", f"The profile is of {of[:64]}", place.path)

    return check


def resource_test(codes: set[str]) -> Test:
    """The check that a resource is of one of the types."""
    text = f"The profile has a {', '.join(sorted(codes))} here"

    def check(place: Place, run: Run) -> None:
        if place.type not in codes:
            run.say("structure", text, place.path)

    return check


def is_own(url: str) -> bool:
    """Whether a url is that of one of R4's types."""
    return url.startswith(BASE) and "-" not in url.removeprefix(BASE)


def own_type(url: str) -> Test | None:
    """The check of a type's own definition: R4 itself has looked at all else."""
    name = url.partition("|")[0].removeprefix(BASE)
    return type_test(name) if member(name, "id") else None


def code_of(type_: dict[str, Any]) -> str:
    """The type that ``ElementDefinition.type`` names."""
    code = str(type_.get("code", ""))
    if code.startswith("http://hl7.org/fhirpath/"):
        return code.rpartition(".")[2].lower()
    return code.rpartition("/")[2]


def plain(type_: str) -> str:
    """The type that a value of it has in JSON."""
    return "Quantity" if type_ == "SimpleQuantity" else type_
