"""What every page needs of its site, and the plain page of those who stand outside."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import HTMLResponse

from threadwell.inbox.render import render
from threadwell.stores.contract import Store


@dataclass(frozen=True, slots=True)
class Site:
    """One project of a store. ``secure`` says that browsers reach its pages over https."""

    store: Store
    project: str
    secure: bool

    @property
    def cookie(self) -> str:
        """The name of the cookie of a browser that is signed in.

        ``__Host-`` makes browsers take it from this host alone, and only over https.
        """
        return "__Host-threadwell" if self.secure else "threadwell"


def door(
    status: int, title: str, *paragraphs: str, command: str = "", back: bool = False
) -> HTMLResponse:
    """A page without anything of the practice on it."""
    page = render("door.html", title=title, paragraphs=paragraphs, command=command, back=back)
    return HTMLResponse(page, status)
