"""``auth/changepassword``, ``auth/resetpassword`` and ``auth/setpassword``."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import body_of, person_of, refuse, text_of
from threadwell.api.endpoints.auth.login import signing_in
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer
from threadwell.api.signing import account_known, changes_account
from threadwell.api.watched import who
from threadwell.api.whence import where_from
from threadwell.audit.record import of_account
from threadwell.users.changing import LinkSpent, link_user, set_by_link, set_password
from threadwell.users.password_links import Link
from threadwell.users.passwords import BadPassword, shared
from threadwell.users.pauses import Paused
from threadwell.users.resetting import ask_for_reset
from threadwell.users.signing_in import Wrong
from threadwell.users.user import User


async def change(context: Context, request: Request) -> Answer:
    """200; whoever asks is signed out everywhere but here."""
    changes_account(request, "password")
    caller, user = await person_of(context, request)
    body = body_of(request)
    old, new = (text_of(body, name, needed=True) for name in ("oldPassword", "newPassword"))
    try:
        await signing_in(context).check(user, old, where_from(request))
    except (Wrong, Paused) as error:
        refuse(error, "oldPassword")
    store, project = context.whole, context.project
    try:
        done = await set_password(
            store, project, user, new, shared(), context.clock, but=caller.login_id
        )
    except BadPassword as error:
        refuse(error, "newPassword")
    if done is None:
        refuse(Wrong("the password was changed elsewhere meanwhile"), "oldPassword")
    return outcome_answer(200, OK, request.headers)


async def ask_reset(context: Context, request: Request) -> Answer:
    """200, whether there is such an account or not: only the trail has whose link was made."""
    body = body_of(request)
    by, asked = who(request), request.path

    def made(user: User) -> None:
        trail, project = context.trail, context.project
        trail.event(project, "account reset", by, asked=of_account(asked, user.id))

    email = text_of(body, "email", needed=True)
    try:
        await ask_for_reset(
            context.whole,
            context.project,
            context.channels(),
            email=email,
            address=where_from(request).address,
            base=context.base,
            clock=context.clock,
            made=made,
        )
    except Paused as error:
        refuse(error)
    return outcome_answer(200, OK, request.headers)


async def set_(context: Context, request: Request) -> Answer:
    """200; the link of an invitation or a reset is used up."""
    changes_account(request, "password")
    body = body_of(request)
    id_, secret, password = (
        text_of(body, name, needed=True) for name in ("id", "secret", "password")
    )
    link = Link(id_, secret)
    user = await link_user(context.whole, link, context.clock())
    if user is not None:
        account_known(context, request, user)
    try:
        await set_by_link(context.whole, context.project, link, password, shared(), context.clock)
    except LinkSpent:
        refuse(LinkSpent("the link does not work any more: ask for another one"), "secret")
    except BadPassword as error:
        refuse(error, "password")
    return outcome_answer(200, OK, request.headers)
