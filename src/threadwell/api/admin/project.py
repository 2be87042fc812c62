"""``Project``: the one that the caller is of, and no other. It is renamed by a command alone: what
others are called is nobody's to learn here.
"""

from __future__ import annotations

import msgspec

from threadwell.api.admin.kind import Kind, member, versioned
from threadwell.api.context import Context
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant
from threadwell.projects.registry import find_project

TYPE = "Project"


async def find(context: Context, id_: str) -> Resource | None:
    """The project, if it is the caller's."""
    found = await find_project(context.whole, id_) if id_ == context.project else None
    if found is None:
        return None
    told = {"resourceType": TYPE, "id": found.id, "name": found.name, "strictMode": True}
    return versioned(told, msgspec.json.encode(found), instant(found.created))


async def every(context: Context) -> list[Resource]:
    """The caller's."""
    found = await find(context, context.project)
    return [] if found is None else [found]


KIND = Kind(TYPE, every, find, texts={"name": member("name")})
