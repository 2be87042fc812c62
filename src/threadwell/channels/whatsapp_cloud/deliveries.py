"""A delivery holds entries of changes, and a change any number of messages and statuses.

Meta groups them anew where it delivers again, so each is read on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.halves import NOTE
from threadwell.channels.keywords import only_word, wish_of
from threadwell.channels.live import Arrived, Heard, State, Status, Wished
from threadwell.channels.objects import decode_object
from threadwell.channels.records import Refused, maps_of, text_of
from threadwell.channels.whatsapp_cloud.message import Beside, read_message, read_withdrawn
from threadwell.channels.whatsapp_cloud.values import (
    NAME,
    map_of,
    own_of,
    parse_person,
    parse_time,
    word_of,
    written,
)
from threadwell.messages import Broken, Message

_OBJECT = "whatsapp_business_account"
_STATES = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.READ,
    # Somebody has listened to a recording.
    "played": State.READ,
    "failed": State.FAILED,
}
_DAMAGED = "is damaged, or no delivery of WhatsApp"
#: Members of a change that are lists of messages, and whether the practice has sent these.
_MESSAGES = {"messages": False, "message_echoes": True}
#: What half of a character becomes.
_REPLACED = "\ufffd"
#: Words of a person alone can be a wish.
_SAID = ("text", "button")
#: No carrier stops messages here, and "cancel" or "yes" is the answer to a question as well.
_WISHES = frozenset(
    (
        *("stop", "stopall", "stop all", "unsubscribe", "optout", "opt out", "opt-out"),
        *("arret", "arrêt", "start", "unstop", "help"),
    )
)


def parse(delivery: Delivery, account: Account, country: str) -> Iterator[Heard]:
    """What a delivery of Meta holds."""
    decoded = decode_object(delivery.body)
    if decoded is None or not _is_filled(decoded.value.get("entry")):
        yield _broken(account, _DAMAGED, delivery.body)
        return
    whole = decoded.value
    if text_of(whole, "object") != _OBJECT:
        yield _broken(account, "a delivery about something else", delivery.body, set_aside=True)
        return
    for heard in _entries(whole["entry"], delivery, account, country):
        yield _noted(heard) if decoded.halves else heard


def _entries(
    entries: list[Any], delivery: Delivery, account: Account, country: str
) -> Iterator[Heard]:
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list) or not changes:
            yield _broken(account, _DAMAGED, written(entry))
            continue
        for change in changes:
            value = change.get("value") if isinstance(change, dict) else None
            if isinstance(value, dict):
                yield from _change(change, value, delivery, account, country)
            else:
                yield _broken(account, _DAMAGED, written(change))


def _change(
    change: dict[str, Any],
    value: dict[str, Any],
    delivery: Delivery,
    account: Account,
    country: str,
) -> Iterator[Heard]:
    own = own_of(value, account.addresses, country)
    beside = Beside(own, _names(value), delivery.received, country)
    found = False
    for member, sent in _MESSAGES.items():
        for record in _list(value, member):
            found = True
            yield from _message(record, replace(beside, sent=sent), account)
    for record in _list(value, "statuses"):
        found = True
        yield _status(record, beside, account)
    for part in _list(value, "history"):
        found = True
        yield from _history(part, beside, account)
    for error in _list(value, "errors"):
        found = True
        yield _broken(account, "an error at WhatsApp", written(error), set_aside=True)
    if not found:
        reason = "news of the account, and no message"
        yield _broken(account, reason, written(change), set_aside=True)


def _history(part: Any, beside: Beside, account: Account) -> Iterator[Heard]:
    """Chats of the phone from before it was connected, each with its other side."""
    threads = part.get("threads") if isinstance(part, dict) else None
    if not isinstance(threads, list) or not threads:
        yield _broken(account, "no chats of before", written(part), set_aside=True)
        return
    for thread in threads:
        if not (isinstance(thread, dict) and isinstance(thread.get("messages"), list)):
            yield _broken(account, _DAMAGED, written(thread))
            continue
        other = parse_person(thread, "id", "user_id", beside.country)
        for record in thread["messages"]:
            yield from _message(record, replace(beside, to=other), account)


def _message(record: Any, beside: Beside, account: Account) -> Iterator[Heard]:
    if not isinstance(record, dict):
        yield _broken(account, _DAMAGED, written(record))
        return
    read = read_message(record, beside)
    if isinstance(read, Refused):
        yield _broken(account, read.reason, written(record), set_aside=read.set_aside)
        if withdrawn := read_withdrawn(record, beside):
            yield withdrawn
        return
    yield read
    message = read.message if isinstance(read, Arrived) else read
    plain = only_word(message.text) in _WISHES
    wish = wish_of(message.text) if plain and text_of(record, "type") in _SAID else None
    if wish is not None and message.sender.key != beside.own.key:
        who = message.sender._replace(display="")
        yield Wished(NAME, message.external_id, who, beside.own, wish, message.sent)


def _status(record: Any, beside: Beside, account: Account) -> Status | Broken:
    if not isinstance(record, dict):
        return _broken(account, _DAMAGED, written(record))
    state = _STATES.get(text_of(record, "status"))
    message_id = word_of(record, "id")
    if state is None or not message_id or text_of(record, "type") == "payment":
        reason = "news of a message that was sent"
        return _broken(account, reason, written(record), set_aside=True)
    codes = [word_of(error, "code") for error in maps_of(record.get("errors"))]
    to = parse_person(record, "recipient_id", "recipient_user_id", beside.country)
    at = parse_time(record) or beside.received
    return Status(NAME, message_id, state, at, next(filter(None, codes), ""), to)


def _names(value: dict[str, Any]) -> dict[str, str]:
    """What people call themselves, by their ids."""
    out = {}
    for contact in maps_of(value.get("contacts")):
        profile = map_of(contact, "profile")
        name = text_of(profile, "name", "username")
        for one in filter(None, (word_of(contact, "wa_id"), word_of(contact, "user_id"))):
            out[one] = name
    return out


def _is_filled(found: object) -> bool:
    return isinstance(found, list) and bool(found)


def _list(value: dict[str, Any], member: str) -> list[Any]:
    found = value.get(member, [])
    return found if isinstance(found, list) else [found]


def _noted(heard: Heard) -> Heard:
    """With a note, where letters of it were damaged."""
    message = heard.message if isinstance(heard, Arrived) else heard
    if not isinstance(message, Message) or _REPLACED not in message.text:
        return heard
    message = replace(message, notes=(*message.notes, NOTE))
    return replace(heard, message=message) if isinstance(heard, Arrived) else message


def _broken(account: Account, reason: str, content: bytes, *, set_aside: bool = False) -> Broken:
    where = f"a delivery to {account.name}"
    return Broken(NAME, where, reason, content, "application/json", set_aside=set_aside)
