"""What an operation of terminology is given, in the URL or as Parameters (FHIR R4 §3.2.0.2)."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any, NamedTuple

from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.parameters import listed, one_value, primitive
from threadwell.api.rest.read import existing
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.parse import natural
from threadwell.fhir.terminology.library import NotDone, TooMuch, Unknown
from threadwell.fhir.validation import validate
from threadwell.stores.terms import known

#: Mistakes of a resource that are told at once.
_MOST_TOLD = 50


class Coded(NamedTuple):
    """A code that an operation is asked about; ``system`` and ``display`` may be ``""``."""

    system: str
    code: str
    display: str = ""
    version: str = ""


class Given:
    """The parameters of one operation by their names, each there once."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self._name = name
        self._values = values

    def text(self, name: str) -> str:
        """The value of a primitive parameter; ``""`` where it is not there."""
        value = self._values.get(name, "")
        if not isinstance(value, str):
            raise invalid(f"{name} of {self._name} must be of a primitive type")
        return value

    def flag(self, name: str) -> bool:
        """A boolean, ``False`` where it is not there."""
        value = self.text(name)
        if value not in ("", "true", "false"):
            raise invalid(f"{name} of {self._name} must be true or false")
        return value == "true"

    def number(self, name: str, otherwise: int) -> int:
        """A whole number, 0 or greater."""
        value = self.text(name)
        return natural(name, value) if value else otherwise

    def resource(self, name: str, type_: str) -> Resource | None:
        """A resource that is handed in; raises 400 where it is not valid."""
        if name not in self._values:
            return None
        handed = of_type(self._values[name], type_)
        if issues := list(islice(validate(handed), _MOST_TOLD)):
            raise FhirError(400, issues)
        return handed

    def code(self, coding: str = "coding", concept: str = "codeableConcept") -> list[Coded]:
        """What is asked about: ``code`` with ``system``, a Coding, or each of a CodeableConcept."""
        if concept and concept in self._values:
            codings = self._object(concept).get("coding", [])
            if not isinstance(codings, list) or not codings:
                raise invalid(f"{concept} of {self._name} has no coding")
            return [self._coding(concept, one) for one in codings]
        if coding in self._values:
            return [self._coding(coding, self._values[coding])]
        if code := self.text("code"):
            return [Coded(self.text("system"), code, self.text("display"), self.text("version"))]
        raise invalid(f"{self._name} needs a code: code and system, or {coding}")

    def coding(self, name: str) -> Coded:
        """A Coding that must be there."""
        return self._coding(name, self._values.get(name))

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return name in self._values

    def _object(self, name: str) -> Resource:
        value = self._values[name]
        if not isinstance(value, dict):
            raise invalid(f"{name} of {self._name} is not of the type that it has in R4")
        return value

    def _coding(self, name: str, value: Any) -> Coded:
        read = value if isinstance(value, dict) else {}
        parts = [read.get(part, "") for part in ("system", "code", "display", "version")]
        if not all(isinstance(part, str) for part in parts) or not parts[1]:
            raise invalid(f"{name} of {self._name} must be a Coding with a code")
        return Coded(*parts)


async def given(request: Request, *names: str, passed_over: Collection[str] = ()) -> Given:
    """What an operation is given.

    ``passed_over`` are those of R4 that change nothing here. Raises 400 for a name that is neither,
    or is there twice.
    """
    operation = request.path.rpartition("/")[2]
    found: list[tuple[str, Any]] = list(parse_params(request.query))
    if request.method == "POST" and request.body:
        found += _read(of_type(await parse_json(request), "Parameters"))
    values: dict[str, Any] = {}
    for name, value in found:
        if name in passed_over:
            continue
        if name not in names:
            raise invalid(f"Unknown parameter of {operation}: {name[:64]}")
        if name in values:
            raise invalid(f"{name} of {operation} is there more than once")
        values[name] = value
    return Given(operation, values)


async def named(context: Context, request: Request, asked: Given, own: str = "") -> Resource:
    """The resource that an operation is about: of the path, handed in, or under its ``url``.

    ``own`` is the parameter that hands one in. Raises 404 for one that is not known.
    """
    if request.id:
        stored = existing(await context.view.read(context.project, request.type, request.id))
        resource: Resource = decode(stored.body)
        return resource
    if own and (handed := asked.resource(own, request.type)) is not None:
        return handed
    url, version = asked.text("url"), asked.text(_VERSIONS.get(request.type, "version"))
    if not url:
        raise invalid(f"Name the {request.type}: by its url, or by its id in the path")
    canonical = f"{url}|{version}" if version and "|" not in url else url
    found = await known(context.view, context.project, request.type, canonical, context.packaged)
    if found is None:
        raise FhirError(404, [Issue("not-found", f"This {request.type} is not known here")])
    return found


def refused(error: Exception) -> FhirError:
    """422 for what is asked rightly and cannot be told here."""
    code = "too-costly" if isinstance(error, TooMuch) else "not-supported"
    if isinstance(error, Unknown):
        code = "not-found"
    return FhirError(422, [Issue(code, str(error))])


#: What is raised where something cannot be told.
CANNOT = (NotDone, TooMuch, Unknown)
_VERSIONS = {"ValueSet": "valueSetVersion", "ConceptMap": "conceptMapVersion"}


def _read(parameters: Resource) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for path, name, parameter in listed(parameters):
        value = one_value(parameter, path)
        found.append((name, value if isinstance(value, dict) else primitive(value, path)))
    return found
