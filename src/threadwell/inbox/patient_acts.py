"""The page of a patient, and what a person does there: open a session, before anybody writes."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.page import by_whom, first, page_of, read_form, sentence
from threadwell.inbox.patient_page import load_patient
from threadwell.inbox.session_acts import why_in
from threadwell.inbox.site import Site
from threadwell.intake.acts import BadAct, open_session, session_of
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended


async def show(site: Site, request: Request) -> Response:
    """One patient with all that belongs to them."""
    return await _page(site, request)


async def open_one(site: Site, request: Request) -> Response:
    """Open a session of the patient, and lead to it; to the one that is open, if there is one."""
    if not is_from_here(site, request):
        return from_elsewhere()
    form = await read_form(request)
    patient, header = request.path_params["id"], first(form, "thread")
    thread = f"Communication/{header}" if header else ""
    try:
        store = await site.acting(
            naming=[f"Patient/{patient}", thread], writes=session_of(f"Patient/{patient}")
        )
        acted = await open_session(
            await site.seat(store, by_whom(request)),
            [f"Patient/{patient}"],
            thread=thread,
            why=why_in(first(form, "why")),
        )
    except (BadAct, BadSetting) as error:
        return await _page(site, request, sentence(error), header, 422)
    except Contended:
        return await _page(site, request, "Others change it just now: try again.", header, 409)
    return RedirectResponse(f"/sessions/{acted.session.removeprefix('Encounter/')}", 303)


async def _page(
    site: Site, request: Request, mistake: str = "", chosen: str = "", status: int = 200
) -> Response:
    reader = site.reader()
    found = await reader.read("Patient", request.path_params["id"])
    if found is None:
        raise HTTPException(404)
    view = await load_patient(reader, found, await site.dates())
    return await page_of(
        *(site, request, reader, "patient.html", "sessions", status),
        patient=view,
        mistake=mistake,
        chosen=chosen,
    )
