"""Mailgun: routes that forward mails, taken apart or whole, and webhooks that tell of sent ones."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.email.hooks.again import MailFile, Text, again
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
from threadwell.channels.live import State, Status
from threadwell.messages import Address, Attachment, parse_email

NO_KEY = Refused("the account has no signing key")
UNSIGNED = Refused("it has no signature")
NOT_SIGNED_SO = Refused("the signature is not one by the account's signing key")
_KEPT = "is kept by Mailgun: a route has to forward mails, not to store them"
_OLDER = {"bounced": "failed", "dropped": "failed"}
#: The year 9999 begins then.
_LATEST = 253_370_764_800
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
    elif not form.whole:
        yield Unread(CUT_OFF)
    elif form.fields.get("body-mime"):
        yield Mail(form.fields["body-mime"])
    elif form.fields.get("event"):
        yield _status(_older_event(form), delivery.received)
    elif header := _header(form):
        text, html = (_text(form, name) for name in ("body-plain", "body-html"))
        yield Mail(again(header, text, html, _files(form)), _stored(form))
    else:
        yield Unread(NO_MAIL)


def _signature(delivery: Delivery) -> Mapping[str, Any]:
    if delivery.content_type == "application/json":
        signed = _object(delivery.body).get("signature")
        return signed if isinstance(signed, dict) else {}
    form = read_form(delivery)
    if form is None:
        return {}
    return {name: form.text(name) for name in ("timestamp", "token", "signature")}


def _header(form: Form) -> list[tuple[str, str]]:
    pairs = read_json(form.fields.get("message-headers", b""))
    if not isinstance(pairs, list):
        return []
    two = (pair for pair in pairs if isinstance(pair, list) and len(pair) == 2)
    return [(str(name), str(value)) for name, value in two]


def _text(form: Form, name: str) -> Text:
    return Text(form.fields.get(name, b""), form.charsets.get(name, "utf-8"))


def _files(form: Form) -> list[MailFile]:
    ids = {
        str(field): str(id_).strip("<>")
        for id_, field in _object(form.fields.get("content-id-map", b"")).items()
    }
    return [
        MailFile(one.filename, one.content_type, one.content, ids.get(one.field, ""))
        for one in numbered(form, "attachment")
    ]


def _stored(form: Form) -> tuple[Attachment, ...]:
    kept = read_json(form.fields.get("attachments", b""))
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
    when = _when(event.get("timestamp")) or received
    who = parse_email(str(event.get("recipient") or ""))
    recipient = who if isinstance(who, Address) else None
    code = code if state is State.FAILED else ""
    return Status("email", id_.strip("<>"), state, when, code, recipient)


def _when(seconds: Any) -> datetime | None:
    if not isinstance(seconds, int | float) or not 0 < seconds < _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _older_event(form: Form) -> dict[str, Any]:
    """What the webhooks before those of today tell, said as they say it."""
    word = form.text("event")
    return {
        "event": _OLDER.get(word, word),
        "recipient": form.text("recipient"),
        "timestamp": _seconds(form.text("timestamp")),
        "message": {"headers": {"message-id": form.text("Message-Id")}},
        "delivery-status": {"code": form.text("code")},
    }


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0


def _object(content: bytes) -> dict[str, Any]:
    found = read_json(content)
    return found if isinstance(found, dict) else {}


MAILGUN = Provider(verify, read, ("signing-key",))
