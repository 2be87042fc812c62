"""``User``: accounts, without anything by which somebody could come in as them. Read only."""

from __future__ import annotations

import msgspec

from threadwell.api.admin.kind import Kind, member, versioned
from threadwell.api.context import Context
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant
from threadwell.users.keeping import find_user, users
from threadwell.users.user import User

TYPE = "User"


async def find(context: Context, id_: str) -> Resource | None:
    """The account of that id."""
    user = await find_user(context.whole, id_)
    return None if user is None or user.member(context.project) is None else as_user(user)


async def every(context: Context) -> list[Resource]:
    """All, by e-mail address."""
    return [as_user(one) for one in await users(context.whole, context.project)]


def as_user(user: User) -> Resource:
    """What is told of an account."""
    told = {
        "resourceType": TYPE,
        "id": user.id,
        "firstName": user.first,
        "lastName": user.last,
        "email": user.email,
        "mfaEnrolled": user.factor is not None,
    }
    return versioned(told, msgspec.json.encode(told), instant(user.created))


def _email(one: Resource) -> tuple[str, ...]:
    return (one["email"],)


KIND = Kind(
    TYPE,
    every,
    find,
    texts={"name": lambda one: (one["firstName"], one["lastName"])},
    exact={"email": _email, "project": member("project")},
)
