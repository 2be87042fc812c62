"""The page on which a person says whose an address is that nobody is known to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.inbox.dates import Dates
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.finding import PersonFound, find_people, people_of
from threadwell.inbox.names import address_text
from threadwell.inbox.page import by_whom, page_of, read_form, sentence
from threadwell.inbox.quarantine import HeldItem, load_held, may_be_added
from threadwell.inbox.reader import Reader
from threadwell.inbox.site import Site
from threadwell.intake.adding import BadPerson, NewPerson, add_address
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended
from threadwell.messages import Address
from threadwell.stores.contract import Store

#: What the buttons are for: find somebody; the address is theirs; it is a relative's of theirs; it
#: is a new patient's.
FIND, THEIRS, RELATIVE, NEW = "find", "theirs", "relative", "new"
_ACTS = (FIND, THEIRS, RELATIVE, NEW)
_FIELDS = ("name", "given", "family", "born", "rgiven", "rfamily", "relationship", "address")


@dataclass(frozen=True, slots=True)
class Said:
    """What the form says: who is ticked (references), the texts by their fields, the button."""

    who: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    act: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Said:
        """What was filled in, by the names of the fields."""
        texts = {name: (*form.get(name, ()), "")[0].strip() for name in _FIELDS}
        (act,) = (*form.get("act", ()), "")[:1]
        who = tuple(dict.fromkeys(form.get("who", ())))
        return cls(who, texts, act if act in _ACTS else "")

    def text(self, name: str) -> str:
        """What a field says."""
        return self.texts.get(name, "")

    @property
    def mistake(self) -> str:
        """What is wrong with it, ``""`` if nothing is."""
        if self.act in (THEIRS, RELATIVE) and not self.who:
            return "Find somebody in the record first, and tick them."
        if self.act == RELATIVE and not all(one.startswith("Patient/") for one in self.who):
            return "A relative is one of patients: tick patients alone."
        if self.act in (NEW, RELATIVE) and not (self.whose.given or self.whose.family):
            return "Write the name first."
        if self.act == NEW and self.text("born") and self.whose.born is None:
            return "The birth date is no day."
        return "" if self.act else "Press one of the buttons."

    @property
    def whose(self) -> NewPerson:
        """The new person that it describes."""
        if self.act == RELATIVE:
            names = (self.text("rgiven"), self.text("rfamily"))
            return NewPerson(*names, patients=self.who, relationship=self.text("relationship"))
        try:
            born = date.fromisoformat(self.text("born"))
        except ValueError:
            born = None
        return NewPerson(self.text("given"), self.text("family"), born)


@dataclass(frozen=True, slots=True)
class PersonView:
    """What the page shows: the held message, its addresses that are nobody's, whom was found.

    ``addresses`` are pairs: the value, and the same for people. ``nameless`` is a name that nobody
    has.
    """

    item: HeldItem
    addresses: list[tuple[str, str]]
    people: list[PersonFound]
    said: Said
    nameless: str
    mistake: str


async def show(site: Site, request: Request) -> Response:
    """The form."""
    return await _page(site, request, Said())


async def add(site: Site, request: Request) -> Response:
    """What the form says is so from now on; or it is shown again, with the mistake."""
    if not is_from_here(site, request):
        return from_elsewhere()
    said = Said.of(await read_form(request))
    if said.act == FIND:
        return await _page(site, request, said)
    if said.mistake:
        return await _page(site, request, said, said.mistake, 400)
    found = {one.value: one for one in await _addresses(site, request)}
    if len(found) > 1 and said.text("address") not in found:
        return await _page(site, request, said, "Choose which address is theirs.", 400)
    address = found[said.text("address")] if len(found) > 1 else next(iter(found.values()))
    try:
        added = await add_address(
            await site.seat(await _acting(site, request, said), by_whom(request)),
            address,
            said.who if said.act == THEIRS else said.whose,
        )
    except (BadPerson, BadSetting) as error:
        return await _page(site, request, said, sentence(error), 422)
    except Contended:
        return await _page(site, request, said, "Others change it just now: try again.", 409)
    return RedirectResponse(f"/quarantine?placed={added.report.replayed}", 303)


async def _acting(site: Site, request: Request, said: Said) -> Store:
    """The store, where whoever asks may place what is held, and write who has the address."""
    if said.act == THEIRS:
        await site.acting(*said.who)
    else:
        type_ = "Patient" if said.act == NEW else "RelatedPerson"
        patient = {"patient": {"reference": next(iter(said.who), "")}} if said.who else {}
        await site.acting(naming=said.who, writes={"resourceType": type_, **patient})
    return await site.acting(f"Task/{request.path_params['id']}")


async def _addresses(site: Site, request: Request) -> list[Address]:
    reader = site.reader()
    found = await may_be_added(reader, request.path_params["id"])
    if not found:
        raise HTTPException(404)
    return found


async def _page(
    site: Site, request: Request, said: Said, mistake: str = "", status: int = 200
) -> Response:
    reader = site.reader()
    dates = await site.dates()
    addresses = await _addresses(site, request)
    item = await load_held(reader, request.path_params["id"], dates)
    if item is None:
        raise HTTPException(404)
    people = await _people(reader, said, dates)
    view = PersonView(
        item=item,
        addresses=[(one.value, address_text(one.value)) for one in addresses],
        people=people,
        said=said,
        nameless=said.text("name") if said.act == FIND and not people else "",
        mistake=mistake,
    )
    return await page_of(site, request, reader, "person.html", "quarantine", status, person=view)


async def _people(reader: Reader, said: Said, dates: Dates) -> list[PersonFound]:
    """Who was ticked, and whom a search finds."""
    ticked = await people_of(reader, said.who, dates)
    found = await find_people(reader, said.text("name"), dates) if said.text("name") else []
    return list({one.who: one for one in (*ticked, *found)}.values())
