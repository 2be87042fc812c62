"""What every page needs of its site, and the plain page of those who stand outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from starlette.responses import HTMLResponse

from threadwell.access.policy import Policy
from threadwell.access.view import View, Whole
from threadwell.access.witnessed import Witnessed
from threadwell.audit.trail import Trail
from threadwell.channels.channel import Channel
from threadwell.encounters.corrected import Agent
from threadwell.fhir.json import encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import now_ms
from threadwell.inbox.dates import Dates, dates_of
from threadwell.inbox.looking import Looks
from threadwell.inbox.news import News
from threadwell.inbox.reader import Reader
from threadwell.inbox.render import render
from threadwell.inbox.viewing import Viewing
from threadwell.inbox.words import Badges
from threadwell.intake.chat.typing import Typing
from threadwell.intake.links import as_key
from threadwell.intake.practice import kept_settings
from threadwell.intake.seat import Seat, Stand
from threadwell.intake.settings import Settings
from threadwell.projects.hints import marked
from threadwell.projects.registry import FIRST_NAME, project_name
from threadwell.stores.contract import Store
from threadwell.users.outside import Outside
from threadwell.users.passkeys import Passkeys
from threadwell.users.passwords import shared
from threadwell.users.provider_calls import ProviderCalls
from threadwell.users.providers import BACK
from threadwell.users.signing_in import SigningIn
from threadwell.users.webauthn import party_of


class Doors(Protocol):
    """The sites of a server's projects, for those who are not in yet."""

    async def homes(self, email: str) -> list[Site]:
        """Where there are accounts of an address, written in whatever way."""
        ...

    async def site(self, project: str) -> Site | None:
        """Where a project is; ``None`` where there is none of that id."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """One project of a store, as whoever asks sees it.

    ``view`` is what they have of it, and ``policy`` what limits them, ``None`` where nothing does.
    What is shown is recorded in ``trail``. ``whole`` is the store itself: for what is no resource
    (how the practice is set up, who is signed in), and for nothing else.

    ``origin`` is where browsers reach its pages: ``https://host``. ``badges`` are those of the
    channels that there are, and ``labels`` what people call these, by name. ``doors`` lead to the
    sites of other projects. Who listens is looked at by ``looks``.
    """

    view: View
    whole: Store
    project: str
    origin: str
    badges: Badges
    labels: Mapping[str, str]
    news: News
    channels: Mapping[str, Channel]
    typing: Typing
    viewing: Viewing
    trail: Trail
    calls: ProviderCalls
    policy: Policy | None = None
    doors: Doors | None = None
    looks: Looks[Site | None] = field(default_factory=Looks)

    async def seen_by(self, who: str) -> Site:
        """The same as somebody (``Practitioner/…``) sees it by their policy, if they have one."""
        limit = await self.viewing.of(who)
        if limit is None:
            return replace(self, view=Whole(self.whole), policy=None)
        view = Witnessed(self.whole, self.project, *limit)
        return replace(self, view=view, policy=limit.policy)

    def reader(self) -> Reader:
        """Reads what the caller sees, for one page."""
        return Reader(self.whole, self.project, self.view, self.policy)

    async def name(self) -> str:
        """What people call the project, ``""`` where nobody has given it a name."""
        name = await project_name(self.whole, self.project)
        return "" if name == FIRST_NAME else name

    async def dates(self) -> Dates:
        """How the practice writes days and times."""
        return await dates_of(self.whole)

    async def settings(self) -> Settings:
        """How its sessions are cut, for whoever changes one of them."""
        return await kept_settings(self.whole, self.project, self.labels)

    async def seat(self, store: Store, by: Agent) -> Seat:
        """From where somebody acts on that store; raises ``BadSetting``."""
        return Seat(store, self.project, await self.settings(), by)

    def stand(self, store: Store, by: Agent) -> Stand:
        """From where somebody does to that store what changes no session."""
        return Stand(store, self.project, by)

    async def acting(
        self, *on: str, naming: Iterable[str] = (), writes: Resource | None = None
    ) -> Store:
        """The store, for an act of ``intake`` on those resources (references), each the caller's.

        ``naming`` is what else the act is told of, and ``writes`` a resource that it makes, as far
        as it is known. What is only answered in (``writes``) need not be the caller's to change.
        Raises ``FhirError`` 403 for what they may not do, and 400 or 404 for what they do not see.
        """
        said = encode([{"reference": one} for one in naming if one]) if self.policy else b""
        if not on:
            return await self.view.acting(None, said, writes)
        for one in on:
            await self.view.acting(as_key(one), said, writes)
        return self.whole

    @property
    def secure(self) -> bool:
        """Do browsers reach it over https?"""
        return self.origin.startswith("https:")

    @property
    def cookie(self) -> str:
        """The name of the cookie of a browser that is signed in."""
        return cookie_name(self.origin)

    @property
    def step_cookie(self) -> str:
        """The name of the cookie between the password and the code."""
        return f"{self.cookie}-step"

    @property
    def known_cookie(self) -> str:
        """The name of the cookie by which a browser is known in which somebody has signed in."""
        return f"{self.cookie}-known"

    @property
    def passkey_cookie(self) -> str:
        """The name of the cookie of a browser that is asked for a passkey."""
        return f"{self.cookie}-passkey"

    @property
    def outside_cookie(self) -> str:
        """The name of the cookie of a browser that was sent to an outside provider."""
        return f"{self.cookie}-outside"

    @property
    def outside(self) -> Outside:
        """The way by outside providers."""
        return Outside(self.whole, self.project, self.calls, now_ms)

    def back_url(self, provider: str) -> str:
        """Where an outside provider sends browsers back to."""
        return f"{self.origin}{BACK}/{self.marked(provider)}"

    def marked(self, provider: str) -> str:
        """The name of a provider in paths, which leads to the project."""
        return marked(provider, self.project)

    @property
    def passkeys(self) -> Passkeys | None:
        """Those of its accounts; ``None`` where browsers know none at its address."""
        party = party_of(self.origin)
        return Passkeys(self.whole, self.project, party, now_ms) if party else None

    @property
    def signing_in(self) -> SigningIn:
        """Where people prove who they are."""
        return SigningIn(self.whole, self.project, shared(), now_ms)

    @property
    def wanted_cookie(self) -> str:
        """The name of the cookie that keeps which page a browser wanted before it signed in."""
        return f"{self.cookie}-wanted"


def cookie_name(origin: str) -> str:
    """The name of the cookie of a browser that is signed in to pages of that origin.

    ``__Host-`` makes browsers take it from this host alone, and only over https.
    """
    return "__Host-threadwell" if origin.startswith("https:") else "threadwell"


def door(
    status: int,
    title: str,
    *paragraphs: str,
    command: str = "",
    button: str = "",
    back: bool = False,
    onward: str = "",
    link: tuple[str, str] | None = None,
    typed: Sequence[str] = (),
    cut: bool = False,
) -> HTMLResponse:
    """A page without anything of the practice on it; its ``button`` posts to where it is.

    It goes ``onward`` by itself. ``link`` is what a link says, and where it leads. ``typed`` is
    what whoever looks has written, where it could not be taken, ``cut`` where that is not all.
    """
    page = render(
        "door.html",
        title=title,
        paragraphs=paragraphs,
        command=command,
        button=button,
        back=back,
        onward=onward,
        link=link,
        typed=typed,
        cut=cut,
    )
    return HTMLResponse(page, status)
