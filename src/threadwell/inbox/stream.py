"""The news as server-sent events: which resources have changed, never what is in them.

The ``id`` of each event is a position of the store's news, from which a browser that comes back
goes on (``Last-Event-ID``), in whichever process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from threadwell.audit.record import Who
from threadwell.inbox.caring import waiting_by_owner
from threadwell.inbox.entering import address
from threadwell.inbox.looking import first_look, next_look
from threadwell.inbox.news import Push, Told
from threadwell.inbox.people import person_of
from threadwell.inbox.site import Site
from threadwell.inbox.typists import sees, types, wanted
from threadwell.intake.links import as_key
from threadwell.stores.contract import StoreError
from threadwell.users.browsers import signed_in

#: Milliseconds after which a browser comes back.
_RETRY = 1000
#: Seconds between two looks at whether somebody types.
_GLANCE = 0.5
_TYPE = "text/event-stream"
#: How many threads wait for whoever asks: theirs, and those that nobody takes care of.
WAITING = "Threadwell-Waiting"


async def show(site: Site, request: Request) -> Response:
    """What has changed after ``Last-Event-ID`` or ``?after=``, and whatever changes from now on.

    HEAD tells whether there is news to be had, and with ``?waiting`` how many threads wait.
    """
    # Proxies that gather what they pass on would hold the news back.
    headers = {"X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        if "waiting" in request.query_params:
            headers[WAITING] = await _waiting(site, request)
        return Response(headers={**headers, "Content-Type": _TYPE})
    written = request.headers.get("last-event-id") or request.query_params.get("after", "")
    now = await site.news.position()
    after = int(written) if written.isascii() and written.isdecimal() and len(written) < 19 else now
    cookie = request.cookies.get(site.cookie)
    push = request.scope.get("extensions", {}).get("threadwell.push", {}).get("push")
    thread = wanted(request)
    if not await sees(site, thread):
        thread = ""
    by = request.state.by
    who = Who(who=by.reference, name=by.name, way="pages", address=address(request))
    # Which resources change is all that is told, and each page that shows them is recorded.
    site.trail.event(site.project, "page", who, asked=request.url.path)
    # Who sees a part is told of that part alone, so each event is looked at for them.
    events = _events(site, cookie, after, now, thread, push if site.policy is None else None)
    return StreamingResponse(events, media_type=_TYPE, headers=headers)


async def _waiting(site: Site, request: Request) -> str:
    waits = await waiting_by_owner(site.reader(), request.state.by.reference)
    return str(sum(waits.values()))


async def _events(
    site: Site, cookie: str | None, after: int, now: int, thread: str, push: Push | None
) -> AsyncIterator[bytes]:
    yield b"retry: %d\n\n" % _RETRY
    with site.news.listening(after, now, push) as listener:
        due = first_look(monotonic())
        # Told at first, too: it may have changed since the page was made.
        typed = not types(site, thread) if thread else False
        # Of those who type nothing rings: it is looked at while they may.
        while (told := await listener.wait(_until(due, thread))) is not None:
            if types(site, thread) != typed:
                typed = not typed
                yield b"event: typing\ndata: %s\n\n" % (b"yes" if typed else b"no")
            told = await _seen(site, told)
            if told:
                yield b"".join(one.event() for one in told)
            if monotonic() < due:
                continue
            # Whether they are still signed in; and a sign of life is sent.
            now_seen = await _looked(site, cookie)
            if now_seen is None:
                return
            # Who has got a policy meanwhile comes back, and is told of what they see.
            if (now_seen.policy is None) is not (site.policy is None):
                return
            site = now_seen
            if not await sees(site, thread):
                thread = ""
            due = next_look(monotonic())
            if not told:
                yield b":\n\n"


async def _seen(site: Site, told: list[Told]) -> list[Told]:
    """What of it is about something that whoever listens sees now.

    That very much has changed is told to all.
    """
    if site.policy is None or not told:
        return told
    names = dict.fromkeys(name for one in told for name in one.about)
    there = await site.view.read_many(site.project, [as_key(name) for name in names])
    out = []
    for one in told:
        about = tuple(name for name in one.about if as_key(name) in there)
        if about or not one.about:
            out.append(Told(one.position, about))
    return out


async def _looked(site: Site, cookie: str | None) -> Site | None:
    """The site as whoever listens sees it now, ``None`` where they are not signed in any more."""
    try:
        return await site.looks.at((site.origin, cookie), partial(_seen_by, site, cookie))
    except StoreError:
        # Whether they are is not known, and without a store there is nothing to tell.
        return site


async def _seen_by(site: Site, cookie: str | None) -> Site | None:
    found = await signed_in(site.whole, site.project, cookie)
    by = await person_of(site.whole, site.project, found.who) if found else None
    return None if by is None else await site.seen_by(by.reference)


def _until(due: float, thread: str) -> float:
    """Seconds until there is something to look at."""
    left = max(0.0, due - monotonic())
    return min(_GLANCE, left) if thread else left
