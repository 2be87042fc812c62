"""Which messages have to be worked on together: those of a circle, and those that wait."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Refusal, Route, address_key
from threadwell.intake.people.ways import Ways
from threadwell.intake.settings import Settings
from threadwell.messages import Broken, Message
from threadwell.stores.contract import Store

#: Where everything is that has no circle: what of it asks for one thing is asked once.
WAITING = ""

#: Ways between addresses that are remembered before all of them are found anew.
_MOST = 200_000


class Whose:
    """Tells of messages where they belong, by whoever is known to have their addresses.

    It makes nobody: whoever is a stranger stays one.
    """

    def __init__(self, store: Store, project: str, settings: Settings) -> None:
        self._store = store
        self._project = project
        self._settings = settings
        self._strangers = settings.unknown == "patient"
        self._ways: Ways | None = None

    async def of(self, items: Sequence[Message | Broken]) -> list[str]:
        """The key of the circle of each; ``WAITING`` for what has none.

        Strangers who are made patients have circles of their own, by their addresses.
        """
        messages = [one for one in items if isinstance(one, Message)]
        ways = await self._at_hand()
        await ways.find(messages)
        return [self._of(ways, one) if isinstance(one, Message) else WAITING for one in items]

    def _of(self, ways: Ways, message: Message) -> str:
        way = ways.of(message)
        if isinstance(way, Route):
            return way.circle
        return self._stranger(way) if self._strangers else WAITING

    def _stranger(self, way: Refusal) -> str:
        return "|".join(sorted(map(address_key, way.unknown)))

    async def _at_hand(self) -> Ways:
        if self._ways is None or self._ways.size > _MOST:
            people = AddressBook(self._store, self._project, self._settings)
            await people.start()
            self._ways = Ways(people, strangers=False)
        return self._ways
