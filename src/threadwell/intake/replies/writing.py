"""A person of the practice replies in a thread.

The reply is a message like any other: it gets its place in the thread, the circle and the session,
and keeps it whatever comes later. In the same commit it is in the outbox, to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from threadwell.channels.channel import Channel
from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent
from threadwell.encounters.merge import is_live
from threadwell.encounters.twins import WINDOW_US
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import derived_id, new_id
from threadwell.intake.accounts import accounts
from threadwell.intake.circles.due import patients_of
from threadwell.intake.circles.place import thread_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.replies.asked import Asked, BadReply, Replied, parent_of
from threadwell.intake.replies.saved import saved_text
from threadwell.intake.replies.words import Words
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.intake.thread_names import NoThread, thread_named
from threadwell.messages import Attachment
from threadwell.stores.contract import Store

__all__ = [
    "AUTHORS",
    "BadReply",
    "Replied",
    "Words",
    "channel_of",
    "check_author",
    "reply",
    "write_reply",
]

#: Who may write for the practice.
AUTHORS = ("Practitioner/", "PractitionerRole/")


async def reply(
    seat: Seat,
    thread: str,
    text: str,
    channels: Mapping[str, Channel],
    *,
    sender: str,
    answers: str = "",
    files: Sequence[Attachment] = (),
    key: str = "",
    saved: str = "",
) -> Replied:
    """Reply in the thread of a header, a message, a Task of ``todos`` or a session of one thread.

    It goes to those who wrote the message that it ``answers``, which is the last one that came in
    unless it is given. ``sender`` is the person who writes (``Practitioner/…``). ``channels`` are
    the live ones, by name. The same ``key`` given twice is one reply; with other words it is
    refused. The text of the reply that is ``saved`` under that name stands before ``text``. Raises
    ``BadReply``, and ``Contended`` if others keep writing.
    """
    try:
        thread = await thread_named(seat.store, seat.project, thread)
    except NoThread as error:
        raise BadReply(str(error)) from None
    if saved:
        said = await saved_text(seat, saved, answers or thread, sender=sender)
        text = "\n\n".join(filter(str.strip, (said, text)))
    words = Words(text, sender, answers, files, key, filled_in=bool(saved))
    return await write_reply(seat, thread, words, channels)


async def write_reply(
    seat: Seat,
    thread: str,
    words: Words,
    channels: Mapping[str, Channel],
    *,
    ask: Callable[..., Asked] = Asked,
    may: tuple[str, ...] = AUTHORS,
) -> Replied:
    """As ``reply``; ``ask`` makes what is to be written. Raises ``Stale`` for a changed draft.

    Those ``may`` write whose reference begins so.
    """
    if not words.text.strip() and not words.files:
        raise BadReply("a reply says something, or has a file")
    store, project, clock = seat.store, seat.project, seat.clock
    sender = await check_author(store, project, words.sender, may)
    header, named = await _thread(store, project, thread)
    found = thread_of(header)
    assert found is not None  # It would be no thread of ours.
    channel = channel_of(header)
    live = channels[channel].live if channel in channels else None
    if live is None or live.send is None:
        raise BadReply(f"{channel or 'its channel'} sends nothing: reply where it came from")
    sizes = [len(one.content or b"") for one in words.files]
    if exceeded := live.limits(found.id).exceeded(words.text, sizes):
        raise BadReply(exceeded)
    circle = circle_of(header)
    mine = [one for one in await accounts(store, project) if one.channel == channel]
    # Of two accounts with one address the one that can send does.
    mine.sort(key=lambda one: not live.mute(one))
    if words.draft:
        name = words.draft.id
    elif words.key:
        name = derived_id(f"{project}|{circle}|{found.id}", words.key)
    else:
        name = new_id(clock())
    asked = ask(
        header,
        channel,
        live,
        found.id,
        named or words.answers,
        mine,
        words.text,
        tuple(words.files),
        sender,
        name,
        words.more,
        words.draft,
        words.filled_in,
    )

    async def make(run: Run) -> Batch:
        who = await patients_of(run.people, circle, header["id"])
        if not who:
            raise BadReply(f"{thread} belongs to patients who cannot be told any more")
        since = {} if found.by_references else {circle: clock() * 1000 - WINDOW_US}
        there = (await run.circles({circle: who}, since))[circle]
        if not asked.shows(there):
            there = (await run.circles({circle: who}))[circle]
        asked.find(there)
        return await asked.write(run, clock())

    if not seat.by.author:
        seat = replace(seat, by=Agent(seat.by.name, reference=sender))
    report = await revise(seat, make)
    return asked.done(report)


def channel_of(header: Resource) -> str:
    """The channel of a thread header, ``""`` where it has none of ours."""
    systems = (str(one.get("system", "")) for one in header.get("identifier") or ())
    return next((one.removeprefix(codes.THREAD) for one in systems if codes.THREAD in one), "")


async def check_author(
    store: Store, project: str, name: str, may: tuple[str, ...] = AUTHORS
) -> str:
    """The name of a person who may write for the practice; raises ``BadReply`` for any other."""
    if not name.startswith(may):
        raise BadReply("say who writes: Practitioner/… or PractitionerRole/…")
    stored = await store.read(project, *as_key(name))
    if stored is None or stored.deleted:
        raise BadReply(f"there is no {name}")
    return name


async def _thread(store: Store, project: str, name: str) -> tuple[Resource, str]:
    """The thread header of that name, or of the message of that name, and then that message."""
    name = name if "/" in name else f"Communication/{name}"
    body, message = await _read(store, project, name), ""
    if parent := parent_of(body):
        body, message = await _read(store, project, parent), name
    if not circle_of(body) or thread_of(body) is None:
        raise BadReply(f"{name} is in no thread that Threadwell keeps")
    if not is_live(body):
        raise BadReply(f"{name} is superseded: reply in the thread that has its messages now")
    return body, message


async def _read(store: Store, project: str, name: str) -> Resource:
    key = as_key(name)
    stored = await store.read(project, *key) if key.type == "Communication" else None
    if stored is None or stored.deleted:
        raise BadReply(f"there is no {name}")
    body: Resource = decode(stored.body)
    return body
