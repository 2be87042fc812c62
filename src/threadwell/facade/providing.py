"""Outside identity providers: which the practice signs in by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from threadwell.app import DEFAULT_BASE_URL
from threadwell.facade.administering import administers
from threadwell.facade.peopling import Peopling
from threadwell.fhir.stamp import now_ms
from threadwell.projects.hints import marked

if TYPE_CHECKING:
    from threadwell.users.provider_calls import Described
    from threadwell.users.providers import Provider


class Providing(Peopling):
    """Keeps the providers by which people sign in."""

    @administers("provider set", "name", ".link", ".role", ".domains", ".roles", ".required")
    def set_provider(self, name: str, **told: Any) -> Provider:
        """Sign in by an outside provider (OpenID Connect), in place of another of that name.

        For example::

            tw.set_provider("entra", label="Microsoft", issuer="https://login.example.com/t/v2.0",
                            client_id="…", secret="…", domains=["clinic.example.org"])

        ``link`` says how somebody who comes for the first time gets to an account: ``invited`` (by
        the address of an invitation that is open), ``email`` (by that of any account) or ``create``
        (one is made, with ``role`` or ``roles``). ``roles_claim`` and ``roles`` give policies by a
        claim. With ``required`` nobody whose address is of ``domains`` comes in by anything else.
        Raises ``BadProvider``, and ``BadPolicy`` for a role that is none.
        """
        from threadwell.users.linking import check_roles
        from threadwell.users.providers import keep_provider, parse_provider

        provider = parse_provider(name, told)
        self._loop.call(check_roles(self._store, self._project, provider))
        self._loop.call(keep_provider(self._store, self._project, provider))
        return provider

    def set_providers(self, told: Mapping[str, Mapping[str, Any]]) -> list[Provider]:
        """The same for several, by name; none is kept where one is wrong.

        For example: ``tw.set_providers(tomllib.load(file)["provider"])``.
        """
        from threadwell.users.linking import check_roles
        from threadwell.users.providers import parse_provider

        for name, one in told.items():
            provider = parse_provider(name, one)
            self._loop.call(check_roles(self._store, self._project, provider))
        return [self.set_provider(name, **one) for name, one in told.items()]

    def providers(self) -> list[Provider]:
        """Those there are, by name: ``[p.label for p in tw.providers()]``."""
        from threadwell.users.providers import providers

        return self._loop.call(providers(self._store, self._project))

    def provider(self, name: str) -> Provider:
        """The one of that name: ``tw.provider("entra").issuer``.

        Raises ``LookupError`` where there is none.
        """
        from threadwell.users.providers import find_provider

        found = self._loop.call(find_provider(self._store, self._project, name))
        if found is None:
            raise LookupError(f"there is no provider {name}")
        return found

    @administers("provider remove", "name")
    def remove_provider(self, name: str) -> bool:
        """Sign in by it no more; ``False`` where there is none: ``tw.remove_provider("entra")``.

        Whoever is signed in stays so until they are signed out, or time is up.
        """
        from threadwell.users.providers import remove_provider

        return self._loop.call(remove_provider(self._store, self._project, name))

    def ask_provider(self, name: str) -> Described:
        """What a provider says of itself now: ``tw.ask_provider("entra").authorize``.

        Its keys are asked for, too. Raises ``LookupError`` and ``ProviderDown``.
        """
        return self._loop.call(self._asked(self.provider(name)))

    def back_url(self, name: str, base_url: str = "") -> str:
        """Where a provider sends people back to, as it has to be told: ``tw.back_url("entra")``.

        Without ``base_url`` it is at the server that runs on the store.
        """
        from threadwell.users.providers import BACK

        base = base_url or self.server_url or DEFAULT_BASE_URL
        return f"{base.rstrip('/')}{BACK}/{marked(name, self._project)}"

    async def _asked(self, provider: Provider) -> Described:
        from threadwell.users.provider_calls import ProviderCalls

        calls = ProviderCalls(now_ms)
        described = await calls.described(provider)
        await calls.keys(provider, described, "")
        return described
