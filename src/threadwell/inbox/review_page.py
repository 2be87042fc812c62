"""The page on which a person answers whom a session is about, with the words in question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.fhir.resource import Resource
from threadwell.inbox.dates import Dates
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.finding import PatientFound, patients_of
from threadwell.inbox.page import by_whom, page_of, read_form, sentence
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.reviews import asks_whom, next_review
from threadwell.inbox.session_page import SessionView, load_session
from threadwell.inbox.site import Site
from threadwell.intake.answering import answer_review, dismiss_review
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.circles.answers import candidates, chosen_in, suggestions
from threadwell.intake.patience import Contended
from threadwell.intake.settling import BadAnswer

#: What the buttons are for: an answer, an answer and on to the next question, no answer at all.
SAY, NEXT, DISMISS = "say", "next", "dismiss"
_ACTS = (SAY, NEXT, DISMISS)


@dataclass(frozen=True, slots=True)
class Said:
    """What the form says: ids of Patients, and which button was pressed."""

    patients: tuple[str, ...] = ()
    act: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Said:
        """What was filled in, by the names of the fields."""
        (act,) = (*form.get("act", ()), SAY)[:1]
        return cls(tuple(dict.fromkeys(form.get("patient", ()))), act if act in _ACTS else SAY)

    @property
    def mistake(self) -> str:
        """What is wrong with it, ``""`` if nothing is."""
        if self.act == DISMISS or self.patients:
            return ""
        return "Choose whom it is about first: one patient, or several."


@dataclass(frozen=True, slots=True)
class ReviewView:
    """What the page shows: the question, the session with its words, and whom to choose from.

    ``suggested`` are ids of those whom the practice has named. ``open`` says that nobody has
    answered yet.
    """

    id: str
    text: str
    session: SessionView
    choices: list[PatientFound]
    suggested: frozenset[str]
    said: Said
    open: bool
    mistake: str


async def show(site: Site, request: Request) -> Response:
    """The question, to be answered."""
    return await _page(site, request, Said())


async def answer(site: Site, request: Request) -> Response:
    """What the form says holds at once; or the page is shown again, with the mistake."""
    if not is_from_here(site, request):
        return from_elsewhere()
    said = Said.of(await read_form(request))
    if said.mistake:
        return await _page(site, request, said, said.mistake, 400)
    id_ = request.path_params["id"]
    following = await _following(site, id_) if said.act != SAY else f"/reviews/{id_}/session"
    patients = [f"Patient/{one}" for one in said.patients]
    about = await _task(site.reader(), id_) if site.policy else {}
    focus = id_in(about.get("focus"), "Encounter")
    try:
        # An answer is a word on the question, and on the session that it is about.
        store = await site.acting(f"Task/{id_}", naming=patients)
        if focus and said.act != DISMISS:
            await site.acting(f"Encounter/{focus}")
        seat = await site.seat(store, by_whom(request))
        if said.act == DISMISS:
            await dismiss_review(seat, f"Task/{id_}")
        else:
            await answer_review(seat, f"Task/{id_}", said.patients)
    except (BadAnswer, BadSetting) as error:
        return await _page(site, request, said, sentence(error), 422)
    except Contended:
        return await _page(site, request, said, "Others change it just now: try again.", 409)
    return RedirectResponse(following, 303)


async def session(site: Site, request: Request) -> Response:
    """To the session that a question is about, wherever its messages are now."""
    task = await _task(site.reader(), request.path_params["id"])
    return RedirectResponse(f"/sessions/{id_in(task.get('focus'), 'Encounter')}", 303)


async def _following(site: Site, id_: str) -> str:
    """The page of the next question, of all of them where there is none."""
    return await next_review(site.reader(), id_) or "/reviews"


async def _page(
    site: Site, request: Request, said: Said, mistake: str = "", status: int = 200
) -> Response:
    reader = site.reader()
    task = await _task(reader, request.path_params["id"])
    view = await _view(reader, task, said, mistake, await site.dates())
    if view is None:
        raise HTTPException(404)
    return await page_of(site, request, reader, "review.html", "reviews", status, review=view)


async def _task(reader: Reader, id_: str) -> Resource:
    task = await reader.read("Task", id_)
    if task is None or not asks_whom(task):
        raise HTTPException(404)
    return task


async def _view(
    reader: Reader, task: Resource, said: Said, mistake: str, dates: Dates
) -> ReviewView | None:
    encounter = await reader.read("Encounter", id_in(task.get("focus"), "Encounter"))
    if encounter is None:
        return None
    answer = tuple(one.removeprefix("Patient/") for one in chosen_in(task))
    asked = [one.removeprefix("Patient/") for one in candidates(task)]
    return ReviewView(
        id=task["id"],
        text=str(task.get("description", "")),
        session=await load_session(reader, encounter, thread="", cursor="", dates=dates),
        choices=await patients_of(reader, asked, dates),
        suggested=frozenset(one.removeprefix("Patient/") for one in suggestions(task)),
        said=said if said.patients or mistake else Said(answer),
        open=task.get("status") != "completed",
        mistake=mistake,
    )
