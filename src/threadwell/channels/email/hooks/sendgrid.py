"""SendGrid: Inbound Parse, a form with the mail taken apart or whole, and what became of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadwell.channels.delivery import Delivery
from threadwell.channels.email.hooks.again import MailFile, Text, again, header_of
from threadwell.channels.email.hooks.checks import check_password
from threadwell.channels.email.hooks.events import of_sendgrid
from threadwell.channels.email.hooks.form import Form, numbered, read_form
from threadwell.channels.email.hooks.provider import (
    CUT_OFF,
    NO_MAIL,
    Found,
    Mail,
    Provider,
    Unread,
    read_json,
)


def read(delivery: Delivery) -> Iterator[Found]:
    """The mail of a delivery, or what it tells of those that were sent."""
    if delivery.content_type == "application/json":
        yield from of_sendgrid(read_json(delivery.body), delivery.received)
        return
    form = read_form(delivery)
    if form is None:
        yield Unread("it is no form")
    elif not form.whole:
        yield Unread(CUT_OFF)
    elif form.fields.get("email"):
        yield Mail(form.fields["email"])
    elif header := header_of(form.fields.get("headers", b"")):
        charsets = _object(form, "charsets")
        text, html = (_text(form, name, charsets) for name in ("text", "html"))
        yield Mail(again(header, text, html, _files(form)))
    else:
        yield Unread(NO_MAIL)


def _text(form: Form, name: str, charsets: dict[str, Any]) -> Text:
    return Text(form.fields.get(name, b""), str(charsets.get(name) or "utf-8"))


def _files(form: Form) -> list[MailFile]:
    about = _object(form, "attachment-info")
    files = []
    for file in numbered(form, "attachment"):
        told = about.get(file.field)
        known: dict[str, Any] = told if isinstance(told, dict) else {}
        files.append(
            MailFile(
                str(known.get("filename") or known.get("name") or file.filename),
                str(known.get("type") or file.content_type),
                file.content,
                str(known.get("content-id") or "").strip("<>"),
            )
        )
    return files


def _object(form: Form, name: str) -> dict[str, Any]:
    found = read_json(form.fields.get(name, b""))
    return found if isinstance(found, dict) else {}


SENDGRID = Provider(check_password, read, ("user", "password"))
