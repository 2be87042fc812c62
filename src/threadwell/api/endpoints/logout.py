"""``POST oauth2/logout``: what a client's sign-out calls."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer
from threadwell.logins import marks


async def logout(context: Context, request: Request) -> Answer:
    """200; the token that the request comes with opens nothing from now on."""
    caller = request.caller = await context.access.asking(request.headers)
    if caller.claims is not None and caller.claims.person:
        await context.logins.end(caller.login_id)
        context.access.forget(request.headers)
    elif caller.login_id:
        await marks.end(context.whole, caller.login_id, context.clock() // 1000)
        context.access.forget(request.headers)
    return outcome_answer(200, OK, request.headers)
