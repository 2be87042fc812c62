"""Links by which somebody sets a password: of an invitation, or of a reset.

The secret of a link is random, and the store has its SHA-256 alone. A link works once, until it
ends, and until any other password is set.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple
from uuid import uuid4

import msgspec

from threadwell.projects.hints import marked
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store
from threadwell.users.user import User

INVITATION = "invitation"
RESET = "reset"
#: How long each works, in milliseconds.
LIVES = {INVITATION: 7 * 24 * 3_600_000, RESET: 60 * 60_000}

_KIND = "password-link"


class Link(NamedTuple):
    """What a link is made of: its id and its secret."""

    id: str
    secret: str

    def url(self, base: str) -> str:
        """Where it leads, at a server's URL; Medplum's apps have their page at the same path."""
        return f"{base.rstrip('/')}/setpassword/{self.id}/{self.secret}"


class Standing(msgspec.Struct, frozen=True):
    """A link as it is kept; ``until`` in milliseconds since 1970 UTC."""

    user: str
    epoch: int
    purpose: str
    secret_sha256: str
    until: int


async def new_link(store: Store, project: str, user: User, purpose: str, now: int) -> Link:
    """A link for somebody to set a password by."""
    await _forget(store, project, now)
    link = Link(str(uuid4()), marked(secrets.token_urlsafe(32), project))
    one = Standing(user.id, user.epoch, purpose, _digest(link.secret), now + LIVES[purpose])
    kept = (Kept(_KIND, link.id, msgspec.json.encode(one), before=None),)
    await store.commit(project, ChangeSet((), kept=kept))
    return link


async def read_link(store: Store, link: Link, now: int) -> tuple[Standing, Kept] | None:
    """What a link is good for, and what uses it up; ``None`` where it is good for nothing.

    Whether the account is still at the link's ``epoch`` has to be looked at in the commit.
    """
    value = await store.get_private(_KIND, link.id)
    if value is None:
        return None
    one = msgspec.json.decode(value, type=Standing)
    if not hmac.compare_digest(one.secret_sha256, _digest(link.secret)) or one.until <= now:
        return None
    return one, Kept(_KIND, link.id, None, before=value)


async def _forget(store: Store, project: str, now: int) -> None:
    for name, value in (await store.list_private(_KIND)).items():
        if msgspec.json.decode(value, type=Standing).until <= now:
            try:
                kept = (Kept(_KIND, name, None, before=value),)
                await store.commit(project, ChangeSet((), kept=kept))
            except Conflict:
                continue


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
