"""SendGrid's Inbound Parse: a form with the mail taken apart, or whole ("POST the raw message")."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from threadwell.channels.delivery import Delivery
from threadwell.channels.email.hooks.again import MailFile, again, header_of
from threadwell.channels.email.hooks.checks import check_password
from threadwell.channels.email.hooks.form import Form, read_form
from threadwell.channels.email.hooks.provider import Found, Mail, Provider, Unread


def read(delivery: Delivery) -> Iterator[Found]:
    """The mail of a delivery."""
    form = read_form(delivery)
    if form is None:
        yield Unread("it is no form")
    elif form.fields.get("email"):
        yield Mail(form.fields["email"])
    elif form.fields.get("headers"):
        charsets = _object(form, "charsets")

        def text(name: str) -> str:
            return form.text(name, str(charsets.get(name, "utf-8")))

        files = _files(form)
        yield Mail(again(header_of(text("headers")), text("text"), text("html"), files))
    else:
        yield Unread("it has neither a mail nor the header of one")


def _files(form: Form) -> list[MailFile]:
    about = _object(form, "attachment-info")
    files = []
    for file in form.files:
        told = about.get(file.field)
        known: dict[str, Any] = told if isinstance(told, dict) else {}
        files.append(
            MailFile(
                str(known.get("filename") or file.filename),
                str(known.get("type") or file.content_type),
                file.content,
                str(known.get("content-id") or "").strip("<>"),
            )
        )
    return files


def _object(form: Form, name: str) -> dict[str, Any]:
    try:
        found = json.loads(form.fields.get(name) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


SENDGRID = Provider(check_password, read)
