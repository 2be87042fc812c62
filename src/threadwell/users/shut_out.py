"""Whoever comes in by a link that names them stands and falls with their account, if any."""

from __future__ import annotations

from threadwell.fhir.json import decode
from threadwell.stores.contract import Store
from threadwell.users.keeping import users_as
from threadwell.users.user import User

_ROLE = "PractitionerRole/"


async def is_shut_out(store: Store, project: str, who: str) -> bool:
    """Has ``who`` (``Practitioner/…``) accounts, all of them disabled?

    Those of a role's practitioner are the role's, too.
    """
    if not who:
        return False
    names = {who}
    if who.startswith(_ROLE):
        stored = await store.read(project, "PractitionerRole", who.removeprefix(_ROLE))
        role = {} if stored is None or stored.deleted else decode(stored.body)
        names.add((role.get("practitioner") or {}).get("reference", ""))
    theirs = [one for name in names if name for one in await users_as(store, project, name)]
    return bool(theirs) and all(one.disabled for one in theirs)


async def shut_out(store: Store, project: str, user: User) -> list[str]:
    """As whom a disabled account lets nobody in any more, by no link either."""
    mine = {one.profile for one in user.members if one.project == project}
    return [who for who in sorted(mine) if await is_shut_out(store, project, who)]
