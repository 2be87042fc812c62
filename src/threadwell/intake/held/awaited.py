"""What held messages wait for, so that those of an address are found without a look at the others.

Of each message that waits, private values tell what could let it in: an address of which nobody
knows whose it is, or who writes there, a circle with a billed session, a day to come. They are
written and removed in the commit that writes its Task. What people do to a Task over FHIR is taken
over once that is noticed; until then, a Task that is found may wait no more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from hashlib import sha256
from typing import NamedTuple

from threadwell.encounters.times import microseconds
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.values import Values
from threadwell.intake.people.route import address_key
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import WHATEVER

#: What is awaited: a name for each thing and Task. The value says it again, to be read.
_KIND = "awaited"
#: By Task, the names of its values.
_OF_TASK = "awaits"

UNKNOWN, SHARED, PARTY, LOCKED = "unknown", "shared", "party", "locked"
#: In the place of a reason: it waits for something else, and is from or to that address.
OF = "of"
#: Of what earlier builds have held: for which of its addresses it waits is not known.
SOME = "some"
_WHY = {"no-patient": PARTY} | dict.fromkeys(
    ("shared-address", "unknown-sender", "unknown-recipient"), SOME
)
_DIGITS = 20


class Awaited(NamedTuple):
    """What a message waits for. ``why`` is one of the above, ``thing`` an address or a circle."""

    why: str
    thing: Address | str

    @property
    def key(self) -> str:
        """By which it is found; of an address the key of that."""
        thing = self.thing
        return address_key(thing) if isinstance(thing, Address) else as_thing(thing)


def as_thing(circle: str) -> str:
    """The key by which what waits for a circle is found."""
    return f"|{circle}"


class Wait(NamedTuple):
    """A Task (its id), and what its message waits for; ``None`` for its day."""

    task: str
    what: Awaited | None


def awaited_by(
    reason: str,
    unknown: Iterable[Address],
    shared: Iterable[Address],
    message: Message | None,
    circle: str = "",
) -> list[Awaited]:
    """What a message waits for that is held for such a reason, but for its day.

    ``circle`` is the key of the circle that it would change, ``""`` where that is not known.
    """
    out = [Awaited(UNKNOWN, one) for one in unknown] + [Awaited(SHARED, one) for one in shared]
    if not out and message is not None:
        why = _WHY.get(reason, OF)
        out = [Awaited(why, one) for one in dict.fromkeys((message.sender, *message.recipients))]
    if reason == "locked-session":
        out.append(Awaited(LOCKED, circle))
    return out


class Waits:
    """What is awaited in a project, as one run sees it."""

    def __init__(self, values: Values, project: str) -> None:
        self._values = values
        self._project = project

    async def any(self) -> bool:
        """Whether any message waits."""
        async for _ in self._values.below(_OF_TASK, f"{self._project}/"):
            return True
        return False

    async def those_of(self, tasks: Iterable[str]) -> dict[str, bytes]:
        """Which of those Tasks wait, each with what is kept of that."""
        names = [f"{self._project}/{task}" for task in tasks]
        found = await self._values.get_many(_OF_TASK, names) if names else {}
        return {name.partition("/")[2]: value for name, value in found.items()}

    def wait(
        self,
        batch: Batch,
        task: str,
        what: Collection[Awaited],
        until: Message | None = None,
        before: bytes | None = None,
        *,
        compared: bool = False,
    ) -> None:
        """Let a Task be found by what its message waits for, and by the day ``until`` it was sent.

        ``before`` is what is kept of it. It is ``compared`` where nothing else of the commit would
        be refused.
        """
        names = {self._name(one.key, task): _written(one) for one in what}
        days = set() if until is None else {self._day(microseconds(until.sent)) + task}
        self._leave(batch, before, but={*names, *days})
        for name, value in names.items():
            self._values.put(batch, _KIND, name, value)
        for name in days:
            self._values.put(batch, _KIND, name, b"-")
        value = "\n".join([batch.version, *names, *days]).encode()
        expected = before if compared else WHATEVER
        self._values.put(batch, _OF_TASK, f"{self._project}/{task}", value, expected)

    def done(self, batch: Batch, task: str, before: bytes, *, compared: bool = False) -> None:
        """Let a Task be found no more; ``before`` is what is kept of it."""
        self._leave(batch, before)
        expected = before if compared else WHATEVER
        self._values.put(batch, _OF_TASK, f"{self._project}/{task}", None, expected)

    async def at(self, key: str) -> AsyncIterator[Wait]:
        """Those that wait for something: an address, or a circle."""
        async for name, value in self._values.below(_KIND, self._name(key, "")):
            yield _read(name, value)

    async def until(self, at: int) -> AsyncIterator[Wait]:
        """Those whose day has come, that were sent up to that time in microseconds."""
        until = f"{self._day(at)}~"
        async for name, value in self._values.below(_KIND, f"{self._project}/@", until):
            yield _read(name, value)

    async def all(self) -> AsyncIterator[Wait]:
        """Those that wait for something else than their day; all for the same thing in a row."""
        async for name, value in self._values.below(_KIND, f"{self._project}/"):
            if (one := _read(name, value)).what is not None:
                yield one

    def _leave(self, batch: Batch, before: bytes | None, but: Collection[str] = ()) -> None:
        for name in _names(before):
            if name not in but:
                self._values.put(batch, _KIND, name, None)

    def _name(self, key: str, task: str) -> str:
        return f"{self._project}/{sha256(_encoded(key)).hexdigest()[:32]}/{task}"

    def _day(self, at: int) -> str:
        return f"{self._project}/@{max(at, 0):0{_DIGITS}d}/"


def _names(kept: bytes | None) -> list[str]:
    return kept.decode().split("\n")[1:] if kept else []


def _written(one: Awaited) -> bytes:
    if isinstance(one.thing, Address):
        return _encoded(f"{one.why} {one.thing.kind} {one.thing.value}")
    return _encoded(f"{one.why} {one.thing}")


def _encoded(text: str) -> bytes:
    # The name of a file may have half of a surrogate pair, and an address may come from there.
    return text.encode("utf-8", "surrogatepass")


def _read(name: str, value: bytes) -> Wait:
    """What a value tells, by its name and bytes."""
    task = name.rpartition("/")[2]
    why, _, thing = value.decode("utf-8", "surrogatepass").partition(" ")
    if why == "-":
        return Wait(task, None)
    if why == LOCKED:
        return Wait(task, Awaited(why, thing))
    kind, _, address = thing.partition(" ")
    return Wait(task, Awaited(why, Address(AddressKind(kind), address)))
