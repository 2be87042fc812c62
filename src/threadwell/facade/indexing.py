"""What a store can be searched by, as plain method calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from threadwell.facade.verbs import Verbs
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.search.extract import KNOWN_TO_STORES, unsearchable

if TYPE_CHECKING:
    from threadwell.stores.allowed import Allowed
    from threadwell.stores.costs import Cost
    from threadwell.stores.parameters import Parameters


class Indexing(Verbs):
    """The search parameters: what they cost, which are left out, how far the index has come."""

    def index_costs(self, *, exact: bool = False) -> list[Cost]:
        """What each search parameter costs, the dearest first (``stores.costs``).

        By samples; where it is to be ``exact``, all resources are looked at.
        """
        from threadwell.stores.costs import SAMPLE, costs

        sample = None if exact else SAMPLE
        return self._loop.call(costs(self._store, self._project, sample))

    def search_parameters(self) -> Parameters:
        """Those in which the store differs from R4, and how far the index has come with them."""
        return self._loop.call(self._store.parameters(self._project))

    def leave_out(self, *names: str) -> Parameters:
        """Index no longer by some parameters of R4 (``Communication.received``).

        Raises ``ValueError`` for what is none, and for what Threadwell itself looks things up by.
        What was indexed by them is removed by the duty ``indexing``, or ``index``.
        """
        return self._turn_parameters(names, on=False)

    def bring_back(self, *names: str) -> Parameters:
        """Index by them again; they can be searched by once that is done."""
        return self._turn_parameters(names, on=True)

    def index(self) -> Parameters:
        """Bring the index of some more resources in line, as the duty ``indexing`` does.

        Done once nothing is ``pending``: ``while tw.index().pending: …``. Where a parameter goes it
        first waits until no process searches by it: some seconds.
        """
        return self._loop.call(self._index())

    async def _index(self) -> Parameters:
        from threadwell.stores.parameters import GRACE

        if (await self._store.parameters(self._project)).fading:
            await asyncio.sleep(GRACE)
        return await self._store.index(self._project)

    def allowed(self) -> Allowed:
        """What clients may do that R4 leaves to each server: ``tw.allowed().update_create``."""
        from threadwell.stores.allowed import allowed

        return self._loop.call(allowed(self._store, self._project))

    def allow(self, name: str, *, on: bool = True) -> Allowed:
        """Allow it from now on: ``tw.allow("delete_several")``; or with ``on`` false no more."""
        from threadwell.stores.allowed import allow

        act = "allow" if on else "disallow"
        self._trail.event(self._project, act, self._trail.by, asked=name)
        return self._loop.call(allow(self._store, self._project, name, on=on))

    def _turn_parameters(self, names: Sequence[str], *, on: bool) -> Parameters:
        from threadwell.stores.needed import why_needed

        places = []
        for name in names:
            type_, _, code = name.partition(".")
            known = search_parameters(type_).get(code)
            if known is None or unsearchable(known) or code in KNOWN_TO_STORES:
                raise ValueError(f"{name}: R4 has no search parameter of that name (Type.code)")
            if not on and (why := why_needed(type_, code)):
                raise ValueError(f"{name} cannot be left out: {why}")
            places.append((type_, code))

        def changing(parameters: Parameters) -> Parameters:
            for type_, code in places:
                parameters = parameters.turned(type_, code, on=on)
            return parameters

        act = "index on" if on else "index off"
        self._trail.event(self._project, act, self._trail.by, asked=" ".join(names))
        return self._loop.call(self._store.change_parameters(self._project, changing))
