"""What a client sends to be stored → a resource that may be stored, or every reason why not."""

from __future__ import annotations

from typing import Any, NamedTuple

from threadwell.access.fields import told
from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.negotiation import check_json
from threadwell.api.rest import conditional, search_parameters
from threadwell.api.rest.conditional import Find
from threadwell.api.rest.conforming import hold
from threadwell.api.rest.subscriptions import begin
from threadwell.fhir.content import take_content
from threadwell.fhir.json import BadJson, parse
from threadwell.fhir.marks import strip
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.fhir.subsets import is_subset
from threadwell.fhir.validation import validate
from threadwell.stores.aside import aside
from threadwell.stores.contract import Stored


class Accepted(NamedTuple):
    """A resource that is fit to be stored; ``content`` is what a Binary brought along.

    ``hidden`` are the paths of what the caller does not see of it.
    """

    resource: Resource
    content: bytes | None
    hidden: frozenset[str] = frozenset()


async def parse_json(request: Request, *types: str) -> Any:
    """The body as JSON; raises ``FhirError`` 415 for a content type that is neither JSON nor one
    of ``types``, 400 for no JSON.
    """
    check_json(request.headers, *types)
    try:
        return await aside(len(request.body), lambda: parse(request.body))
    except BadJson as error:
        raise FhirError(
            400, [Issue("structure", f"Content could not be parsed: {error}")]
        ) from None


async def accept_body(
    context: Context, request: Request, *, new: bool = False, before: Stored | None = None
) -> Accepted:
    """The body of an update of ``request.type``, or of a create: then its id means nothing.

    ``before`` as in ``accept``.
    """
    value, body = await parse_json(request), request.body
    if new and isinstance(value, dict):
        value.pop("id", None)
    return await accept(
        context,
        value,
        request.type,
        size=len(body),
        urls=b"storage" in body,
        conditions=b"?" in body,
        before=before,
    )


async def accept(
    context: Context,
    value: Any,
    type_: str,
    *,
    size: int,
    urls: bool = True,
    conditions: bool = True,
    find: Find | None = None,
    claims: bool = True,
    before: Stored | None = None,
) -> Accepted:
    """The resource ready to be stored; ``FhirError`` 400 names all that is wrong with it, 422
    what breaks the profiles that it claims.

    ``value`` is changed in place: the server's own marks go, presigned URLs become ``Binary/<id>``
    and conditional references are resolved. ``size`` is about that of its JSON. ``urls`` and
    ``conditions`` tell whether there may be any of these; ``find`` is what the conditions are asked
    of, the store unless it is given. With ``claims`` false no profile is looked at.

    ``before`` is the version that it follows: what the caller does not see or change of it is put
    back first, so that the whole resource is judged.
    """
    resource = of_type(value, type_)
    strip(resource)
    content = take_content(resource)
    if urls:
        await aside(size, lambda: context.signer.normalise(resource))
    if conditions:
        await conditional.resolve_references(context, resource, size, find)
    hidden = frozenset[str]()
    if before is not None:
        hidden = await context.view.keep(resource, before)
        size += len(before.body) if context.view.keeps(type_) else 0
    issues = await aside(size, lambda: validate(resource))
    if hidden:
        issues = told(issues, hidden)
    if issues:
        raise FhirError(400, issues)
    if is_subset(resource):
        raise invalid("A resource tagged SUBSETTED is incomplete and cannot be stored")
    if claims:
        await hold(context, resource, size, hidden)
    begin(context, resource)
    await search_parameters.check(context, resource)
    return Accepted(resource, content, hidden)


def of_type(value: Any, type_: str) -> Resource:
    """``value`` if it is a JSON object of that resource type; raises 400 otherwise."""
    if not isinstance(value, dict):
        raise FhirError(400, [Issue("structure", "A resource is a JSON object")])
    given = value.get("resourceType")
    if given != type_:
        named = f"not {given}" if isinstance(given, str) and given.isalpha() else "and has none"
        raise invalid(f"The resourceType must be {type_}, {named[:40]}", f"{type_}.resourceType")
    return value
