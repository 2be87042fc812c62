"""Who may come in: the account that a path names, the origin of a page, the token of a patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from threadwell.api.context import Context
from threadwell.channels.account import Account
from threadwell.channels.chat.names import NAME, origins_of
from threadwell.channels.chat.tokens import Token, read_token
from threadwell.channels.delivery import Refused
from threadwell.intake.chat.refused import ChatRefused


async def account_of(context: Context, name: str) -> Account:
    """The account of that name, if an app may use it; ``not-found`` otherwise."""
    account = await context.accounts.find(name, context.clock())
    if account is None or account.channel != NAME:
        raise ChatRefused("not-found", "there is no such account", "path")
    return account


def check_origin(context: Context, account: Account, origin: str) -> None:
    """Refuse a page of an origin that the account does not name, and that is not this server's.

    What is no page sends no origin, and needs none: no cookie opens anything here.
    """
    if origin and origin not in origins_of(account) and origin not in _own(context):
        text = "pages of this origin may not use the app: the account has to name it (origins)"
        raise ChatRefused("origin", text, "Origin")


def bearer(headers: Mapping[bytes, bytes]) -> str:
    """The token of a request, ``""`` where it has none."""
    kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def token_of(context: Context, account: Account, text: str, where: str) -> Token:
    """Whose token it is; ``token`` where it opens nothing, with the reason."""
    read = read_token(text, account, datetime.fromtimestamp(context.clock() / 1000, UTC))
    if isinstance(read, Refused):
        raise ChatRefused("token", read.reason, where)
    context.load.check(f"{NAME}/{account.name}/{read.patient.who}", context.clock() // 1000)
    return read


def _own(context: Context) -> set[str]:
    parts = map(urlsplit, context.served)
    return {f"{one.scheme}://{one.netloc}" for one in parts}
