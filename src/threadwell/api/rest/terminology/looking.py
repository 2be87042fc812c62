"""``CodeSystem/$lookup`` and ``$subsumes`` (FHIR R4 §4.8.21.1, §4.8.21.3)."""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest.terminology.answers import parameter, parameters
from threadwell.api.rest.terminology.given import Coded, Given, given, named, refused
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.terminology.concepts import CodeSystem, Concept
from threadwell.fhir.terminology.library import TooMuch, Unknown
from threadwell.stores.terms import code_system

LOOKUP = "$lookup"
SUBSUMES = "$subsumes"
_PASSED_OVER = frozenset({"date", "displayLanguage", "property"})


async def lookup(context: Context, request: Request) -> Answer:
    """What a code means: its display, its definition, its properties, and what is around it."""
    asked = await given(request, "code", "system", "version", "coding", passed_over=_PASSED_OVER)
    [one] = asked.code(concept="")
    system = await _system(context, request, asked, one)
    concept = _found(system, one.code)
    properties = [*_properties(system, concept)]
    return parameters(
        parameter("name", "String", system.source.get("name", system.url)),
        parameter("version", "String", system.source.get("version", "")),
        parameter("display", "String", concept.display),
        *({"name": "designation", "part": _designated(one)} for one in _designations(concept)),
        *({"name": "property", "part": part} for part in properties),
    )


async def subsumes(context: Context, request: Request) -> Answer:
    """Whether one code stands above another: ``outcome`` is of ConceptSubsumptionOutcome."""
    asked = await given(
        request, *("codeA", "codeB", "system", "version", "codingA", "codingB"), passed_over=()
    )
    pair = [_of_pair(asked, name) for name in ("A", "B")]
    if pair[0].system != pair[1].system:
        raise invalid("Both codes of $subsumes are of one code system")
    system = await _system(context, request, asked, pair[0])
    a, b = (_found(system, one.code).code for one in pair)
    outcome = "not-subsumed"
    if a == b:
        outcome = "equivalent"
    elif b in system.below(a):
        outcome = "subsumes"
    elif a in system.below(b):
        outcome = "subsumed-by"
    return parameters(parameter("outcome", "Code", outcome))


def _of_pair(asked: Given, name: str) -> Coded:
    if asked.has(f"coding{name}"):
        return asked.coding(f"coding{name}")
    code = asked.text(f"code{name}")
    if not code:
        raise invalid(f"$subsumes needs code{name} and a system, or coding{name}")
    return Coded(asked.text("system"), code, version=asked.text("version"))


async def _system(context: Context, request: Request, asked: Given, one: Coded) -> CodeSystem:
    try:
        if request.id:
            return CodeSystem(await named(context, request, asked))
        if not one.system:
            raise invalid("Name the code system: by system, in a Coding, or by its id in the path")
        canonical = f"{one.system}|{one.version}" if one.version else one.system
        found = await code_system(context.view, context.project, canonical, context.packaged)
    except (TooMuch, ValueError) as error:
        raise refused(error) from None
    if found is None:
        raise FhirError(404, [Issue("not-found", str(Unknown("CodeSystem", one.system)))])
    return found


def _found(system: CodeSystem, code: str) -> Concept:
    concept = system.find(code)
    if concept is None:
        raise FhirError(404, [Issue("not-found", "The code system has no such code")])
    return concept


def _designations(concept: Concept) -> list[dict[str, Any]]:
    return list(concept.source.get("designation", ()))


def _designated(one: dict[str, Any]) -> list[dict[str, Any]]:
    told = (
        parameter("language", "Code", one.get("language", "")),
        parameter("use", "Coding", one.get("use", "")),
        parameter("value", "String", one.get("value", "")),
    )
    return [part for part in told if part]


def _properties(system: CodeSystem, concept: Concept) -> list[list[dict[str, Any]]]:
    """The definition, the properties as they are written, and the codes right above and below."""
    found: list[list[dict[str, Any]]] = []
    if definition := concept.source.get("definition"):
        found.append(_property("definition", "valueString", definition))
    for one in concept.source.get("property", ()):
        value = next((name for name in one if name.startswith("value")), None)
        if value and one.get("code") not in ("parent", "child"):
            found.append(_property(str(one.get("code", "")), value, one[value]))
    found += [_property("parent", "valueCode", code) for code in concept.parents]
    found += [_property("child", "valueCode", code) for code in system.children(concept.code)]
    return found


def _property(code: str, type_: str, value: Any) -> list[dict[str, Any]]:
    return [{"name": "code", "valueCode": code}, {"name": "value", type_: value}]
