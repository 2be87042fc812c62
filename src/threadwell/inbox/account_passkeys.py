"""*Your account*: its passkeys, and the proof that it is its owner who changes something."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from threadwell.fhir.stamp import now_ms
from threadwell.inbox.coming_in import where_from
from threadwell.inbox.dates import Dates
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.page import Form, first
from threadwell.inbox.passkey_doors import asked, not_offered, offered, passkeys_of
from threadwell.inbox.site import Site
from threadwell.users.accounts import end_logins
from threadwell.users.browsers import SignIn, end_browsers
from threadwell.users.keeping import find_user
from threadwell.users.passkeys import drop_passkey, rename_passkey
from threadwell.users.signing_in import Wrong
from threadwell.users.user import User

#: Who has no password counts as its owner for so long after signing in, in milliseconds.
_FRESH = 10 * 60_000


async def begin(site: Site, request: Request) -> Response:
    """What an authenticator is asked to make a passkey for."""
    if not is_from_here(site, request):
        return from_elsewhere()
    id_ = request.state.sign_in.user
    user = await find_user(site.whole, id_) if id_ else None
    if user is None:
        return not_offered(Wrong("there is no account that a passkey could be for"))
    return offered(site, await passkeys_of(site).to_add(user))


async def check_owner(site: Site, request: Request, user: User, form: Form) -> None:
    """Raise ``Wrong`` or ``Paused`` unless the form has the account's password.

    An account without one is its owner's for ten minutes after signing in.
    """
    if user.password:
        await site.signing_in.check(user, first(form, "old"), where_from(site, request))
        return
    sign_in: SignIn = request.state.sign_in
    if not 0 <= now_ms() - sign_in.begun < _FRESH:
        raise Wrong("you signed in too long ago for that: sign out, sign in, and do it at once")


async def add(site: Site, request: Request, user: User, form: Form) -> tuple[str, ...]:
    """Keep a passkey; the recovery codes that come with the first one. Raises as ``check_owner``,
    and ``BadUser``.
    """
    await check_owner(site, request, user, form)
    name, answer = first(form, "name"), first(form, "passkey")
    added = await passkeys_of(site).add(user, asked(site, request), name, answer)
    return added.codes


async def rename(site: Site, user: User, form: Form) -> None:
    """Call one otherwise. Raises ``Wrong`` and ``BadUser``."""
    name, id_ = first(form, "name"), first(form, "passkey")
    if not await rename_passkey(site.whole, site.project, user.id, id_, name):
        raise Wrong("there is no such passkey any more")


async def drop(site: Site, request: Request, user: User, form: Form) -> None:
    """Take one away, and sign its owner out everywhere else. Raises as ``check_owner``."""
    await check_owner(site, request, user, form)
    left = await drop_passkey(site.whole, site.project, user.id, first(form, "passkey"))
    if left is None:
        raise Wrong("there is no such passkey any more")
    await end_browsers(site.whole, site.project, left, but=request.state.sign_in.id)
    await end_logins(site.whole, site.project, left, "a passkey was removed", now_ms)


def shown(user: User, dates: Dates) -> list[dict[str, Any]]:
    """Somebody's passkeys as their page lists them."""

    def day(time: int) -> str:
        return dates.text(datetime.fromtimestamp(time / 1000, UTC).isoformat()) if time else ""

    return [
        {
            "id": one.id,
            "name": one.name,
            "since": day(one.created),
            "used": day(one.used),
            "alone": one.verifies,
            "synced": one.synced,
        }
        for one in user.passkeys
    ]
