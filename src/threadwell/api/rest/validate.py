"""``$validate`` (FHIR R4 §3.2.0.5): would this resource be accepted?"""

from __future__ import annotations

from typing import Any, NamedTuple

from threadwell.access.fields import told
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer, refusal
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import accept, parse_json
from threadwell.api.rest.conforming import issues, knows
from threadwell.api.rest.parameters import pairs_of
from threadwell.api.rest.read import existing
from threadwell.api.rest.update import check_id
from threadwell.fhir.canonicals import relative_canonicals
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.profiles.check import claimed
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

_BASE = "http://hl7.org/fhir/StructureDefinition/"
_MODES = ("", "create", "update", "delete", "profile")


async def validate(context: Context, request: Request) -> Answer:
    """200 with an outcome that names every mistake, or says that there is none. Nothing is stored.

    A resource that is right by R4 is held against ``profile``, and against those that it claims.
    Medplum's clients, which tell mistakes by the status, get 400 for them. Who asks for a profile
    that is not known here, or brings nothing to look at, gets 400 as well.
    """
    asked = await _asked(request)
    if asked.mode not in _MODES:
        raise invalid("mode must be create, update, delete or profile")
    profile = asked.profile
    if profile.partition("|")[0] in (f"{_BASE}{request.type}", f"{_BASE}Resource"):
        profile = ""
    if profile and not await knows(context, profile):
        text = "The profile is not known here: add a package that has it"
        raise FhirError(400, [Issue("not-supported", text)])
    resource, size = asked.resource, len(request.body)
    if asked.mode == "profile" and (resource is not None or not request.id):
        raise invalid("mode profile is of a resource that is there: name it by its id")
    stored = None
    if request.id and (resource is None or asked.mode == "delete"):
        # There is nothing else that a delete could fail for.
        stored = existing(await context.view.read(context.project, request.type, request.id))
        resource, size = decode(stored.body), len(stored.body)
    elif request.id and context.view.keeps(request.type):
        stored = await context.view.read(context.project, request.type, request.id)
    if resource is None:
        raise invalid("There is no resource to validate")
    try:
        hidden = await _check(context, request, resource, asked.mode, size, stored)
        found = await issues(context, resource, _profiles(profile, resource), size)
        found = told([*relative_canonicals(resource), *found], hidden)
        if any(issue.severity == "error" for issue in found):
            raise FhirError(400, found)
    except FhirError as error:
        answer = refusal(error, request.headers)
        return answer if request.is_medplums else answer._replace(status=200)
    if found:
        # Only warned of, or not checked: it would be accepted.
        return refusal(FhirError(200, found), request.headers)
    return outcome_answer(200, OK, request.headers)


def _profiles(profile: str, resource: Resource) -> list[str]:
    """The profile that is asked for, and those that the resource claims."""
    return list(dict.fromkeys([*([profile] if profile else ()), *claimed(resource)]))


class _Asked(NamedTuple):
    resource: Any
    mode: str
    profile: str


async def _asked(request: Request) -> _Asked:
    """The body is the resource, or Parameters that hold it (§3.2.0.5.1)."""
    resource, pairs = None, parse_params(request.query)
    if request.method == "POST" and request.body:
        resource = await parse_json(request)
        if isinstance(resource, dict) and resource.get("resourceType") == "Parameters":
            resource, more = pairs_of(resource, "resource")
            pairs += more
    given = dict(pairs)
    if unknown := given.keys() - {"mode", "profile"}:
        raise invalid(f"Unknown parameter of $validate: {min(unknown)[:64]}")
    return _Asked(resource, given.get("mode", ""), given.get("profile", ""))


async def _check(
    context: Context,
    request: Request,
    resource: Any,
    mode: str,
    size: int,
    before: Stored | None,
) -> frozenset[str]:
    """Raises ``FhirError`` for what would not be accepted; the paths of what is not seen of it."""
    if isinstance(resource, dict) and mode == "create":
        resource.pop("id", None)
    accepted = await accept(context, resource, request.type, size=size, claims=False, before=before)
    if mode == "update" and request.id:
        check_id(accepted.resource, request.id)
    elif mode == "update" and "id" not in accepted.resource:
        raise invalid("An update has the id of its resource", f"{request.type}.id")
    return accepted.hidden
