"""What Telnyx delivers: an event, with the message that it is about."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from threadwell.calls.call import Called
from threadwell.channels.account import Account
from threadwell.channels.asking import call_for
from threadwell.channels.delivery import Delivery
from threadwell.channels.halves import NOTE
from threadwell.channels.instants import parse_instant
from threadwell.channels.keywords import wish_of
from threadwell.channels.live import (
    Arrived,
    Heard,
    Remote,
    State,
    Status,
    Step,
    Wished,
    file_of,
)
from threadwell.channels.objects import decode_object
from threadwell.channels.records import maps_of, text_of
from threadwell.messages import (
    Address,
    AddressKind,
    Attachment,
    Broken,
    Message,
    media_type_of,
    parse_phone,
)

NAME = "telnyx"

_STATES = {
    **dict.fromkeys(("queued", "sending"), State.QUEUED),
    # No carrier has said more, and none will.
    **dict.fromkeys(("sent", "delivery_unconfirmed"), State.SENT),
    "delivered": State.DELIVERED,
    **dict.fromkeys(("sending_failed", "delivery_failed", "expired"), State.FAILED),
}
_RECEIVED = "message.received"
_SENT = ("message.sent", "message.finalized")
#: What Telnyx has answered by itself; the words for it may be those of the account.
_TOLD = {"OPT_OUT": "STOP", "OPT_IN": "START", "INFO": "HELP"}
_NOT_THERE = "is at Telnyx, and has not come from there"
_REPLACED = "\ufffd"


def parse(delivery: Delivery, account: Account, country: str) -> Iterator[Heard]:
    """What a delivery of Telnyx holds."""
    decoded = decode_object(delivery.body)
    event = decoded.value.get("data") if decoded else None
    payload = event.get("payload") if isinstance(event, dict) else None
    if decoded is None or not isinstance(event, dict) or not isinstance(payload, dict):
        yield _broken(delivery, account, "is damaged, or no delivery of Telnyx")
        return
    kind = text_of(event, "event_type")
    if kind == _RECEIVED:
        yield from _message(event, payload, decoded.halves, delivery, account, country)
    elif kind in _SENT and (told := list(_statuses(event, payload, delivery, country))):
        yield from told
    else:
        reason = "an event of Telnyx that is no message"
        yield _broken(delivery, account, reason, set_aside=True)


def fetch(remote: Remote, account: Account, answer: Called | None) -> Step:
    """The next step for a file: whoever has its URL may ask for it."""
    return call_for(remote.place, account, (), {}) if answer is None else file_of(answer)


def _message(
    event: dict[str, Any],
    payload: dict[str, Any],
    halves: bool,
    delivery: Delivery,
    account: Account,
    country: str,
) -> Iterator[Heard]:
    message_id = text_of(payload, "id").strip().lower()
    sender = _end(payload.get("from"), country)
    to = [end for one in maps_of(payload.get("to")) if (end := _end(one, country))]
    cc = [end for one in maps_of(payload.get("cc")) if (end := _end(one, country))]
    if not message_id or sender is None or not to:
        yield _broken(delivery, account, "it does not say who wrote to whom")
        return
    own = _own(to, account)
    recipients = list({end.key: end for end in (*to, *cc)}.values())
    others = {end.key[1] for end in (sender, *recipients) if end.key != own.key}
    sent = parse_instant(text_of(payload, "received_at")) or parse_instant(
        text_of(event, "occurred_at")
    )
    text = text_of(payload, "text")
    media = [one for one in maps_of(payload.get("media")) if text_of(one, "url")]
    message = Message(
        channel=NAME,
        external_id=message_id,
        sender=sender,
        recipients=tuple(recipients),
        sent=sent or delivery.received,
        received=delivery.received,
        text=text,
        new_text=text,
        subject=text_of(payload, "subject"),
        thread_hint=",".join([*sorted(others), own.key[1]]),
        attachments=tuple(map(_file, media)),
        medium="MMSWRIT" if media or text_of(payload, "type").upper() == "MMS" else "",
        notes=(NOTE,) if halves and _REPLACED in text else (),
        made_id=True,
        on_arrival=sent is None,
        ours=(own,),
    )
    files = tuple(Remote(text_of(one, "url"), at) for at, one in enumerate(media))
    yield Arrived(message, files) if files else message
    told = text_of(payload, "autoresponse_type").upper()
    wish = wish_of(text, _TOLD.get(told, told))
    if wish is not None:
        yield Wished(NAME, message_id, sender, own, wish, message.sent)


def _statuses(
    event: dict[str, Any], payload: dict[str, Any], delivery: Delivery, country: str
) -> Iterator[Status]:
    message_id = text_of(payload, "id").strip().lower()
    names = (
        ("completed_at", "sent_at") if text_of(event, "event_type") == _SENT[1] else ("sent_at",)
    )
    said = (*(text_of(payload, name) for name in names), text_of(event, "occurred_at"))
    at = next(filter(None, map(parse_instant, said)), delivery.received)
    codes = [text_of(error, "code") for error in maps_of(payload.get("errors"))]
    for one in maps_of(payload.get("to")):
        state = _STATES.get(text_of(one, "status"))
        if message_id and state:
            code = next(filter(None, codes), "") if state is State.FAILED else ""
            yield Status(NAME, message_id, state, at, code, _end(one, country))


def _end(one: object, country: str) -> Address | None:
    """One end of a message: a number, a short code, or a name as its sender."""
    said = text_of(one, "phone_number").strip() if isinstance(one, dict) else ""
    phone = parse_phone(said, country)
    return phone or (Address(AddressKind.OTHER, f"sms:{said}") if said else None)


def _own(to: Sequence[Address], account: Account) -> Address:
    """The practice's number, of those to which a message went."""
    known = {address.key for address in account.addresses}
    return next((end for end in to if end.key in known), to[0])


def _file(media: dict[str, Any]) -> Attachment:
    type_ = text_of(media, "content_type")
    type_ = media_type_of(type_) if type_ else ""
    try:
        name = urlsplit(text_of(media, "url")).path.rpartition("/")[2]
    except ValueError:
        name = ""
    name = name or "file"
    extension = mimetypes.guess_extension(type_.partition(";")[0]) or ""
    return Attachment(name if "." in name else name + extension, type_, None, _NOT_THERE)


def _broken(
    delivery: Delivery, account: Account, reason: str, *, set_aside: bool = False
) -> Broken:
    where = f"a delivery to {account.name}"
    return Broken(NAME, where, reason, delivery.body, "application/json", set_aside=set_aside)
