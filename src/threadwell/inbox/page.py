"""What every page does alike: it takes a form, and it renders with the frame around it."""

from __future__ import annotations

from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from threadwell.encounters.corrected import Agent
from threadwell.inbox import kept
from threadwell.inbox.quarantine import count_held
from threadwell.inbox.reader import Reader
from threadwell.inbox.render import render
from threadwell.inbox.reviews import count_reviews
from threadwell.inbox.site import Site

#: A form may name each message of a session that is ticked.
_MAX_FORM = 1024 * 1024

Form = dict[str, list[str]]


class Live(NamedTuple):
    """What a page shows, by references and by types (``Task/``), as of a position of the news."""

    after: int
    about: tuple[str, ...]


def by_whom(request: Request) -> Agent:
    """Whoever is signed in, by whose word is done what a form says."""
    return cast(Agent, request.state.by)


async def read_form(request: Request) -> Form:
    """The fields of a form; 413 for one that is longer than any of ours.

    They stay at hand (``request.state.form``) for whoever has to say that it was not taken.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM:
            raise HTTPException(413)
    form = parse_qs(body.decode("utf-8", "replace"))
    request.state.form = form
    return form


def first(form: Form, name: str) -> str:
    """The first value of a field, ``""`` where it is not filled in."""
    return form.get(name, [""])[0]


def sentence(error: Exception) -> str:
    """An error of ``intake`` as a page says it."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


async def page_of(
    site: Site,
    request: Request,
    reader: Reader,
    template: str,
    place: str,
    status: int = 200,
    *,
    live: Live | None = None,
    **values: Any,
) -> HTMLResponse:
    """The page of a template, within the frame of all pages; ``place`` is where its menu stands.

    One that is ``live`` asks for itself anew, once there is news of what it shows.
    """
    zone = await kept.zone_of(reader)
    by = by_whom(request)
    frame = {
        "place": place,
        "zone": zone.key,
        "badge": site.badges.of,
        "project": await site.name(),
        "by": by.reference,
        "me": by.name if by.reference else "",
        "held": await count_held(reader),
        "questions": await count_reviews(reader),
        "live": live,
    }
    return HTMLResponse(render(template, **frame, **values), status)
