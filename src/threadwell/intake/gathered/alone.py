"""The messages of circles become the resources that record them, with no store at hand.

This is what a backfill calls. It is the very ``Run`` of an import, over people alone: places,
sessions, ids, resources and quarantine are those that an import would write. No input or output.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock, new_id, now_ms, stamp
from threadwell.intake.commits.counts import Done
from threadwell.intake.gathered.whose import Whose
from threadwell.intake.settings import Settings
from threadwell.intake.whole import Whole
from threadwell.messages import Broken, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

T = TypeVar("T")

#: What one call has made for the next ones.
_REMEMBERED = ("Patient", "Organization")


class Recorded(NamedTuple):
    """What is to be stored, each resource once: ``write.body`` is its JSON with ``meta``.

    ``write.content`` has the bytes of a Binary. Held messages are Tasks with a Binary each, as in
    a store. ``done`` counts what became of the messages.
    """

    writes: tuple[Write, ...]
    done: Done


class Alone:
    """Records messages of circles, given whole.

    ``people`` are Patients, RelatedPersons, Practitioners, PractitionerRoles and Organizations,
    each with its ``id``. ``clock`` tells which sessions are over, and stamps the resources. A
    person or an Organization that has to be made is written with the first message that needs it:
    the same one by every ``Alone``, so that whoever brings their results together keeps one.
    """

    def __init__(
        self, people: Iterable[Resource], settings: Settings, *, clock: Clock = now_ms
    ) -> None:
        self._store = MemoryStore()
        self._settings = replace(settings, dry_run=False)
        self._keep([_as_write(person, clock()) for person in people])
        self._whole = Whole(self._store, DEFAULT_PROJECT, self._settings, clock)
        self._whose = Whose(self._store, DEFAULT_PROJECT, self._settings)

    def circles_of(self, items: Sequence[Message | Broken]) -> list[str]:
        """The key of the circle of each item: those of one key have to be recorded by one call.

        ``""`` (``whose.WAITING``) is that of all that has none, and has to wait. Messages of one
        channel and external id belong together, too, whatever their circles are.
        """
        return _done(self._whose.of(items))

    def record(self, items: Sequence[Message | Broken]) -> Recorded:
        """The record of all messages of one circle, or of several circles, in any order."""
        batch = _done(self._whole.take(items))
        writes = tuple(batch.writes.values())
        self._keep([one for one in writes if one.type in _REMEMBERED])
        return Recorded(writes, batch)

    def _keep(self, writes: Sequence[Write]) -> None:
        _done(self._store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes))))


def _as_write(person: Resource, now: int) -> Write:
    version = new_id(now)
    stamped, body = stamp(person, person["id"], version, now)
    return Write(person["resourceType"], person["id"], version, now, stamped, body)


def _done(work: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing but its own turns."""
    while True:
        try:
            work.send(None)
        except StopIteration as result:
            value: T = result.value
            return value
