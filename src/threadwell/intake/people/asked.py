"""Which Tasks say, or ask, who writes at an address: found by the address, or as not applied yet.

Private values tell it, written in the commit that writes the Task. What people do to such a Task
over FHIR is taken over once that is noticed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from hashlib import sha256

from threadwell.encounters import codes
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.values import Values
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Store, Stored

#: By address, the Tasks; and by project, whether there are any, and narrow ones.
_KIND = "asked"
#: Answers that messages do not go by yet.
_UNSETTLED = "unsettled"
_SOME, _NARROW = b"some", b"narrow"
#: Where it is kept that all that waits and is asked in a project is found by such values.
_WHOLE = "found-by-address"


async def is_found_by_address(store: Store, project: str) -> bool:
    """Whether all that waits and is asked is found by its addresses.

    What an earlier build has written is not, until it has been gone through once.
    """
    return await store.get_private(_WHOLE, project) is not None


async def keep_found_by_address(store: Store, project: str) -> None:
    """Keep that all of it is."""
    await store.put_private(_WHOLE, project, b"1")


async def all_asked(store: Store, project: str) -> AsyncIterator[Stored]:
    """Every Task that asks or says who writes at a shared address."""
    asked = TokenFilter("identifier", (TokenMatch(codes.SHARED, None),))
    async for stored in search_all(store, project, Query("Task", (asked,))):
        yield stored


class Asked:
    """What is asked and said in a project, as one run sees it.

    ``any`` tells whether anything is, ``narrow`` whether any answer holds for less than its
    address.
    """

    def __init__(self, values: Values, project: str) -> None:
        self._values = values
        self._project = project
        self.any = self.narrow = False

    async def start(self) -> None:
        """Find whether anything is asked."""
        found = await self._values.get_many(_KIND, [self._project])
        self.any = bool(found)
        self.narrow = found.get(self._project) == _NARROW

    async def of(self, addresses: Iterable[str]) -> dict[str, list[str]]:
        """The ids of the Tasks about each of those addresses, given by their keys."""
        if not self.any:
            return {}
        names = {self._name(one): one for one in addresses}
        found = await self._values.get_many(_KIND, names)
        return {names[name]: value.decode().split() for name, value in found.items()}

    async def add(self, batch: Batch, address: str, task: str, *, narrow: bool) -> None:
        """Let a Task be found by its address; the commit is refused where another one was added."""
        name = self._name(address)
        before = (await self._values.get_many(_KIND, [name])).get(name)
        if before is None or task not in before.decode().split():
            value = f"{before.decode()} {task}" if before else task
            self._values.put(batch, _KIND, name, value.encode(), before)
        if not self.any or (narrow and not self.narrow):
            self.any, self.narrow = True, self.narrow or narrow
            self._values.put(batch, _KIND, self._project, _NARROW if self.narrow else _SOME)

    def unsettle(self, batch: Batch, task: str) -> None:
        """An answer is there that messages do not go by yet."""
        self._values.put(batch, _UNSETTLED, f"{self._project}/{task}", b"1")

    def settle(self, batch: Batch, task: str) -> None:
        """All messages go by it, or there is no answer."""
        self._values.put(batch, _UNSETTLED, f"{self._project}/{task}", None)

    async def unsettled(self) -> list[str]:
        """The ids of the Tasks with an answer that messages may not go by yet."""
        found = self._values.below(_UNSETTLED, f"{self._project}/")
        return [name.partition("/")[2] async for name, _ in found]

    def _name(self, address: str) -> str:
        digest = sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"{self._project}/{digest}"
