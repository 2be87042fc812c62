"""``AccessPolicy``: who may see what; changed, it holds at once for all who have it."""

from __future__ import annotations

from uuid import uuid4

from threadwell.access.memberships import find_policy, policies
from threadwell.access.reading import BadPolicy
from threadwell.api.admin.kind import Kind, member, versioned
from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.oauth.granting import drop_policy, set_policy
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource

TYPE = "AccessPolicy"


async def create(context: Context, _: Request, body: Resource) -> Resource:
    """Another policy; nobody has it yet."""
    return await _kept(context, {**body, "id": str(uuid4())})


async def update(context: Context, _: Request, current: Resource, body: Resource) -> Resource:
    """As the body says."""
    return await _kept(context, {**body, "id": current["id"]})


async def delete(context: Context, _: Request, current: Resource) -> None:
    """Remove one that nobody has; 409 for another: without it they would be able to do nothing."""
    try:
        await drop_policy(context.whole, context.project, current["id"])
    except BadPolicy as error:
        text = str(error)
        issue = Issue("conflict", f"{text[:1].upper()}{text[1:]}")
        raise FhirError(409, [issue], "conflict") from None


async def find(context: Context, id_: str) -> Resource | None:
    """The policy of that id."""
    found = await find_policy(context.whole, context.project, id_) if id_.isprintable() else None
    return None if found is None else _shown(found)


async def every(context: Context) -> list[Resource]:
    """All, by name."""
    return [_shown(one) for one in await policies(context.whole, context.project)]


async def _kept(context: Context, policy: Resource) -> Resource:
    plain = {name: value for name, value in policy.items() if name != "meta"}
    try:
        return _shown(await set_policy(context.whole, context.project, plain))
    except BadPolicy as error:
        text = str(error)
        raise invalid(f"{text[:1].upper()}{text[1:]}", TYPE) from None


def _shown(policy: Resource) -> Resource:
    return versioned(policy, encode(policy))


KIND = Kind(TYPE, every, find, create, update, delete, texts={"name": member("name")})
