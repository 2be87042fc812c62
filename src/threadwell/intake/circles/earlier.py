"""What new messages of a circle have to do with those from before its tail: asked by key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.identity import message_identity
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import thread_of
from threadwell.intake.circles.worded import identity_of
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.paging import chunks, search_all
from threadwell.messages import Message
from threadwell.messages.wordings import original_of
from threadwell.stores.contract import Key, Store, Stored
from threadwell.threads import thread_key

Current = Callable[[Sequence[Key]], Awaitable[dict[Key, Stored]]]


class Earlier:
    """Asks a store; ``current`` answers what is stored or on its way."""

    def __init__(self, store: Store, project: str, current: Current, *, tracked: bool) -> None:
        self._store = store
        self._project = project
        self._current = current
        self._tracked = tracked

    async def find(self, coming: Sequence[tuple[Circle, Sequence[Message]]]) -> set[str]:
        """Find the messages from before that new ones of circles answer.

        The keys of the circles that have to be whole for these are returned: threads may turn out
        to be one, or a message from before turns out to answer one of them.
        """
        wide: set[str] = set()
        rest: list[tuple[Circle, Message]] = []
        for circle, messages in coming:
            if any(self._reaches_back(circle, one) for one in messages):
                wide.add(circle.key)
            else:
                rest += [(circle, one) for one in messages]
        wide |= await self._of_threads(rest)
        wide |= await self._that_wait(rest)
        return wide | await self._answered(rest)

    def _reaches_back(self, circle: Circle, message: Message) -> bool:
        """Whether it may join threads, end what waits in one, or be another wording."""
        if not message.thread_hint or message.taken_back:
            return True
        if original_of(message.external_id) != message.external_id:
            return True
        thread = thread_key(message.channel, message.thread_hint, circle.key)
        return self._tracked and thread in circle.start.former and not _has(circle, thread)

    async def _of_threads(self, coming: Iterable[tuple[Circle, Message]]) -> set[str]:
        """The circles in which threads go on of which their tails do not tell."""
        asked: dict[tuple[str, str], set[str]] = {}
        for circle, message in coming:
            thread = thread_key(message.channel, message.thread_hint, circle.key)
            if circle.start.more and thread not in circle.start.former and not _has(circle, thread):
                id_ = codes.THREAD + message.channel, message.thread_hint
                asked.setdefault(id_, set()).add(circle.key)
        out: set[str] = set()
        async for header in self._with(asked):
            out.update(key for ids in _ids(header) for key in asked.get(ids, ()))
        return out

    async def _that_wait(self, coming: Iterable[tuple[Circle, Message]]) -> set[str]:
        """The circles in which a message from before answers one of these."""
        asked: dict[tuple[str, str], Circle] = {}
        for circle, message in coming:
            asked[codes.REFERENCE + message.channel, message.external_id] = circle
        out: set[str] = set()
        async for child in self._with(asked):
            for ids in _ids(child):
                mine = asked.get(ids)
                if mine is not None and as_key(_parent(child)) not in mine.stored:
                    out.add(mine.key)
        return out

    async def _answered(self, coming: Iterable[tuple[Circle, Message]]) -> set[str]:
        """Let circles know the messages from before that others answer.

        The keys of the circles are returned in which another wording may be what is answered.
        """
        asked: dict[Key, tuple[Circle, str]] = {}
        for circle, message in coming:
            name = message.in_reply_to
            identity = identity_of(message.channel, name)
            if name and not circle.child_of(identity):
                child = message_identity(message.channel, name).id
                asked[Key("Communication", child)] = circle, identity
        if not asked:
            return set()
        found = await self._current(list(asked))
        there = {key: decode(one.body) for key, one in found.items() if not one.deleted}
        headers = await self._current(list({as_key(_parent(one)) for one in there.values()}))
        for key, body in there.items():
            circle, identity = asked[key]
            header = headers.get(as_key(_parent(body)))
            if header is None or header.deleted or not _is_said(body):
                continue
            if _is_of(circle, decode(header.body)):
                circle.earlier[identity] = key.id
        return {
            circle.key
            for key, (circle, identity) in asked.items()
            if key not in found and original_of(identity) != identity
        }

    async def _with(self, ids: Iterable[tuple[str, str]]) -> AsyncIterator[Resource]:
        """The Communications that have one of those identifiers."""
        for some in chunks(ids):
            matches = tuple(TokenMatch(system, value) for system, value in some)
            query = Query("Communication", (TokenFilter("identifier", matches),))
            async for stored in search_all(self._store, self._project, query):
                yield decode(stored.body)


def _has(circle: Circle, thread: str) -> bool:
    return any(one.sent.thread == thread for one in circle.messages.values())


def _is_of(circle: Circle, header: Resource) -> bool:
    return circle_of(header) == circle.key and is_live(header) and thread_of(header) is not None


def _is_said(child: Resource) -> bool:
    own = own_of(child)
    return own is not None and not own.old and not own.apart and "sent" in child


def _parent(child: Resource) -> str:
    return str((child.get("partOf") or [{}])[0].get("reference", ""))


def _ids(resource: Resource) -> list[tuple[str, str]]:
    every = resource.get("identifier") or ()
    return [(str(one.get("system", "")), str(one.get("value", ""))) for one in every]
