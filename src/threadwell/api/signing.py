"""Whose a login is, as the audit trail has it: said as soon as it is known, so that what fails
later tells as much. Nothing by which somebody comes in is among it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from threadwell.api.context import Context
from threadwell.api.exchange import Caller, Request
from threadwell.api.oauth.clients import Client
from threadwell.logins.login import Login
from threadwell.users.accounts import acts_as
from threadwell.users.user import User

#: What somebody does to their account, by the words of the page that does the same
#: (``inbox.account_page``).
Change: TypeAlias = Literal["add-factor", "drop-factor", "end", "password"]


def changes_account(request: Request, change: Change) -> None:
    """The request is no login: it changes an account, and is recorded as that, refused or not."""
    request.act = f"account {change}"


def client_named(context: Context, request: Request, client: Client) -> None:
    """A client is named that there is; nothing shows yet that it is the one who asks."""
    _is(context, request, Caller("", client.id, client.name))


def client_proved(context: Context, request: Request, client: Client) -> None:
    """A client asks, and for itself: it has proven who it is."""
    _is(context, request, Caller(f"ClientApplication/{client.id}", client.id, client.name))


def account_known(context: Context, request: Request, user: User, login: str = "") -> None:
    """Somebody has shown whose account it is; as whom they come in may be open yet."""
    member = acts_as(user, context.project)
    who = member.profile if member is not None else f"User/{user.id}"
    client = request.caller.client_id if request.home == context.project else ""
    _is(context, request, Caller(who, client, user.name, login_id=login))
    request.account = user.id


def login_known(context: Context, request: Request, login: Login) -> None:
    """It is a login that was begun before: of an app, and of whoever was let in."""
    member = login.member
    who, name = (member.profile, member.name) if member is not None else (login.user, "")
    _is(context, request, Caller(who, login.asked.client, name, login_id=login.id))


def _is(context: Context, request: Request, caller: Caller) -> None:
    request.caller = caller
    request.home = context.project
