"""Circles out of a store: everything is read back from the FHIR resources themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from threadwell.encounters import codes
from threadwell.encounters.acts import done_by, is_act
from threadwell.encounters.corrected import Agent, Correction, correction_id
from threadwell.encounters.identity import message_identity
from threadwell.encounters.merge import is_live, is_locked
from threadwell.encounters.people import addresses_of
from threadwell.encounters.placed import Placed
from threadwell.encounters.todo import thread_of_todo
from threadwell.encounters.turned import turned_by
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter, TokenFilter
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.intake.circles.altered import apply_altered
from threadwell.intake.circles.answers import find_answers, is_dismissed, read_named
from threadwell.intake.circles.changed import changes, subject_of
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import Heard, Keywords, ThreadOf, place_again, thread_of
from threadwell.intake.circles.seen import Before
from threadwell.intake.circles.tail import Tail, parties_of
from threadwell.intake.circles.worded import answered_identity
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import address_key
from threadwell.intake.people.standing import who_stand
from threadwell.messages import Address
from threadwell.stores.aside import Pauses
from threadwell.stores.contract import Key, Stored

#: What belongs to a circle and carries its identifier.
_TYPES = ("Communication", "Encounter", "Group", "Task")


async def load_circles(
    wanted: Mapping[str, tuple[str, ...]],
    people: AddressBook,
    keywords: Keywords,
    *,
    by_patient: bool,
) -> dict[str, Circle]:
    """The circles of those keys and patients, with all that the store has of them."""
    circles = {key: Circle(key, patients) for key, patients in wanted.items()}
    bodies: dict[Key, Resource] = {}
    pauses = Pauses()
    for some in chunks(wanted):
        matches = tuple(TokenMatch(codes.CIRCLE, key) for key in some)
        for type_ in _TYPES:
            query = Query(type_, (TokenFilter("identifier", matches),))
            async for stored in search_all(people.store, people.project, query):
                await pauses.pause()
                body = decode(stored.body)
                _take_in(circles[circle_of(body)], bodies, stored, body)
    await _fill(circles, bodies, people, keywords, by_patient=by_patient)
    return circles


async def load_tails(
    wanted: Mapping[str, tuple[str, ...]],
    tails: Mapping[str, Tail],
    people: AddressBook,
    keywords: Keywords,
    *,
    by_patient: bool,
) -> dict[str, Circle]:
    """Those of the circles that are as their ``tails`` tell, from when these begin.

    The others have to be loaded whole.
    """
    await people.resolve(party.address for tail in tails.values() for party in tail.people)
    keys = {as_key(name) for tail in tails.values() for name in tail.resources}
    found = await people.store.read_many(people.project, sorted(keys)) if keys else {}
    circles: dict[str, Circle] = {}
    bodies: dict[Key, Resource] = {}
    for key, tail in tails.items():
        parties = parties_of(
            tail, {address_key(p.address): people.party(p.address) for p in tail.people}
        )
        mine = [found.get(as_key(name)) for name in tail.resources]
        there = {one: decode(one.body) for one in mine if one is not None and not one.deleted}
        if parties is None or len(there) < len(mine):
            continue
        if any(circle_of(body) != key for body in there.values()):
            continue
        start = Before(tail.since, tail.former, tail.more)
        circle = circles[key] = Circle(key, wanted[key], parties, start=start)
        for stored, body in there.items():
            _take_in(circle, bodies, stored, body)
    await _fill(circles, bodies, people, keywords, by_patient=by_patient)
    return {key: circle for key, circle in circles.items() if _is_as_told(circle, by_patient)}


def _is_as_told(circle: Circle, by_patient: bool) -> bool:
    """Whether nobody has said or moved anything that counts for what was before its tail."""
    said = (circle.acts, circle.turned, circle.corrections, circle.answered)
    since = circle.start.since
    if any(said) or any(one.sent.at < since for one in circle.messages.values()):
        return False
    for one in list(circle.messages.values()):
        if one.link is None or not one.link.reply:
            continue
        if not one.answers and (answers := _answered_by(one)):
            circle.answer(one, answers, by_patient)
        if not one.answers:
            return False
        circle.earlier[answered_identity(one)] = one.link.reply
    # Mails are in the threads that they were in: those that come are threaded with all others.
    circle.threaded = True
    circle.before = circle.start._replace(fixed=frozenset(circle.locked & circle.stored.keys()))
    circle.planned = since
    return True


def _answered_by(placed: Placed) -> str:
    """The id of the message that a mail answers, going by what is stored of it."""
    reply = placed.link.reply if placed.link else ""
    named = (placed.in_reply_to, *placed.references[-1:])
    return next((one for one in named if message_identity(placed.channel, one).id == reply), "")


def _take_in(circle: Circle, bodies: dict[Key, Resource], stored: Stored, body: Resource) -> None:
    """Let a circle have a resource of its own."""
    key = Key(stored.type, stored.id)
    bodies[key] = body
    circle.stored[key] = stored
    if key.type == "Task" and is_act(body):
        if done := done_by(body):
            circle.acts[stored.id] = done
        elif turned := turned_by(body):
            circle.turned[stored.id] = turned
    elif key.type == "Task" and (thread := thread_of_todo(body)) is not None:
        circle.todos[key] = thread
    elif is_live(body):
        circle.live.add(key)


async def _fill(
    circles: Mapping[str, Circle],
    bodies: dict[Key, Resource],
    people: AddressBook,
    keywords: Keywords,
    *,
    by_patient: bool,
) -> None:
    """Load the messages of circles that have their resources, and what people have said since."""
    for circle in circles.values():
        _find_locked(circle, bodies)
    await _load_children(circles, bodies, people, keywords, by_patient=by_patient)
    for circle in circles.values():
        for wordings in circle.reworded():
            circle.link_wordings(wordings, by_patient)
        await _apply_changes(circle, bodies, people)
        await apply_altered(circle, bodies, people.store, people.project)
        await _apply_answers(circle, bodies, people)


async def _load_children(
    circles: Mapping[str, Circle],
    bodies: Mapping[Key, Resource],
    people: AddressBook,
    keywords: Keywords,
    *,
    by_patient: bool,
) -> None:
    headers = {
        key.id: (circle, thread)
        for circle in circles.values()
        for key in circle.live
        if key.type == "Communication" and (thread := thread_of(bodies[key]))
    }
    pauses = Pauses()
    for some in chunks(headers):
        matches = tuple(ReferenceMatch("Communication", header, "") for header in some)
        query = Query("Communication", (ReferenceFilter("part-of", matches),))
        children = [
            decode(stored.body) async for stored in search_all(people.store, people.project, query)
        ]
        await people.resolve({address for child in children for address in _addresses(child)})
        for child in children:
            await pauses.pause()
            # A client may have made a message of a thread's a part of others, too.
            circle, thread = headers[next(one for one in _parents_of(child) if one in headers)]
            await _add(circle, thread, child, people, keywords, by_patient=by_patient)


async def _add(
    circle: Circle,
    thread: ThreadOf,
    child: Resource,
    people: AddressBook,
    keywords: Keywords,
    *,
    by_patient: bool,
) -> None:
    placed = await placed_in(circle, thread, child, people, keywords)
    if placed is not None:
        circle.add(placed, by_patient)


async def placed_in(
    circle: Circle, thread: ThreadOf, child: Resource, people: AddressBook, keywords: Keywords
) -> Placed | None:
    """The place of a stored child in a circle; ``None`` if it is not one of Threadwell's.

    Its addresses have to be resolved.
    """
    parties = people.parties_of(
        child, circle.patients, thread.id, by_references=thread.by_references
    )
    circle.parties.update((key, party) for key, party in parties if key not in circle.parties)
    heard = None
    if len(circle.patients) > 1:
        await people.name(circle.patients)
        sender = next(iter(addresses_of(child.get("sender") or {})), None)
        own = people.own_names(sender, parties[0][1]) if sender else ()
        heard = Heard(people.names(circle.patients), own)
    return place_again(child, thread, circle, heard, keywords, [key for key, _ in parties])


def _addresses(child: Resource) -> Iterable[Address]:
    for actor in (child.get("sender") or {}, *(child.get("recipient") or ())):
        yield from addresses_of(actor)


def _parents_of(child: Resource) -> list[str]:
    """The logical ids of what it is part of, as it is written: relative, absolute or a version."""
    named = (str(one.get("reference", "")) for one in child["partOf"])
    return [at.id if (at := parse_absolute(one)) else split_reference(one)[1] for one in named]


def _find_locked(circle: Circle, bodies: Mapping[Key, Resource]) -> None:
    """The locked encounters, and all that hangs on their sessions."""
    mine = {key: bodies[key] for key in circle.live}
    locked = {
        f"{key.type}/{key.id}"
        for key, body in mine.items()
        if key.type == "Encounter" and is_locked(body)
    }
    # Billing one patient's encounter within a session of several locks the whole session.
    locked |= {target(mine[key], "partOf") for key in mine if f"Encounter/{key.id}" in locked}
    locked.discard("")
    for key, body in mine.items():
        own = f"{key.type}/{key.id}"
        session = own if own in locked else target(body, "partOf") or target(body, "encounter")
        if key.type != "Task" and session in locked:
            circle.locked.add(key)
            circle.locked.add(as_key(target(body, "subject")))


async def _apply_changes(
    circle: Circle, bodies: Mapping[Key, Resource], people: AddressBook
) -> None:
    """Whom people have made the subject since counts as what they have said of the messages."""
    groups = {f"Group/{key.id}": body for key, body in bodies.items() if key.type == "Group"}
    named = {subject_of(bodies[key]) for key in circle.live}
    named |= {one.link.subject for one in circle.messages.values() if one.link is not None}
    foreign = [one for one in named if one.startswith("Group/") and one not in groups]
    if foreign:
        groups |= await read_named(people.store, people.project, foreign, "Group")
    found = list(changes(circle, bodies, groups))
    children = [one.key for one in found if one.key not in circle.stored]
    stored = await people.store.read_many(people.project, children) if children else {}
    stored |= circle.stored
    for change in found:
        there = circle.stored.get(change.key)
        version = there.version_id if there else change.messages[0].version
        what = f"{change.key.type}/{change.key.id}/_history/{version}"
        ids = tuple(one.child for one in change.messages)
        by = Agent.of_author(stored[change.key].author if change.key in stored else "")
        how = Correction(correction_id(what, ids), ids, by, what)
        whom = await who_stand(people.store, people.project, change.patients)
        circle.correct(change.messages, whom, how, change.basis)


async def _apply_answers(
    circle: Circle, bodies: Mapping[Key, Resource], people: AddressBook
) -> None:
    """What people have answered since counts for the messages that are there, and no later one."""
    tasks = {
        key: bodies[key] for key in circle.stored if key.type == "Task" and key not in circle.todos
    }
    tasks = {key: body for key, body in tasks.items() if not is_act(body)}
    answers = await find_answers(people.store, people.project, tasks) if tasks else {}
    for key, task in tasks.items():
        if key in answers:
            session = f"Encounter/{answers[key].encounter}"
            headers = {
                one.id
                for one in circle.live - circle.locked
                if one.type == "Communication" and target(bodies[one], "encounter") == session
            }
            if headers:
                whom = await who_stand(people.store, people.project, answers[key].patients)
                circle.answer_question(key, headers, tuple(sorted(whom)))
        elif is_dismissed(task):
            circle.dismissed[as_key(target(task, "focus"))] = key
