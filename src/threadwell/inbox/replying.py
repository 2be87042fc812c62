"""Replying on the page of a session: which threads take a reply, and what has become of each."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.encounters.corrected import Agent
from threadwell.fhir.resource import Resource
from threadwell.inbox.page import Form, by_whom, first
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.session_page import SessionView
from threadwell.inbox.site import Site
from threadwell.intake.accounts import accounts
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.outbox import dead_letters, waiting
from threadwell.intake.replies.writing import reply

_WAITS, _STUCK = "Waiting to be sent", "Not sent: somebody has to decide"


@dataclass(frozen=True, slots=True)
class Replying:
    """What a page needs to take replies.

    ``threads`` are the ids of the headers of threads that take one, and ``states`` what becomes of
    messages that are in the outbox, by their ids. ``key`` makes what is sent twice one reply, and
    ``text`` is what was written into the ``thread`` and could not be taken.
    """

    threads: frozenset[str] = frozenset()
    states: tuple[tuple[str, str], ...] = ()
    key: str = ""
    thread: str = ""
    text: str = ""

    def state(self, message: str) -> str:
        """What becomes of a message that is not sent yet, ``""`` of any other."""
        return dict(self.states).get(message, "")


async def load_replying(
    site: Site, reader: Reader, session: SessionView, by: Agent, form: Form
) -> Replying:
    """Which threads of a session take a reply of whoever is signed in; ``form`` is what they sent.

    A reply has an author, so it takes a link that names somebody, and it goes by an account.
    """
    ways = {one.channel for one in await accounts(reader.store, reader.project)}
    ways = {name for name in ways if _sends(site, name)}
    threads = [one for one in session.threads if one.channel in ways]
    if not threads:
        return Replying()
    states = [(one.entry.message, _WAITS) for one in await waiting(reader.store, reader.project)]
    dead = await dead_letters(reader.store, reader.project)
    states += [(one.entry.message, _STUCK) for one in dead]
    can = bool(by.reference) and not session.superseded
    return Replying(
        frozenset(one.id for one in threads if can),
        tuple(states),
        secrets.token_urlsafe(12),
        first(form, "thread"),
        first(form, "text"),
    )


async def send(site: Site, request: Request, form: Form) -> Response:
    """Take the reply that the form has, and lead to where it stands; raises ``BadReply``."""
    by, header = by_whom(request), first(form, "thread")
    # Forms end their lines as mails do.
    text = first(form, "text").replace("\r\n", "\n").strip()
    # Pressed twice it is one reply; what is written after a step back is another.
    key = f"{first(form, 'key')} {sha256(text.encode()).hexdigest()}"
    replied = await reply(
        site.store,
        site.project,
        f"Communication/{header}",
        text,
        await kept_settings(site.store, site.project, site.labels),
        {name: one for name, one in site.channels.items() if one.live is not None},
        sender=by.reference,
        key=key,
        by=by,
    )
    reader = Reader(site.store, site.project)
    found = await reader.read(*replied.thread.split("/", 1))
    if found is None:
        raise HTTPException(404)
    return RedirectResponse(_place(found, replied.message, bool(first(form, "last"))), 303)


def _sends(site: Site, channel: str) -> bool:
    found = site.channels.get(channel)
    return found is not None and found.live is not None and found.live.send is not None


def _place(header: Resource, message: str, last: bool) -> str:
    page = f"?thread={header['id']}&cursor=last" if last else ""
    session = id_in(header.get("encounter"), "Encounter")
    return f"/sessions/{session}{page}#m-{message.removeprefix('Communication/')}"
