"""Deliveries that cannot be taken in, on a page; a person takes one in after all, or drops it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.inbox.dates import Dates
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.page import first, page_of, read_form, sentence
from threadwell.inbox.site import Site
from threadwell.intake.arrivals.stuck import (
    NotStuck,
    Stuck,
    drop_delivery,
    replay_delivery,
    stuck_deliveries,
)

#: What the buttons are for.
REPLAY, DROP = "replay", "drop"
#: Deliveries on the page; those behind them come up as these are decided about.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery of the list: by which account and channel, when it came, and why it is here."""

    id: str
    account: str
    channel: str
    when: str
    size: int
    reason: str


async def show(site: Site, request: Request) -> Response:
    """What is stuck, in the order in which it came."""
    return await _page(site, request)


async def act(site: Site, request: Request) -> Response:
    """Do what the form says with one of them, or show the list again, with the mistake."""
    _is_for(site)
    if not is_from_here(site, request):
        return from_elsewhere()
    form = await read_form(request)
    id_, asked = first(form, "id"), first(form, "act")
    if asked not in (REPLAY, DROP):
        return await _page(site, request, "Press one of the buttons.", 400)
    try:
        await (replay_delivery if asked == REPLAY else drop_delivery)(site.whole, site.project, id_)
    except NotStuck as error:
        return await _page(site, request, sentence(error), 409)
    return RedirectResponse(f"/deliveries?done={asked}", 303)


async def _page(site: Site, request: Request, mistake: str = "", status: int = 200) -> Response:
    _is_for(site)
    dates = await site.dates()
    some = await stuck_deliveries(site.whole, site.project)
    done = request.query_params.get("done", "")
    return await page_of(
        *(site, request, site.reader(), "deliveries.html", "quarantine", status),
        items=[_row(one, dates) for one in some[:_MOST]],
        more=max(0, len(some) - _MOST),
        done="" if mistake else done,
        mistake=mistake,
    )


def _is_for(site: Site) -> None:
    """404 for those who see a part of the practice: whose a delivery is, nobody knows yet."""
    if site.policy is not None:
        raise HTTPException(404)


def _row(one: Stuck, dates: Dates) -> Row:
    told = one.told
    came = datetime.fromtimestamp(told.received / 1000, UTC)
    when = dates.text(came) if told.received else ""
    return Row(one.id, told.account, told.channel, when, told.size, told.reason)
