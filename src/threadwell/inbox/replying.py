"""Replying on the page of a session: which threads take a reply, and what has become of each."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.channels.live import Live
from threadwell.channels.sending import Limits
from threadwell.encounters.corrected import Agent
from threadwell.fhir.resource import Resource
from threadwell.inbox.composing import Draft, drafts_of, forget, saved_names, written
from threadwell.inbox.dates import Dates
from threadwell.inbox.page import Form, by_whom, first
from threadwell.inbox.posted import MOST, Posted
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.session_page import SessionView
from threadwell.inbox.site import Site
from threadwell.intake.accounts import accounts
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.outbox import dead_letters, drop_letter, replay_letter, waiting
from threadwell.intake.replies.writing import BadReply, reply

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
    ways = {one.channel for one in await accounts(reader.store, reader.project)}
    lives = {name: live for name in ways if (live := _live(site, name))}
    threads = [one for one in session.threads if one.channel in lives]
    if not threads or session.superseded:
        return Replying()
    # Below the last message, and nowhere else.
    ends = [one for one in threads if not one.turns.after]
    limits = {one.id: _fit(lives[one.channel].limits(one.external)) for one in ends}
    unsent = {
        one.entry.message: Unsent(_WAITS, why=one.entry.reason)
        for one in await waiting(reader.store, reader.project)
    }
    for one in await dead_letters(reader.store, reader.project):
        unsent[one.entry.message] = Unsent(_STUCK, one.id, one.entry.reason)
    may = bool(by.reference)
    return Replying(
        *(limits, unsent, may, secrets.token_urlsafe(12)),
        *(first(form, "thread"), first(form, "text"), mistake),
        await drafts_of(reader, by.reference, dates),
        tuple(await saved_names(reader)) if may else (),
    )


async def send(site: Site, request: Request, posted: Posted) -> Response:
    """Take the reply that the form has, and lead to where it stands; raises ``BadReply``."""
    form = posted.form
    by, header = by_whom(request), first(form, "thread")
    if posted.too_large:
        raise BadReply(f"its files have more than {MOST // 1_000_000} MB together")
    text = written(form)
    # Pressed twice it is one reply; what is written after a step back is another.
    said = sha256(text.encode())
    for one in posted.files:
        said.update(sha256(one.content or b"").digest())
    replied = await reply(
        site.store,
        site.project,
        f"Communication/{header}",
        text,
        await kept_settings(site.store, site.project, site.labels),
        {name: one for name, one in site.channels.items() if one.live is not None},
        sender=by.reference,
        files=posted.files,
        key=f"{first(form, 'key')} {said.hexdigest()}",
        by=by,
    )
    await forget(site, request, form)
    reader = Reader(site.store, site.project)
    found = await reader.read(*replied.thread.split("/", 1))
    if found is None:
        raise HTTPException(404)
    return RedirectResponse(_place(found, bool(first(form, "last"))), 303)


async def decide(site: Site, request: Request, form: Form) -> Response:
    """Send a message after all, or never, that waits for a decision; raises ``NotInOutbox``."""
    do = replay_letter if first(form, "act") == RESEND else drop_letter
    await do(site.store, site.project, first(form, "letter"))
    message = first(form, "message")
    return RedirectResponse(f"/sessions/{request.path_params['id']}#m-{message}", 303)


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
