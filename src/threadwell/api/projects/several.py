"""Somebody who has accounts in several projects: one sign-in, and the choice where they go.

A password that is right in one account alone leads there. Where it is right in several, each has a
login begun, and ``auth/profile`` goes on with that of the membership which is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from threadwell.api.context import Context
from threadwell.api.endpoints.auth import login, passwords
from threadwell.api.endpoints.auth.bodies import body_of, refuse, text_of
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.projects.contexts import Contexts
from threadwell.api.watched import signed
from threadwell.api.whence import where_from
from threadwell.fhir.json import encode
from threadwell.logins.login import PATIENCE
from threadwell.projects.within import CHOICE
from threadwell.users.pauses import Paused
from threadwell.users.signing_in import Proved, Wrong

#: Choices that are looked at whenever another is kept, whether they are over.
_SWEPT = 20


class _Begun(msgspec.Struct, frozen=True):
    """A login of each project; ``until`` in milliseconds since 1970 UTC."""

    until: int
    logins: dict[str, str]


async def answer(
    contexts: Contexts, homes: Sequence[Context], _first: Context, request: Request
) -> Answer:
    """The answer of ``auth/login`` or ``auth/resetpassword`` to whoever has several accounts."""
    if request.path == "auth/resetpassword":
        for context in homes:
            told = await passwords.ask_reset(context, request)
        return told
    body = body_of(request)
    email, password = text_of(body, "email", needed=True), text_of(body, "password", needed=True)
    proved: list[tuple[Context, Proved]] = []
    wrong: list[Wrong | Paused] = []
    for context in homes:
        try:
            one = await login.signing_in(context).by_password(email, password, where_from(request))
        except (Wrong, Paused) as error:
            wrong.append(error)
            continue
        proved.append((context, one))
    if not proved:
        await login.named(homes[0], request, body)
        refuse(next((one for one in wrong if isinstance(one, Paused)), wrong[0]))
    if len(proved) == 1:
        return await login.goes_on(*proved[0], request)
    shown: list[dict[str, Any]] = []
    begun: dict[str, str] = {}
    for context, one in proved:
        if begun:
            # Each is a login; the last one is recorded with the answer.
            signed(context, request, 200)
        mine = await login.begun(context, one, request)
        begun[context.project] = mine.id
        shown += await login.memberships(context, one.user, text_of(body, "resourceType"))
    first = next(iter(begun.values()))
    now = homes[0].clock()
    await _sweep(contexts, now)
    kept = msgspec.json.encode(_Begun(now + PATIENCE, begun))
    await contexts.whole.put_private(CHOICE, first, kept)
    return json_answer(200, {"login": first, "memberships": shown})


async def chosen(contexts: Contexts, request: Request) -> Context | None:
    """Where ``auth/profile`` goes on, with the request as that project reads it."""
    body = body_of(request)
    value = await contexts.whole.get_private(CHOICE, text_of(body, "login", needed=True))
    if value is None:
        return None
    wanted = text_of(body, "profile", needed=True)
    for project, id_ in msgspec.json.decode(value, type=_Begun).logins.items():
        context = await contexts.of(project)
        if context is not None and await login.is_members(context, id_, wanted):
            request.body = encode({**body, "login": id_})
            return context
    return None


async def _sweep(contexts: Contexts, now: int) -> None:
    for name, value in (await contexts.whole.list_private(CHOICE, count=_SWEPT)).items():
        if msgspec.json.decode(value, type=_Begun).until <= now:
            await contexts.whole.put_private(CHOICE, name, None)
