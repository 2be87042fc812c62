"""Client registrations: who may log in with an id and a secret.

A secret is 256 random bits, so its SHA-256 is as hard to turn back as the secret is to guess; a
slow password hash would add nothing but time to each request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.logins import endings
from threadwell.projects.within import CLIENT_OF
from threadwell.stores.contract import DEFAULT_PROJECT, Store

_KIND = "client"

#: Stands in for the hash of a client that does not exist, so that both take the same time.
_NO_HASH = hashlib.sha256(b"").hexdigest()


class NewClient(NamedTuple):
    """What the owner of a new client is told, once: the secret is nowhere in the store.

    ``client_secret`` is ``""`` for one that signs.
    """

    client_id: str
    client_secret: str


class Client(msgspec.Struct, frozen=True):
    """A registration as the store keeps it.

    ``created`` is in milliseconds since 1970 UTC, 0 where nobody noted it. ``generation`` counts
    the secrets that it has had before: a token of an earlier one opens nothing.

    ``redirect_uris`` are where people are led back to who sign in by it. A ``public`` one has no
    secret to show then (an app in a browser or on a phone): PKCE stands for it. An app from
    ``outside`` is not the practice's own: people are asked before it gets anything, and it may do
    no more than its scopes say. ``scopes`` are all that it may ask for, whatever it is where there
    are none. ``jwks`` and ``jwks_uri`` have the keys that it signs with instead of a secret.
    """

    id: str
    name: str
    project: str
    secret_sha256: str
    admin: bool
    created: int = 0
    generation: int = 0
    redirect_uris: tuple[str, ...] = ()
    public: bool = False
    outside: bool = False
    scopes: tuple[str, ...] = ()
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    active: bool = True
    description: str = ""

    @property
    def signs(self) -> bool:
        """Whether it proves by a signature who it is, and has no secret."""
        return self.jwks is not None or bool(self.jwks_uri)

    def with_secret(self, secret: str) -> Client:
        """The same with another secret: the one before opens nothing any more."""
        return msgspec.structs.replace(
            self, secret_sha256=_digest(secret), generation=self.generation + 1
        )

    def accepts(self, secret: str) -> bool:
        """Is that its secret? Takes the same time whatever the answer."""
        return hmac.compare_digest(_digest(secret), self.secret_sha256) and not self.signs


async def add_client(
    store: Store,
    name: str,
    *,
    client_id: str | None = None,
    secret: str | None = None,
    project: str = DEFAULT_PROJECT,
    admin: bool = True,
    clock: Clock = now_ms,
    **more: Any,
) -> NewClient:
    """Register a client under ``name``; id and secret are made unless they are given.

    ``more`` are further members of ``Client``. A ``secret`` that is given must have 256 bits that
    nobody can guess. Raises ``ValueError`` if the id is taken.
    """
    new = NewClient(client_id or str(uuid4()), secret or secrets.token_hex(32))
    digest = _digest(new.client_secret)
    client = Client(new.client_id, name, project, digest, admin, created=clock(), **more)
    value = msgspec.json.encode(client)
    if not await _is_free(store, client) or not await store.put_private(
        _KIND, new.client_id, value, only_new=True
    ):
        raise ValueError(f"there is a client {new.client_id} already")
    return new._replace(client_secret="") if client.signs else new


async def find_client(store: Store, client_id: str) -> Client | None:
    """The registration, ``None`` if there is none."""
    # No id has what some stores cannot even ask for: half a surrogate pair, NUL.
    value = await store.get_private(_KIND, client_id) if client_id.isprintable() else None
    return msgspec.json.decode(value, type=Client) if value is not None else None


async def list_clients(store: Store, project: str = DEFAULT_PROJECT) -> list[Client]:
    """The registrations of a project, the oldest first."""
    values = (await store.list_private(_KIND)).values()
    clients = [msgspec.json.decode(value, type=Client) for value in values]
    mine = [client for client in clients if client.project == project]
    return sorted(mine, key=lambda client: (client.created, client.name, client.id))


async def rotate_client(store: Store, client: Client) -> NewClient:
    """Give the client a new secret. The old one and every token by it open nothing any more.

    Running servers refuse them within ``access.LOOK``. Of one that signs, only the tokens end.
    """
    new = NewClient(client.id, secrets.token_hex(32))
    value = msgspec.structs.replace(
        client, secret_sha256=_digest(new.client_secret), generation=client.generation + 1
    )
    await store.put_private(_KIND, client.id, msgspec.json.encode(value))
    await endings.tell(store)
    return new._replace(client_secret="") if client.signs else new


async def change_client(store: Store, client: Client) -> None:
    """Keep a registration as it is now; what it says holds for running servers at once."""
    await store.put_private(_KIND, client.id, msgspec.json.encode(client))
    await endings.tell(store)


async def remove_client(store: Store, client_id: str) -> None:
    """End a registration; running servers refuse its tokens within ``access.LOOK``."""
    await store.put_private(_KIND, client_id, None)
    if await store.get_private(CLIENT_OF, client_id) is not None:
        await store.put_private(CLIENT_OF, client_id, None)
    await endings.tell(store)


async def _is_free(store: Store, client: Client) -> bool:
    """Take the id for the client's project: no two projects have clients of one id."""
    if client.project == DEFAULT_PROJECT:
        return await store.get_private(CLIENT_OF, client.id) is None
    mine = client.project.encode()
    if await store.put_private(CLIENT_OF, client.id, mine, only_new=True):
        return True
    return await store.get_private(CLIENT_OF, client.id) == mine


def refuse_unknown(secret: str) -> None:
    """Spend the time of a comparison where there is no client to compare with."""
    hmac.compare_digest(_digest(secret), _NO_HASH)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
