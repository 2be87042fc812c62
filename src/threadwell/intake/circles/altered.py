"""What people have changed of a circle's headers through the API: that counts as acts.

A header that closes, or whose recipients are others, since intake wrote it last, says what its
changer wanted. It is recorded as an operation would have recorded it, by the version that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from threadwell.encounters.acts import Done, act_id, act_task
from threadwell.encounters.corrected import Agent
from threadwell.encounters.placed import Placed
from threadwell.encounters.turned import Turned, Turning, turned_task
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import thread_of
from threadwell.intake.commits.versions import is_intakes
from threadwell.intake.links import as_key, target
from threadwell.sessions import Kind
from threadwell.stores.contract import Key, Store, Stored

_OPEN, _CLOSED = "in-progress", "completed"
#: Versions that are looked through for the last one of intake's.
_PAGE, _MOST = 50, 1000


async def apply_altered(
    circle: Circle,
    bodies: Mapping[Key, Resource],
    store: Store,
    project: str,
) -> None:
    """Let count what others have made of the headers of a circle that was just loaded."""
    altered = [
        key
        for key in sorted(circle.live - circle.locked)
        if key.type == "Communication"
        and not is_intakes(circle.stored[key].version_id)
        and thread_of(bodies[key]) is not None
    ]
    if not altered:
        return
    headers: dict[str, list[Placed]] = {}
    for placed in circle.messages.values():
        if placed.link is not None:
            headers.setdefault(placed.link.header, []).append(placed)
    for key in altered:
        messages = headers.get(key.id)
        versions = await _since_intake(store, project, key) if messages else []
        for before, now in pairwise(versions):
            _Altered(circle, bodies, before, now, messages or [], headers).apply()


class _Altered:
    """A version of a header that somebody else has written, and the one ``before``."""

    def __init__(
        self,
        circle: Circle,
        bodies: Mapping[Key, Resource],
        before: Stored,
        now: Stored,
        messages: list[Placed],
        headers: Mapping[str, list[Placed]],
    ) -> None:
        self._circle, self._bodies, self._headers = circle, bodies, headers
        self._key = Key(now.type, now.id)
        self._before: Resource = decode(before.body)
        self._now: Resource = decode(now.body)
        self._version = f"{now.type}/{now.id}/_history/{now.version_id}"
        self._by = Agent.of_author(now.author)._replace(name=_CHANGER)
        self._last = max(messages, key=lambda one: one.sent)
        self._at = now.updated * 1000

    def apply(self) -> None:
        """Record what was changed, unless it is recorded already."""
        statuses = (self._before.get("status"), self._now.get("status"))
        if statuses == (_OPEN, _CLOSED):
            self._close()
        elif statuses == (_CLOSED, _OPEN):
            self._reopen()
        was, now = set(recipients(self._before)), set(recipients(self._now))
        for who in sorted(now - was):
            self._turn(Turning.ADD, who)
        for who in sorted(was - now):
            self._turn(Turning.REMOVE, who)

    def _close(self) -> None:
        others = [
            header
            for header in self._of_session()
            if header != self._key.id and self._status(header) == _OPEN
        ]
        if self._session and not others:
            self._act(Kind.CLOSE)
        else:
            self._turn(Turning.CLOSE)

    def _reopen(self) -> None:
        encounter = self._bodies.get(as_key(self._session))
        if encounter is not None and encounter.get("status") in ("finished", "cancelled"):
            self._act(Kind.REOPEN)
        self._turn(Turning.REOPEN)

    def _act(self, kind: Kind) -> None:
        """What is done to the only open thread of a session is done to that."""
        name = f"{self._version}|{kind}"
        if Key("Task", act_id(name)) in self._circle.stored:
            return
        mine = [one for header in self._of_session() for one in self._headers.get(header, ())]
        last = max(mine, key=lambda one: one.sent)
        done = Done(
            act_id(name),
            kind,
            max(self._at, last.sent.at + 1),
            self._circle.patients,
            self._by,
            as_key(self._session).id,
            message=last.child,
        )
        self._circle.act(done, act_task(done, name, self._circle.key))

    def _turn(self, kind: Turning, who: str = "") -> None:
        name = f"{self._version}|{kind}|{who}"
        if Key("Task", act_id(name)) in self._circle.stored:
            return
        at = max(self._at, self._last.sent.at + 1)
        turned = Turned(act_id(name), kind, at, self._by, self._key.id, self._last.child, who)
        task = turned_task(turned, name, self._circle.key)
        self._circle.turn(turned, task)

    @property
    def _session(self) -> str:
        return target(self._before, "encounter")

    def _of_session(self) -> Iterator[str]:
        """The headers of the session, by logical id."""
        for key in self._circle.live:
            is_header = key.type == "Communication"
            if is_header and target(self._bodies[key], "encounter") == self._session:
                yield key.id

    def _status(self, header: str) -> str:
        return str(self._bodies[Key("Communication", header)].get("status", ""))


#: Who has changed a header, where no name is known.
_CHANGER = "Whoever changed the thread"


def recipients(header: Resource) -> Iterator[str]:
    """Whom a header names as taking part (``Practitioner/…``)."""
    for one in header.get("recipient") or ():
        if name := str(one.get("reference", "")):
            yield name


async def _since_intake(store: Store, project: str, key: Key) -> list[Stored]:
    """The header as intake wrote it last, and its versions since, in their order.

    None where that is too long ago to be found.
    """
    out: list[Stored] = []
    for offset in range(0, _MOST, _PAGE):
        versions, count = await store.history(project, key.type, key.id, _PAGE, offset)
        for one in versions:
            if not one.deleted:
                out.append(one)
            if is_intakes(one.version_id):
                return out[::-1]
        if offset + _PAGE >= count:
            break
    return []
