"""Templates to HTML. Everything that goes into a page is escaped."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from threadwell.inbox import words
from threadwell.intake.reports.wanted import STATUSES

#: The files that a page links to, and their types.
STATIC = {
    "inbox.css": "text/css; charset=utf-8",
    "acts.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "live.js": "text/javascript; charset=utf-8",
    "sending.js": "text/javascript; charset=utf-8",
    "split.js": "text/javascript; charset=utf-8",
    "keys.js": "text/javascript; charset=utf-8",
    "saved.js": "text/javascript; charset=utf-8",
    "passkey.js": "text/javascript; charset=utf-8",
}


def render(template: str, **values: Any) -> str:
    """The page of a template in ``templates/``."""
    return _environment().get_template(template).render(values)


def render_page(template: str, status: int, **values: Any) -> HTMLResponse:
    """The same as an answer."""
    return HTMLResponse(render(template, **values), status)


@cache
def static_file(name: str) -> bytes:
    """The bytes of one of ``STATIC``."""
    return (files("threadwell.inbox") / "static" / name).read_bytes()


@cache
def static_url(name: str) -> str:
    """Where a page finds one of ``STATIC``; the URL changes with the content."""
    return f"/static/{name}?v={sha256(static_file(name)).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("threadwell.inbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=words.count,
        number=words.number,
        split_commands=words.split_commands,
        initials=words.initials,
        hue=words.hue,
    )
    environment.globals.update(
        stylesheet=static_url("inbox.css"),
        acts_stylesheet=static_url("acts.css"),
        icon=static_url("icon.svg"),
        script=static_url("live.js"),
        sending_script=static_url("sending.js"),
        split_script=static_url("split.js"),
        keys_script=static_url("keys.js"),
        saved_script=static_url("saved.js"),
        passkey_script=static_url("passkey.js"),
        statuses={name: name.capitalize() for name in STATUSES},
    )
    return environment
