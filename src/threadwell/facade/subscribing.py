"""Who is told of changes, as plain method calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadwell.facade.administering import administers
from threadwell.facade.whom import Whom

if TYPE_CHECKING:
    from threadwell.subscriptions.shown import Shown


class Subscribing(Whom):
    """Subscriptions: how far each has been told, and which hosts may be called for them."""

    def subscriptions(self) -> list[Shown]:
        """Every Subscription, and how it fares: ``[s.behind for s in tw.subscriptions()]``."""
        from threadwell.subscriptions.shown import subscriptions

        return self._loop.call(subscriptions(self._store, self._project))

    @administers("subscriptions host", "host", "allowed")
    def allow_hook_host(self, host: str, *, allowed: bool = True) -> None:
        """Let rest-hooks call a host in a private network: ``tw.allow_hook_host("billing:8443")``.

        With ``allowed=False`` no more.
        """
        from threadwell.subscriptions.hook_states import allow_host

        self._loop.call(allow_host(self._store, self._project, host, allowed=allowed))

    @administers("subscriptions set-back", "subscription", "number")
    def set_hook_back(self, subscription: str, number: int | None) -> None:
        """Have a rest-hook told again from an event on: ``tw.set_hook_back("1f0c…", 4711)``.

        ``number`` is what ``X-Threadwell-Event-Number`` of that call was. A later one than where it
        stands leaves out what lies between, ``None`` all up to now. Raises ``LookupError`` where
        there is no such hook, and ``ValueError`` where there is no such event.
        """
        from threadwell.subscriptions.hook_states import set_back

        self._loop.call(set_back(self._store, self._project, subscription, number))

    def hook_hosts(self) -> list[str]:
        """The hosts of private networks that may be called: ``tw.hook_hosts()``."""
        from threadwell.subscriptions.hook_states import hosts

        return list(self._loop.call(hosts(self._store, self._project)))
