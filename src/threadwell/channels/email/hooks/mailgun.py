"""Mailgun: routes that forward mails, taken apart or whole, and webhooks that tell of sent ones."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.email.hooks.again import MailFile, again
from threadwell.channels.email.hooks.form import Form, read_form
from threadwell.channels.email.hooks.provider import Found, Mail, Provider, Unread
from threadwell.channels.live import State, Status
from threadwell.messages import Address, Attachment, parse_email

NO_KEY = Refused("the account has no signing key")
UNSIGNED = Refused("it has no signature")
NOT_SIGNED_SO = Refused("the signature is not one by the account's signing key")
_KEPT = "is kept by Mailgun: a route has to forward mails, not to store them"
_STATES = {
    "accepted": State.QUEUED,
    "delivered": State.DELIVERED,
    "opened": State.READ,
    "failed": State.FAILED,
    "rejected": State.FAILED,
}


def verify(delivery: Delivery, account: Account) -> Refused | None:
    """By the HMAC of a time and a token under the account's signing key."""
    key = account.value("signing-key")
    if not key:
        return NO_KEY
    signed = _signature(delivery)
    timestamp, token, signature = (
        str(signed.get(n, "")) for n in ("timestamp", "token", "signature")
    )
    if not (timestamp and token and signature):
        return UNSIGNED
    wanted = hmac.new(key.encode(), f"{timestamp}{token}".encode(), sha256).hexdigest()
    return None if hmac.compare_digest(wanted.encode(), signature.encode()) else NOT_SIGNED_SO


def read(delivery: Delivery) -> Iterator[Found]:
    """The mail of a delivery, or what it tells of one that was sent."""
    if delivery.content_type == "application/json":
        yield _status(_object(delivery.body).get("event-data"), delivery.received)
        return
    form = read_form(delivery)
    if form is None:
        yield Unread("it is neither a form nor JSON")
    elif form.fields.get("body-mime"):
        yield Mail(form.fields["body-mime"])
    elif header := _header(form):
        raw = again(header, form.text("body-plain"), form.text("body-html"), _files(form))
        yield Mail(raw, _stored(form))
    else:
        yield Unread("it has neither a mail nor the header of one")


def _signature(delivery: Delivery) -> Mapping[str, Any]:
    if delivery.content_type == "application/json":
        signed = _object(delivery.body).get("signature")
        return signed if isinstance(signed, dict) else {}
    form = read_form(delivery)
    if form is None:
        return {}
    return {name: form.text(name) for name in ("timestamp", "token", "signature")}


def _header(form: Form) -> list[tuple[str, str]]:
    try:
        pairs = json.loads(form.fields.get("message-headers") or b"[]")
    except (ValueError, RecursionError):
        return []
    if not isinstance(pairs, list):
        return []
    two = (pair for pair in pairs if isinstance(pair, list) and len(pair) == 2)
    return [(str(name), str(value)) for name, value in two]


def _files(form: Form) -> list[MailFile]:
    ids = {str(field): str(id_).strip("<>") for id_, field in _map(form, "content-id-map").items()}
    return [
        MailFile(one.filename, one.content_type, one.content, ids.get(one.field, ""))
        for one in form.files
    ]


def _stored(form: Form) -> tuple[Attachment, ...]:
    try:
        kept = json.loads(form.fields.get("attachments") or b"[]")
    except (ValueError, RecursionError):
        return ()
    files = [one for one in kept if isinstance(one, dict)] if isinstance(kept, list) else []
    return tuple(
        Attachment(
            str(one.get("name") or "attachment"),
            str(one.get("content-type") or "application/octet-stream"),
            None,
            _KEPT,
        )
        for one in files
    )


def _status(event: Any, received: datetime) -> Found:
    if not isinstance(event, dict):
        return Unread("it tells of no event")
    message = event.get("message")
    headers = message.get("headers") if isinstance(message, dict) else None
    id_ = str(headers.get("message-id") or "") if isinstance(headers, dict) else ""
    state = _STATES.get(str(event.get("event")))
    temporary = event.get("severity") == "temporary"
    if not id_ or state is None or temporary:
        return Unread("it tells of an event that changes nothing", set_aside=True)
    told = event.get("delivery-status")
    code = str(told.get("code") or "") if isinstance(told, dict) else ""
    at = event.get("timestamp")
    when = datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) and at > 0 else received
    who = parse_email(str(event.get("recipient") or ""))
    recipient = who if isinstance(who, Address) else None
    code = code if state is State.FAILED else ""
    return Status("email", id_.strip("<>"), state, when, code, recipient)


def _map(form: Form, name: str) -> dict[str, Any]:
    return _object(form.fields.get(name) or b"{}")


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


MAILGUN = Provider(verify, read)
