"""What a client writes, held against the profiles that it claims."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.access.fields import told
from threadwell.api.context import Context
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.profiles.check import check, claims, extension_urls, systems
from threadwell.fhir.resource import Resource
from threadwell.stores.aside import aside


async def hold(
    context: Context, resource: Resource, size: int, hidden: frozenset[str] = frozenset()
) -> None:
    """Raise 422 where a resource breaks a profile that it claims to be as, and these are checked.

    One without such a claim costs a look at its ``meta``. Of what is ``hidden`` nothing is told.
    """
    if not ("meta" in resource or "contained" in resource or "entry" in resource):
        return
    urls = claims(resource)
    if not urls:
        return
    state = await context.conformance.guides.state(context.clock())
    if state.profiles == "off" or not state.packages:
        return
    found = told(await issues(context, resource, urls, size), hidden)
    if any(issue.severity == "error" for issue in found):
        raise FhirError(422, [issue for issue in found if issue.severity != "information"])


async def issues(
    context: Context, resource: Resource, urls: Sequence[str], size: int
) -> list[Issue]:
    """All that is to be said of a resource by those profiles: errors, warnings, and what is not
    checked.
    """
    wanted = [*urls, *claims(resource), *extension_urls(resource)]
    compiler = await context.conformance.compiler(context.clock(), wanted, systems(resource))
    return await aside(size, lambda: check(resource, urls, compiler))


async def knows(context: Context, profile: str) -> bool:
    """Whether a profile is known here."""
    compiler = await context.conformance.compiler(context.clock(), [profile], ())
    return compiler.test_of(profile) is not None
