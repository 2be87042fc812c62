"""The example page, served where an account asks for it: plain files, without a build step."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from threadwell.api.exchange import Answer
from threadwell.channels.account import Account
from threadwell.intake.chat.refused import ChatRefused

_TYPES = {
    "": b"text/html; charset=utf-8",
    "chat.css": b"text/css; charset=utf-8",
    "chat.js": b"text/javascript; charset=utf-8",
}
_HEADERS = [
    (b"cache-control", b"no-cache"),
    # Files of messages are shown out of the page's own memory (blob:).
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


def is_of_page(rest: list[str]) -> bool:
    """Whether a path below an account's is one of the page."""
    return len(rest) == 1 and rest[0] in _TYPES


def page(account: Account, name: str) -> Answer:
    """A file of the page, ``""`` for the page itself, if the account has it served."""
    if account.value("page") != "yes":
        raise ChatRefused("not-found", "this account serves no page (--set page=yes)", "path")
    return Answer(200, [(b"content-type", _TYPES[name]), *_HEADERS], _read(name or "index.html"))


@cache
def _read(name: str) -> bytes:
    return (files(__package__) / name).read_bytes()
