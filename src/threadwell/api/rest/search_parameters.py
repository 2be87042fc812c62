"""A SearchParameter that is sent to be stored: can the store be searched by it?"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.defining import TYPE, Undefined, defined


async def check(context: Context, resource: Resource) -> None:
    """Raise ``FhirError`` 422 for a valid SearchParameter that is active and cannot be used."""
    if resource["resourceType"] != TYPE:
        return
    try:
        found = defined(resource)
    except Undefined as error:
        raise FhirError(422, error.issues) from None
    if found is None:
        return
    parameter = found.parameter
    for one in (await context.whole.parameters(context.project)).listed:
        holder = one.following or one.of
        taken = one.code == parameter.code and one.type in found.types and bool(holder.id)
        if taken and parameter.url not in {one.of.url, holder.url}:
            path = "SearchParameter.code"
            text = f"{path}: {one.type} has a search parameter {one.code} already"
            raise FhirError(422, [Issue("duplicate", text, path)])
