"""What a person does with held messages on the pages: try again, dismiss, hold again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.page import by_whom, page_of, read_form, sentence
from threadwell.inbox.quarantine import DISMISSED, HELD, list_held
from threadwell.inbox.site import Site
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended
from threadwell.intake.releasing import BadRelease, dismiss_held, hold_again, release_held
from threadwell.intake.sameness import BadSameness, say_whether_same

#: What the buttons are for.
RELEASE, PATIENTS, DISMISS, AGAIN = "release", "patients", "dismiss", "again"
SAME, ANOTHER = "same", "another"
_ACTS = (RELEASE, PATIENTS, DISMISS, AGAIN, SAME, ANOTHER)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
#: What has come of it, as the URL of the list tells it: numbers alone.
_TOLD = ("placed", "waiting", "closed", "again")


@dataclass(frozen=True, slots=True)
class Said:
    """What the form says: the ids of Tasks that are meant, and the button."""

    tasks: tuple[str, ...] = ()
    act: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Said:
        """What was filled in; a row that stands for several has all of their ids."""
        (act,) = (*form.get("act", ()), "")[:1]
        ids = (id_ for value in form.get("held", ()) for id_ in value.split())
        return cls(tuple(dict.fromkeys(ids)), act if act in _ACTS else "")

    @property
    def mistake(self) -> str:
        """What is wrong with it, ``""`` if nothing is."""
        if not self.tasks:
            return "Tick the messages that are meant first."
        if not all(map(_ID.fullmatch, self.tasks)):
            return "That names no message."
        return "" if self.act else "Press one of the buttons."


async def show(site: Site, request: Request) -> Response:
    """What is held back, or with ``?dismissed=1`` what was dismissed, the newest first."""
    return await _page(site, request)


async def act(site: Site, request: Request) -> Response:
    """Do what the form says, to all that are ticked; or show the list again, with the mistake."""
    if not is_from_here(site, request):
        return from_elsewhere()
    said = Said.of(await read_form(request))
    if said.mistake:
        return await _page(site, request, said, said.mistake, 400)
    try:
        told = await _done(site, request, said)
    except (BadRelease, BadSameness, BadSetting) as error:
        return await _page(site, request, said, sentence(error), 422)
    except Contended:
        return await _page(site, request, said, "Others change it just now: try again.", 409)
    return RedirectResponse(f"/quarantine?{urlencode(told)}", 303)


async def _done(site: Site, request: Request, said: Said) -> dict[str, int]:
    """Do it; what has come of it, in numbers."""
    tasks = [f"Task/{id_}" for id_ in said.tasks]
    if said.act == PATIENTS:
        await site.acting(writes={"resourceType": "Patient"})
    seat = await site.seat(await site.acting(*tasks), by_whom(request))
    if said.act == DISMISS:
        await dismiss_held(seat, tasks)
        return {"closed": len(tasks)}
    if said.act == AGAIN:
        await hold_again(seat, tasks)
        return {"again": len(tasks)}
    if said.act in (SAME, ANOTHER):
        same = said.act == SAME
        reports = [await say_whether_same(seat, one, same=same) for one in tasks]
        placed = sum(one.replayed for one in reports)
        return {"placed": placed, "waiting": len(tasks) - placed}
    report = await release_held(seat, tasks, strangers=said.act == PATIENTS)
    return {"placed": report.replayed, "waiting": len(tasks) - report.replayed}


async def _page(
    site: Site, request: Request, said: Said | None = None, mistake: str = "", status: int = 200
) -> Response:
    asked = request.query_params
    dismissed = bool(asked.get("dismissed")) or (said is not None and said.act == AGAIN)
    reader = site.reader()
    cursor = "" if said else asked.get("cursor", "")
    dates = await site.dates()
    which = DISMISSED if dismissed else HELD
    held = await list_held(reader, which, cursor=cursor, dates=dates)
    told = {name: int(text) for name in _TOLD if (text := asked.get(name, "")).isdecimal()}
    return await page_of(
        *(site, request, reader, "quarantine.html", "quarantine", status),
        items=held.items,
        turns=held.turns,
        dismissed=dismissed,
        ticked=set(said.tasks) if said else set(),
        told={} if said else told,
        mistake=mistake,
    )
