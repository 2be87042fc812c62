"""What is stored under an id that is met again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.identity import message_identity
from threadwell.encounters.merge import is_live
from threadwell.encounters.placed import Placed
from threadwell.encounters.said import Said, said_in
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import name_of
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.route import Route
from threadwell.intake.people.ways import Ways
from threadwell.messages import Message
from threadwell.stores.contract import Key, Store, Stored

#: How circles of several patients are named, where a digest does not name them.
_NAMED, _AND = "Patient/", "+"


class AtHand(Protocol):
    """What a run knows of the store, with what is on its way there."""

    store: Store
    project: str
    ways: Ways

    async def current(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """The current versions of ``keys``."""
        ...

    async def circles(self, keys: Mapping[str, tuple[str, ...]]) -> Mapping[str, Circle]:
        """The circles of those keys and patients."""
        ...

    def on_their_way(self, child: str) -> Iterable[str]:
        """The ids of messages that have the external id of that one, and that a search of the
        store may not show yet.
        """
        ...


@dataclass(slots=True)
class Occupant:
    """A stored message. ``body`` is its last version that says something.

    ``placed`` is its place in ``circle``. Where it has none, because somebody has deleted or
    retracted it, nothing of it changes; nor while its session is ``locked``.
    """

    key: Key
    before: Stored
    body: Resource
    apart: str
    said: Said
    circle: Circle | None = None
    placed: Placed | None = None
    locked: bool = False

    @property
    def fixed(self) -> bool:
        """Whether it stays as it is."""
        return self.placed is None or self.locked


@dataclass(slots=True)
class SharedId:
    """An id with those who have it: ``plain`` is what stands under the id itself.

    ``former`` are versions of messages that are recorded elsewhere by now.
    """

    channel: str
    external_id: str
    occupants: list[Occupant] = field(default_factory=list)
    former: dict[Key, Stored] = field(default_factory=dict)

    @property
    def plain(self) -> Key:
        """The key of the only message that has the id."""
        return Key("Communication", message_identity(self.channel, self.external_id).id)


async def find_places(
    copies: Mapping[str, Sequence[Message]], found: Mapping[Key, Stored], desk: AtHand
) -> dict[str, SharedId]:
    """What is stored under the ids of messages, by the logical id that a sole message has.

    ``found`` are the current versions under these.
    """
    places = {
        child: SharedId(those[0].channel, those[0].external_id) for child, those in copies.items()
    }
    stored = await _all_of(places, found, desk)
    for child, place in places.items():
        for one in stored[child]:
            body = await _last_words(one, desk)
            own = own_of(body) if body else None
            if body is None or own is None or own.old or "sent" not in body:
                place.former[Key(one.type, one.id)] = one
            elif said := said_in(body, copies[child][0].thread_hint):
                occupant = Occupant(Key(one.type, one.id), one, body, own.apart, said)
                place.occupants.append(occupant)
    ways = (desk.ways.of(one) for those in copies.values() for one in those)
    met = {way.circle: way.patients for way in ways if isinstance(way, Route)}
    await _find_circles([one for place in places.values() for one in place.occupants], met, desk)
    return places


async def _all_of(
    places: Mapping[str, SharedId], found: Mapping[Key, Stored], desk: AtHand
) -> dict[str, list[Stored]]:
    """Everything that has one of the ids, in a fixed order."""
    out: dict[str, dict[str, Stored]] = {child: {} for child in places}
    by_id = {(place.channel, place.external_id): child for child, place in places.items()}
    known = [child for child in places if Key("Communication", child) in found]
    for some in chunks(known):
        tokens = tuple(
            TokenMatch(codes.MESSAGE + places[child].channel, places[child].external_id)
            for child in some
        )
        query = Query("Communication", (TokenFilter("identifier", tokens),))
        async for stored in search_all(desk.store, desk.project, query):
            own = own_of(decode(stored.body))
            child = by_id.get((own.channel, own.external_id)) if own else None
            if child is not None:
                out[child][stored.id] = stored
    more = {
        Key("Communication", id_): child
        for child in places
        for id_ in (child, *desk.on_their_way(child))
    }
    current = await desk.current(list(more))
    for key, stored in current.items():
        out[more[key]][stored.id] = stored
    return {child: [those[id_] for id_ in sorted(those)] for child, those in out.items()}


async def _last_words(stored: Stored, desk: AtHand) -> Resource | None:
    """The resource; of one that was deleted, what it was before."""
    if not stored.deleted:
        body: Resource = decode(stored.body)
        return body
    versions, _ = await desk.store.history(desk.project, stored.type, stored.id, 10, 0)
    return next((decode(one.body) for one in versions if not one.deleted), None)


async def _find_circles(
    occupants: Iterable[Occupant], met: Mapping[str, tuple[str, ...]], desk: AtHand
) -> None:
    """Find the place of each message that has one.

    ``met`` are the patients of circles by key: a digest that names a large one does not tell them.
    """
    live = [one for one in occupants if not one.before.deleted and is_live(one.body)]
    headers = {as_key(_header_of(one.body)) for one in live}
    found = await desk.current([key for key in headers if key.id])
    names = {key: circle_of(decode(one.body)) for key, one in found.items() if not one.deleted}
    wanted = {name: tuple(name.split(_AND)) for name in names.values() if name.startswith(_NAMED)}
    wanted |= {name: met[name] for name in names.values() if name in met}
    circles = await desk.circles(wanted)
    for one in live:
        header = as_key(_header_of(one.body))
        circle = circles.get(names.get(header, ""))
        own = own_of(one.body)
        if circle is None or own is None:
            continue
        name = name_of(own.external_id, own.apart)
        placed = circle.messages.get(f"{own.channel}|{name}")
        if placed is not None and placed.child == one.key.id:
            one.circle, one.placed = circle, placed
            one.locked = header in circle.locked
            if not placed.by_references:
                one.said = one.said._replace(thread=placed.thread_id)


def _header_of(child: Resource) -> str:
    return str((child.get("partOf") or [{}])[0].get("reference", ""))
