"""What a reply on a page is written from: a draft of before, and texts that are saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.channels.templates import BadTemplates
from threadwell.fhir.resource import Resource
from threadwell.inbox import kept
from threadwell.inbox.dates import Dates
from threadwell.inbox.page import Form, by_whom, first
from threadwell.inbox.reader import Reader
from threadwell.inbox.site import Site
from threadwell.intake.replies.asked import BadReply
from threadwell.intake.replies.saved import saved_replies, saved_text
from threadwell.intake.thread_acts.drafting import discard_draft, drafts, save_draft

#: What the buttons beside *Send* say.
KEEP, DISCARD, SAVED = "draft", "discard", "saved"
#: How the choice of a template begins, beside those of saved replies, whose names have no colon.
TEMPLATE = "template:"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of whoever looks, by the id of its Communication; ``kept`` is when."""

    id: str
    text: str
    kept: str


async def drafts_of(
    reader: Reader, me: str, headers: Iterable[str], dates: Dates
) -> dict[str, Draft]:
    """The drafts of somebody in threads, by the ids of their headers; the newest, of two."""
    found: dict[str, Draft] = {}
    for header in headers if me else ():
        mine = await drafts(reader.view, reader.project, me, f"Communication/{header}")
        for one in mine[:1]:
            kept = dates.text(one["meta"].get("lastUpdated"))
            found[header] = Draft(one["id"], _text(one), kept)
    return found


async def saved_names(reader: Reader) -> list[tuple[str, str]]:
    """The names of the saved replies, and what people see them called."""
    found = await saved_replies(reader.view, reader.project)
    return [(one.name, one.title or one.name) for one in found]


async def keep(site: Site, request: Request, form: Form) -> Response:
    """Keep what is written as a draft, or throw the draft away; raises ``BadReply``."""
    by, header = by_whom(request), first(form, "thread")
    text = written(form)
    if first(form, "act") == DISCARD or not text:
        await forget(site, request, form)
    else:
        thread, draft = f"Communication/{header}", first(form, "draft")
        store = await site.acting(
            *([f"Communication/{draft}"] if draft else []),
            naming=[thread],
            writes=written_by(by.reference, thread, status="preparation"),
        )
        stand = site.stand(store, by)
        await save_draft(stand, thread, text, sender=by.reference, id_=draft)
    return RedirectResponse(f"{request.url.path}{_query(request)}#text-of-{header}", 303)


async def forget(site: Site, request: Request, form: Form) -> None:
    """Throw the draft away that a form was written from, if it was from one of whoever sends it."""
    reader = site.reader()
    id_, by = first(form, "draft"), by_whom(request)
    there = await reader.read("Communication", id_) if id_ else None
    if there and by.reference and (there.get("sender") or {}).get("reference") == by.reference:
        with suppress(BadReply):  # it is gone already
            store = await site.acting(
                f"Communication/{id_}", writes=written_by(by.reference, "", status="preparation")
            )
            await discard_draft(site.stand(store, by), id_)


async def templates_by_channel(site: Site) -> dict[str, tuple[str, ...]]:
    """What the approved templates of each channel's accounts say."""
    found: dict[str, tuple[str, ...]] = {}
    for account in await kept.accounts_of(site.reader()):
        channel = site.channels.get(account.channel)
        with suppress(BadTemplates):
            said = channel.live.templates(account) if channel and channel.live else ()
            texts = (*found.get(account.channel, ()), *(one.text for one in said))
            found[account.channel] = tuple(dict.fromkeys(texts))
    return found


async def with_saved(site: Site, request: Request, form: Form) -> Form:
    """The form with the saved reply or the template that it names put behind what is written;
    raises ``BadReply``."""
    by, header = by_whom(request), first(form, "thread")
    name = first(form, "saved")
    if not name:
        raise BadReply("choose a saved reply first")
    if name.startswith(TEMPLATE):
        # It has to say just that, so nothing stands before it.
        return {**form, "text": [name.removeprefix(TEMPLATE)]}
    thread = f"Communication/{header}"
    if name not in {one for one, _ in await saved_names(site.reader())}:
        raise BadReply(f"there is no saved reply {name!r}")
    store = await site.acting(naming=[thread], writes=written_by(by.reference, thread))
    stand = site.stand(store, by)
    filled = await saved_text(stand, name, thread, sender=by.reference)
    text = written(form)
    return {**form, "text": [f"{text}\n\n{filled}" if text else filled]}


def written_by(sender: str, thread: str, *, status: str = "in-progress") -> Resource:
    """A message as far as it is known before it is made: who writes it, and in which thread."""
    message: Resource = {
        "resourceType": "Communication",
        "status": status,
        "sender": {"reference": sender},
    }
    return {**message, "partOf": [{"reference": thread}]} if thread else message


def written(form: Mapping[str, list[str]]) -> str:
    """The text of a reply; forms end their lines as mails do."""
    return form.get("text", [""])[0].replace("\r\n", "\n").strip()


def _text(draft: Resource) -> str:
    return "\n".join(one.get("contentString", "") for one in draft.get("payload") or ())


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""
