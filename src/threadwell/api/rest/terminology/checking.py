"""``$validate-code`` of a value set and of a code system (FHIR R4 §4.9.18.2, §4.8.21.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest.terminology.answers import parameter, parameters
from threadwell.api.rest.terminology.given import CANNOT, Coded, given, named, refused
from threadwell.fhir.search.fold import searched
from threadwell.fhir.terminology.concepts import CodeSystem
from threadwell.fhir.terminology.members import Member, Members, members
from threadwell.stores.aside import LARGE, aside
from threadwell.stores.terms import gather

NAME = "$validate-code"
_PASSED_OVER = frozenset({"context", "date", "displayLanguage"})
_CODE = ("code", "system", "systemVersion", "version", "display", "coding", "codeableConcept")


async def in_value_set(context: Context, request: Request) -> Answer:
    """``result`` true where the code, or one of the concept, is in the value set.

    Where it is, but under another ``display``, it is false and says which.
    """
    asked = await given(
        request,
        *("url", "valueSet", "valueSetVersion", "abstract", *_CODE),
        passed_over=_PASSED_OVER,
    )
    codes = asked.code()
    value_set = await named(context, request, asked, "valueSet")
    try:
        library = await gather(
            context.view, context.project, given=value_set, packaged=context.packaged
        )
        found = await aside(LARGE, lambda: members(value_set, library))
    except CANNOT as error:
        raise refused(error) from None
    allows = asked.flag("abstract") or not asked.has("abstract")
    return _answer(codes, lambda one: _member(found, one, allows), "the value set")


async def in_code_system(context: Context, request: Request) -> Answer:
    """``result`` true where the code system has the code."""
    asked = await given(
        request, *("url", "codeSystem", "abstract", *_CODE), passed_over=_PASSED_OVER
    )
    codes = asked.code()
    source = await named(context, request, asked, "codeSystem")
    try:
        system = CodeSystem(source)
    except ValueError as error:
        raise refused(error) from None

    def found(one: Coded) -> Member | None:
        concept = system.find(one.code) if one.system in ("", system.url) else None
        return None if concept is None else Member(system.url, concept.code, concept.display)

    return _answer(codes, found, "the code system")


def _member(found: Members, one: Coded, allows_abstract: bool) -> Member | None:
    if one.system:
        member = found.get((one.system, one.code))
    else:
        # A code alone is one of the value set where no two systems of it have that code.
        alike = [member for (_, code), member in found.items() if code == one.code]
        member = alike[0] if len(alike) == 1 else None
    return member if member and (allows_abstract or not member.is_abstract) else None


def _answer(codes: Iterable[Coded], find: Callable[[Coded], Member | None], where: str) -> Answer:
    message = f"None of the codes is in {where}"
    for one in codes:
        member = find(one)
        if member is None:
            continue
        told = (
            parameter("display", "String", member.display),
            parameter("code", "Code", member.code),
            parameter("system", "Uri", member.system),
        )
        if not one.display or searched(one.display) == searched(member.display):
            return parameters(parameter("result", "Boolean", True), *told)
        message = "The code is there, but its display is another"
        return parameters(
            parameter("result", "Boolean", False), parameter("message", "String", message), *told
        )
    return parameters(
        parameter("result", "Boolean", False), parameter("message", "String", message)
    )
