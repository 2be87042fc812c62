"""What every page needs of its site, and the plain page of those who stand outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import HTMLResponse

from threadwell.channels.channel import Channel
from threadwell.fhir.stamp import now_ms
from threadwell.inbox.news import News
from threadwell.inbox.render import render
from threadwell.inbox.words import Badges
from threadwell.intake.chat.typing import Typing
from threadwell.stores.contract import Store
from threadwell.users.passwords import shared
from threadwell.users.signing_in import SigningIn


@dataclass(frozen=True, slots=True)
class Site:
    """One project of a store.

    ``origin`` is where browsers reach its pages: ``https://host``. ``badges`` are those of the
    channels that there are, and ``labels`` what people call these, by name.
    """

    store: Store
    project: str
    origin: str
    badges: Badges
    labels: Mapping[str, str]
    news: News
    channels: Mapping[str, Channel]
    typing: Typing

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
    def signing_in(self) -> SigningIn:
        """Where people prove who they are."""
        return SigningIn(self.store, self.project, shared(), now_ms)

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
) -> HTMLResponse:
    """A page without anything of the practice on it; its ``button`` posts to where it is.

    It goes ``onward`` by itself.
    """
    page = render(
        "door.html",
        title=title,
        paragraphs=paragraphs,
        command=command,
        button=button,
        back=back,
        onward=onward,
    )
    return HTMLResponse(page, status)
