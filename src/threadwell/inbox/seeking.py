"""The page on which messages are sought: by words, days, and a patient's name, phone or mail.

What somebody types stands in no address: the store keeps it for a while, and the address has its
random name.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.encounters.names import resource_name
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.inbox.dates import EXAMPLE, Dates, bad_day
from threadwell.inbox.finding import find_patients
from threadwell.inbox.page import Form, first, page_of
from threadwell.inbox.reader import Reader
from threadwell.inbox.site import Site
from threadwell.inbox.words_found import FoundPage, Sought, find_messages
from threadwell.stores.contract import Store

#: How long a search can be gone back to, in milliseconds: as long as a browser is signed in.
LIFE = 12 * 60 * 60_000

_KIND = "inbox-search"
_MOST = 500
_NAME, _DIGITS = 24, 14
#: Searches that are forgotten with a new one, if they have expired.
_FORGOTTEN = 20


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed. ``of`` is the id of the patient whose name was there before."""

    words: str = ""
    patient: str = ""
    since: str = ""
    until: str = ""
    of: str = ""

    @classmethod
    def of_form(cls, form: Form) -> Typed:
        """What was filled in, by the names of the fields."""
        names = ("name", "patient", "from", "to", "of")
        return cls(*(" ".join(first(form, name).split())[:_MOST] for name in names))


@dataclass(frozen=True, slots=True)
class Kept:
    """A search as the store keeps it, until ``expires`` (milliseconds since 1970 UTC)."""

    typed: Typed
    sought: Sought
    expires: int


class BadSearch(ValueError):
    """Nothing can be found by what was typed; the message says why."""


async def seek(site: Site, request: Request, form: Form, clock: Clock = now_ms) -> Response:
    """Keep what was typed, and lead to what is found; or show it again, with what is wrong."""
    typed = Typed.of_form(form)
    reader = site.reader()
    dates = await site.dates()
    try:
        sought = await _read(reader, typed, dates)
    except BadSearch as error:
        return await _page(site, request, typed, str(error), status=400)
    now = clock()
    # By their names those that expire first stand first.
    name = f"{now + LIFE:0{_DIGITS}d}-{secrets.token_urlsafe(_NAME)}"
    await _forget_expired(site.whole, f"{site.project}/", now)
    kept = msgspec.json.encode(Kept(typed, sought, now + LIFE))
    await site.whole.put_private(_KIND, f"{site.project}/{name}", kept)
    return RedirectResponse(f"/find/{name}", 303)


async def empty(site: Site, request: Request) -> Response:
    """The form alone; ``?patient=`` is the id of one whose messages are sought."""
    reader = site.reader()
    found = await reader.read("Patient", request.query_params.get("patient", ""))
    typed = Typed(patient=resource_name(found), of=found["id"]) if found else Typed()
    return await _page(site, request, typed)


async def show(site: Site, request: Request, clock: Clock = now_ms) -> Response:
    """A page of what a search has found; ``?before=`` leads further back."""
    name = f"{site.project}/{request.path_params['name']}"
    value = await site.whole.get_private(_KIND, name)
    kept = msgspec.json.decode(value, type=Kept) if value is not None else None
    if kept is None or kept.expires <= clock():
        return RedirectResponse("/find?in=messages", 303)
    before = request.query_params.get("before", "0")
    if not (before.isascii() and before.isdigit() and len(before) < 20):
        raise HTTPException(404)
    reader = site.reader()
    dates = await site.dates()
    found = await find_messages(reader, kept.sought, dates, before=int(before))
    return await _page(site, request, kept.typed, found=found, later=before != "0")


async def _page(
    site: Site,
    request: Request,
    typed: Typed,
    mistake: str = "",
    status: int = 200,
    *,
    found: FoundPage | None = None,
    later: bool = False,
) -> Response:
    dates = await site.dates()
    return await page_of(
        *(site, request, site.reader(), "messages.html", "sessions", status),
        typed=typed,
        mistake=mistake,
        found=found,
        later=later,
        example=dates.day(EXAMPLE),
    )


async def _read(reader: Reader, typed: Typed, dates: Dates) -> Sought:
    since, until = _day(typed.since, dates), _day(typed.until, dates)
    if since and until and since > until:
        since, until = until, since
    patients = await _patients(reader, typed, dates) if typed.patient else ()
    if not (typed.words or patients or since or until):
        raise BadSearch("Type words, a patient or a day first.")
    return Sought(typed.words, patients, since, until)


async def _patients(reader: Reader, typed: Typed, dates: Dates) -> tuple[str, ...]:
    before = await reader.read("Patient", typed.of) if typed.of else None
    if before is not None and resource_name(before) == typed.patient:
        return (typed.of,)
    found = await find_patients(reader, typed.patient, dates)
    if not found:
        raise BadSearch("No patient has that name, phone number or mail address.")
    return tuple(one.id for one in found)


def _day(text: str, dates: Dates) -> date | None:
    if not text:
        return None
    try:
        return dates.read(text)
    except ValueError:
        raise BadSearch(bad_day(text, dates)) from None


async def _forget_expired(store: Store, project: str, now: int) -> None:
    """Forget some that have expired: more than come in."""
    for name, value in (await store.list_private(_KIND, after=project, count=_FORGOTTEN)).items():
        if not name.startswith(project) or msgspec.json.decode(value, type=Kept).expires > now:
            return
        await store.put_private(_KIND, name, None)
