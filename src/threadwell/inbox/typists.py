"""Who types in the thread of an app: told on the page of its session, and to the app."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from threadwell.channels.chat.names import NAME
from threadwell.encounters import codes
from threadwell.fhir.search.query import MissingFilter, Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.stamp import now_ms
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.page import by_whom
from threadwell.inbox.session_page import SessionView
from threadwell.inbox.site import Site
from threadwell.intake.chat.typing import SECONDS, Side

#: Longer is no thread's name.
_LONGEST = 400


async def tell(site: Site, request: Request) -> Response:
    """204: whoever is signed in types in the thread that ``?thread=`` names, or has stopped to."""
    if not is_from_here(site, request):
        return from_elsewhere()
    thread = wanted(request)
    if by_whom(request).reference and thread and await sees(site, thread):
        seconds = 0 if request.query_params.get("stopped") else SECONDS
        site.typing.tell(thread, Side.PRACTICE, now_ms(), seconds)
    return Response(status_code=204)


def wanted(request: Request) -> str:
    """The thread of which a page wants to be told, by its name in its channel."""
    thread = request.query_params.get("thread", "")
    return thread if thread.startswith(f"{NAME}:") and len(thread) <= _LONGEST else ""


def typing_in(site: Site, session: SessionView) -> dict[str, bool]:
    """Of the threads of a session in which it can be told, by their ids: whether they type."""
    return {one.id: types(site, one.external) for one in session.threads if one.channel == NAME}


async def sees(site: Site, thread: str) -> bool:
    """Whether whoever asks sees a thread, by its name in its channel."""
    if site.policy is None or not thread:
        return True
    own = TokenFilter("identifier", (TokenMatch(codes.THREAD + NAME, thread),))
    query = Query("Communication", (own, MissingFilter("part-of", missing=True)), count=1)
    return bool((await site.view.search(site.project, query)).matches)


def types(site: Site, thread: str) -> bool:
    """Whether the patient types in a thread."""
    return bool(thread) and site.typing.is_typing(thread, Side.PATIENT, now_ms())
