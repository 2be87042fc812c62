"""Replying on the page of a session: which threads take a reply, and what has become of each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.channels.channel import Channel
from threadwell.channels.live import Live
from threadwell.channels.sending import Limits
from threadwell.encounters.corrected import Agent
from threadwell.fhir.resource import Resource
from threadwell.inbox import kept
from threadwell.inbox.composing import (
    Draft,
    drafts_of,
    forget,
    saved_names,
    templates_by_channel,
    written,
    written_by,
)
from threadwell.inbox.dates import Dates
from threadwell.inbox.message_view import MessageView, message_view
from threadwell.inbox.page import Form, by_whom, first
from threadwell.inbox.posted import MOST, Posted
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.session_page import SessionView, ThreadView
from threadwell.inbox.site import Site
from threadwell.inbox.turning import LAST, MESSAGES
from threadwell.intake.circles.place import thread_of
from threadwell.intake.replies.outbox import NotInOutbox, Stage, drop_letter, replay_letter
from threadwell.intake.replies.writing import BadReply, channel_of, reply

#: What a person may decide of a message that was not sent: what the button says.
RESEND, DROP = "resend", "drop"

_WAITS, _STUCK = "waiting to be sent", "not sent"


@dataclass(frozen=True, slots=True)
class Unsent:
    """What has become of a message that is in the outbox.

    ``letter`` is by what a person decides of it, ``""`` while nobody has to; ``why`` tells why.
    """

    word: str
    letter: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Replying:
    """What a page needs to take replies.

    ``limits`` are of the threads that take one, by the ids of their headers, and ``unsent`` what
    becomes of messages that are in the outbox, by theirs. Whoever looks ``may`` reply where one
    could. ``key`` makes what is sent twice one reply; ``text`` is what was written into the
    ``thread`` and could not be taken, because of the ``mistake``. ``drafts`` are by the ids of
    headers, and ``saved`` are names of saved replies with what people see them called.
    ``templates`` are what those say that a provider has approved, by the ids of headers.
    """

    limits: Mapping[str, Limits] = field(default_factory=dict)
    unsent: Mapping[str, Unsent] = field(default_factory=dict)
    may: bool = False
    key: str = ""
    thread: str = ""
    text: str = ""
    mistake: str = ""
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    saved: tuple[tuple[str, str], ...] = ()
    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


async def load_replying(
    site: Site,
    reader: Reader,
    session: SessionView,
    by: Agent,
    form: Form,
    mistake: str,
    dates: Dates,
) -> Replying:
    """Which threads of a session take a reply of whoever is signed in; ``form`` is what they sent.

    A reply has an author, so it takes a link that names somebody, and it goes by an account.
    """
    unsent = await unsent_of(
        reader, (m for one in session.threads for day in one.days for m in day.messages)
    )
    ways = {one.channel for one in await kept.accounts_of(reader)}
    lives = {name: live for name in ways if (live := _live(site, name))}
    threads = [one for one in session.threads if one.channel in lives]
    if not threads or session.superseded:
        return Replying(unsent=unsent)
    # Below the last message, and nowhere else.
    ends = [one for one in threads if not one.turns.after]
    limits = {one.id: _fit(lives[one.channel].limits(one.external)) for one in ends}
    may = bool(by.reference)
    approved = await templates_by_channel(site) if may else {}
    return Replying(
        *(limits, unsent, may, secrets.token_urlsafe(12)),
        *(first(form, "thread"), first(form, "text"), mistake),
        await drafts_of(reader, by.reference, limits, dates),
        tuple(await saved_names(reader)) if may else (),
        {one.id: approved.get(one.channel, ()) for one in ends if _has_window(lives, one)},
    )


def _has_window(lives: Mapping[str, Live], thread: ThreadView) -> bool:
    return lives[thread.channel].window(thread.external) is not None


async def unsent_of(reader: Reader, messages: Iterable[MessageView]) -> dict[str, Unsent]:
    """What becomes of those of the messages that are in the outbox, by their ids."""
    named = {one.letter: one.id for one in messages if one.letter}
    found = await kept.letters(reader, named)
    return {
        named[name]: Unsent(_STUCK, one.id, one.entry.reason)
        if one.entry.stage is Stage.HELD
        else Unsent(_WAITS, why=one.entry.reason)
        for name, one in found.items()
    }


def live_ways(site: Site) -> dict[str, Channel]:
    """The channels that hear and send as it happens, by name."""
    return {name: one for name, one in site.channels.items() if one.live is not None}


async def sending_in(site: Site, reader: Reader, header: Resource) -> tuple[bool, int]:
    """Whether something can be sent in the thread of a header, and how many characters a message
    may have, 0 for any number."""
    channel, external = channel_of(header), thread_of(header)
    live = _live(site, channel)
    ways = {one.channel for one in await kept.accounts_of(reader)}
    if live is None or external is None or channel not in ways:
        return False, 0
    return True, live.limits(external.id).characters


async def place_of(reader: Reader, message: str) -> str:
    """Where a message (``Communication/…``) that was just written stands: at the end of the page
    of its session."""
    body = await reader.read(*message.split("/", 1))
    parent = id_in(next(iter((body or {}).get("partOf") or ()), None), "Communication")
    header = await reader.read("Communication", parent)
    if body is None or header is None:
        raise HTTPException(404)
    query = f"Communication?part-of=Communication/{parent}&status:not=preparation"
    many = ((await reader.search(query, _total="accurate", _count=0)).total or 0) > MESSAGES
    page = f"?thread={parent}&cursor={LAST}" if many else ""
    return f"/sessions/{id_in(header.get('encounter'), 'Encounter')}{page}#m-{body['id']}"


async def send(site: Site, request: Request, posted: Posted) -> Response:
    """Take the reply that the form has, and lead to where it stands; raises ``BadReply``."""
    form = posted.form
    by, header = by_whom(request), first(form, "thread")
    if posted.too_large:
        raise BadReply(f"its files have more than {MOST // 1_000_000} MB together")
    text = written(form)
    # Pressed twice it is one reply; what is written after a step back is another. Large files are
    # read where nobody waits for it.
    said = await asyncio.to_thread(_digest, text, posted)
    thread = f"Communication/{header}"
    store = await site.acting(thread, writes=written_by(by.reference, thread))
    replied = await reply(
        await site.seat(store, by),
        thread,
        text,
        live_ways(site),
        sender=by.reference,
        files=posted.files,
        key=f"{first(form, 'key')} {said}",
    )
    await forget(site, request, form)
    reader = site.reader()
    found = await reader.read(*replied.thread.split("/", 1))
    if found is None:
        raise HTTPException(404)
    return RedirectResponse(_place(found, bool(first(form, "last"))), 303)


async def decide(site: Site, request: Request, form: Form) -> Response:
    """Send a message after all, or never, that waits for a decision; raises ``NotInOutbox``."""
    do = replay_letter if first(form, "act") == RESEND else drop_letter
    message = first(form, "message")
    store = await site.acting(*([f"Communication/{message}"] if site.policy else []))
    if site.policy is not None and not await _is_of(site, message, first(form, "letter")):
        raise NotInOutbox(f"no message {message} waits for a decision")
    await do(store, site.project, first(form, "letter"))
    return RedirectResponse(f"/sessions/{request.path_params['id']}#m-{message}", 303)


async def _is_of(site: Site, message: str, letter: str) -> bool:
    """Whether what waits in the outbox by that name is a message that whoever asks sees."""
    reader = site.reader()
    body = await reader.read("Communication", message)
    if body is None:
        return False
    found = await unsent_of(reader, [message_view(reader, body, await site.dates())])
    return letter in {one.letter for one in found.values() if one.letter}


def _digest(text: str, posted: Posted) -> str:
    said = sha256(text.encode())
    for one in posted.files:
        said.update(sha256(one.content or b"").digest())
    return said.hexdigest()


def _fit(limits: Limits) -> Limits:
    """As much of it as a form takes."""
    return replace(limits, together=min(limits.together, MOST))


def _live(site: Site, channel: str) -> Live | None:
    found = site.channels.get(channel)
    return found.live if found is not None and found.live and found.live.send else None


def _place(header: Resource, last: bool) -> str:
    """Where the next reply is written, below this one."""
    page = f"?thread={header['id']}&cursor=last" if last else ""
    session = id_in(header.get("encounter"), "Encounter")
    return f"/sessions/{session}{page}#text-of-{header['id']}"
