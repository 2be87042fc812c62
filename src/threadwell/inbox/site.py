"""What every page needs of its site, and the plain page of those who stand outside."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import HTMLResponse

from threadwell.inbox.render import render
from threadwell.stores.contract import Store


@dataclass(frozen=True, slots=True)
class Site:
    """One project of a store."""

    store: Store
    project: str


def door(
    status: int, title: str, *paragraphs: str, command: str = "", back: bool = False
) -> HTMLResponse:
    """A page without anything of the practice on it."""
    page = render("door.html", title=title, paragraphs=paragraphs, command=command, back=back)
    return HTMLResponse(page, status)
