"""Who may come in: clients of the HTTP API, and people who sign in to the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from threadwell.app import DEFAULT_BASE_URL, checked_url
from threadwell.facade.administering import administers
from threadwell.facade.granting import Granting
from threadwell.fhir.stamp import now_ms

if TYPE_CHECKING:
    from threadwell.api.clients import Client, NewClient


class Admitting(Granting):
    """Registers clients, and signs people in."""

    @administers(
        "client add",
        ".client_id",
        "name",
        "policy",
        "acts_as",
        "parameters",
        "scopes",
        "outside",
        "confidential",
    )
    def add_client(
        self,
        name: str,
        *,
        policy: str = "",
        acts_as: str = "",
        parameters: Mapping[str, str] | None = None,
        redirect_uris: Sequence[str] = (),
        scopes: Sequence[str] = (),
        outside: bool = False,
        confidential: bool = False,
        jwks: Mapping[str, Any] | None = None,
        jwks_uri: str = "",
    ) -> NewClient:
        """Register a client of the HTTP API; its secret is shown this once.

        For example::

            client = tw.add_client("billing")
            print(client.client_id, client.client_secret)

        With a ``policy`` it may do what that allows, for ``acts_as`` and with ``parameters``,
        from its first request on (see ``give_policy``), and may not register others.

        With ``redirect_uris`` people sign in by it, and are led back to one of these::

            tw.add_client("portal", redirect_uris=["https://portal.example.org/back"])

        It may not register others, and shows its secret then only if it is ``confidential``.
        ``scopes`` are all that it may ask for. An app from ``outside`` is not the practice's own:
        each person is asked what it may do. One that signs instead of showing a secret
        (``private_key_jwt``) has its public keys in ``jwks``, or at ``jwks_uri``. Raises
        ``BadRegistration`` (a ``ValueError``).
        """
        from threadwell.api.clients import (
            add_client,
            checked_keys,
            checked_redirects,
            checked_scopes,
        )

        more: dict[str, Any] = {"scopes": checked_scopes(scopes), "outside": outside}
        if jwks is not None or jwks_uri:
            more |= checked_keys(jwks, jwks_uri)
        if redirect_uris:
            more["redirect_uris"] = checked_redirects(redirect_uris)
            more["public"] = not confidential
        if not policy:
            is_admin = not (redirect_uris or outside or scopes)
            made = add_client(self._store, name, project=self._project, admin=is_admin, **more)
            return self._loop.call(made)
        # It has its policy before anybody can log in as it.
        id_ = str(uuid4())
        self.give_policy(f"ClientApplication/{id_}", policy, acts_as=acts_as, parameters=parameters)
        made = add_client(
            self._store, name, client_id=id_, project=self._project, admin=False, **more
        )
        return self._loop.call(made)

    def clients(self) -> list[Client]:
        """The clients of the HTTP API, the oldest first: ``[c.name for c in tw.clients()]``."""
        from threadwell.api.clients import list_clients

        return self._loop.call(list_clients(self._store, self._project))

    @administers("client rotate", "client_id")
    def rotate_client(self, client_id: str) -> NewClient:
        """A new secret for a client; the old one and its tokens open nothing any more.

        For example::

            secret = tw.rotate_client(client.client_id).client_secret

        Raises ``LookupError`` where there is no client of that id.
        """
        return self._loop.call(self._rotated(client_id))

    @administers("client revoke", "client_id")
    def revoke_client(self, client_id: str) -> None:
        """End a client's registration, and its tokens: ``tw.revoke_client(client.client_id)``.

        Raises ``LookupError`` where there is no client of that id.
        """
        self._loop.call(self._revoked(client_id))

    def has_client(self, client_id: str) -> bool:
        """Is there a client of that id? ``tw.has_client(client.client_id)``."""
        from threadwell.api.clients import find_client

        return self._loop.call(find_client(self._store, client_id)) is not None

    def signing_keys(self) -> list[tuple[str, int]]:
        """The ids of the keys that tokens are signed with, and until when each is good.

        The first is the one that signs, with 0; the others have signed what may still be good,
        until then in milliseconds since 1970 UTC: ``tw.signing_keys()[0]``.
        """
        from threadwell.api.clients import former_keys, signing_key

        current = self._loop.call(signing_key(self._store, self._project))
        former = self._loop.call(former_keys(self._store))
        good = [(str(one.jwk["kid"]), one.until) for one in former if one.until > now_ms()]
        return [(current.kid, 0), *sorted(good, key=lambda one: -one[1])]

    @administers("keys rotate", "at_once")
    def rotate_signing_key(self, *, at_once: bool = False) -> str:
        """Sign tokens with a new key from now on; its id.

        For example::

            kid = tw.rotate_signing_key()

        Those that the key before has signed are good until they expire, or end ``at_once``:
        where somebody else may have the key.
        """
        from threadwell.api.clients import rotate_key

        made = rotate_key(self._store, self._project, now_ms(), at_once=at_once)
        return self._loop.call(made).kid

    @property
    def server_url(self) -> str:
        """Where the server that runs on the store is reached, ``""`` if none seems to run."""
        from threadwell.inbox.whereabouts import noted_address

        return self._loop.call(noted_address(self._store))

    @administers("sign-in", "who")
    def sign_in_link(self, base_url: str = "", *, who: str = "") -> str:
        """A link that signs one browser in to the pages, once, within 15 minutes.

        For example::

            tw.sign_in_link("https://threadwell.example.org", who="Practitioner/123")

        Without ``base_url`` it leads to the server that runs on the store. What is done in that
        browser is recorded as done by ``who`` (``Practitioner/…``, ``PractitionerRole/…``), who
        has to be in the store (``BadSetting``); without it, by a person on the pages.
        """
        from threadwell.inbox.people import checked_person
        from threadwell.inbox.sign_in import new_link

        if base_url:
            checked_url(base_url, "the base URL")
        if who:
            self._loop.call(checked_person(self._store, self._project, who))
        base = base_url or self.server_url or DEFAULT_BASE_URL
        return self._loop.call(new_link(self._store, base, who=who, project=self._project))

    async def _rotated(self, client_id: str) -> NewClient:
        from threadwell.api.clients import rotate_client

        return await rotate_client(self._store, await self._client(client_id))

    async def _revoked(self, client_id: str) -> None:
        from threadwell.api.clients import remove_client

        await remove_client(self._store, (await self._client(client_id)).id)

    async def _client(self, client_id: str) -> Client:
        from threadwell.api.clients import find_client

        client = await find_client(self._store, client_id)
        if client is None or client.project != self._project:
            raise LookupError(f"there is no client {client_id!r}")
        return client
