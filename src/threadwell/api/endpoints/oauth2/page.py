"""The page that asks somebody whether an app may, and that of a request nobody can answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from threadwell.access.scopes import Scope, parse_scope
from threadwell.api.exchange import Answer

_LETTERS = {
    "c": "create",
    "r": "read",
    "u": "change",
    "d": "delete",
    "s": "search",
}
_PLAIN = {
    "offline_access": "do so when you are not there, for up to 90 days",
}


def page(
    status: int,
    title: str,
    *paragraphs: str,
    login: str = "",
    scopes: Sequence[str] = (),
    wants_patient: bool = False,
    leads_to: str = "",
) -> Answer:
    """A page; with a ``login`` it asks whether the app at ``leads_to`` may have the scopes."""
    asked = [(text, words) for text in scopes if (words := in_words(text))]
    body = _template().render(
        title=title,
        paragraphs=paragraphs,
        login=login,
        scopes=asked,
        wants_patient=wants_patient,
    )
    # Browsers apply it to where a form leads in the end, too.
    action = " ".join(["'self'", *([_origin(leads_to)] if leads_to else [])])
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {action}"
    )
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", policy.encode("latin-1", "replace")),
        # What is in the URL is nobody else's; the form says where it is from all the same.
        (b"referrer-policy", b"same-origin"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    ]
    return Answer(status, headers, body.encode())


def in_words(text: str) -> str:
    """What an app may by a scope, told to a person; ``""`` where that needs no asking."""
    scope = parse_scope(text)
    return _PLAIN.get(text, "") if scope is None else _words(scope)


def _words(scope: Scope) -> str:
    what = "everything" if scope.type == "*" else f"{scope.type} resources"
    doing = ", ".join(_LETTERS[letter] for letter in scope.letters)
    whose = {
        "patient": "of the patient",
        "user": "that you may see",
        "system": "that it may see",
    }[scope.context]
    which = f" with {scope.query}" if scope.query else ""
    return f"{doing}: {what} {whose}{which}"


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("threadwell.api.endpoints.oauth2"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("door.html")
