"""Events of Twilio Conversations, which tell of a message and not of who gets it.

So the conversation is asked who takes part, and Twilio which of its texts the message is: in a
conversation of two it is then that text, with its id (``SM…``), thread and people, as a log or the
webhook of the number has it. Of a group, or a chat without numbers, it keeps its own (``IM…``); of
a group it knows the texts that it was sent by, so that a log brings none of them once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.channel import ReadOptions
from threadwell.channels.delivery import Delivery
from threadwell.channels.live import Arrived, Heard, Remote, State, Status, Withdrawn
from threadwell.channels.objects import decode_object
from threadwell.channels.records import Refused, maps_of
from threadwell.channels.seeking import MOST_TRIES, Later, Sought, found_with
from threadwell.channels.twilio.addresses import DamagedAddress, parse_end
from threadwell.channels.twilio.files import MCS, authorization
from threadwell.channels.twilio.identity import (
    NAME,
    conversation_id,
    parse_account,
    parse_message_id,
)
from threadwell.channels.twilio.logs.times import parse_time
from threadwell.channels.twilio.message import Told, message_of
from threadwell.channels.twilio.signature import form
from threadwell.messages import Address, AddressKind, Attachment, Message
from threadwell.messages.wordings import wording_id

_BASE, _LOG_BASE = "https://conversations.twilio.com", "https://api.twilio.com"
#: How far apart the message of a conversation and its text are told to be made.
_NEAR = timedelta(seconds=60)
#: How often the text is looked for: for a minute and a half. It is made before the event.
_TRIES = 4
_STATES = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.READ,
    "failed": State.FAILED,
    "undelivered": State.FAILED,
}
_ADDED, _UPDATED, _REMOVED = "onMessageAdded", "onMessageUpdated", "onMessageRemoved"
_OF_MESSAGES = frozenset((_ADDED, _UPDATED, _REMOVED))
_NOT_THERE = "is at Twilio, and has not come from there"
_NOBODY = "nobody takes part in its conversation any more, so nothing tells who wrote to whom"
NO_MESSAGE = "an event of a conversation that is no message"
_NO_IDS = "an event of a conversation without its ids"


class _Participant(NamedTuple):
    """One who takes part: by an ``address`` to which texts go from ``own``, or by an identity."""

    sid: str
    identity: str
    address: str
    own: str


class _Found(NamedTuple):
    """What was found: who takes part, and the text that the message is, with what that says.

    In a group it is several: a text from its sender, and one to each of the others.
    """

    people: tuple[_Participant, ...]
    id: str = ""
    body: str | None = None
    texts: tuple[str, ...] = ()


def is_event(said: Mapping[str, str]) -> bool:
    """Whether a request of Twilio is an event of Conversations."""
    return "EventType" in said and "ConversationSid" in said


def read_event(
    delivery: Delivery, said: Mapping[str, str], account: Account, country: str
) -> Iterator[Heard | Refused]:
    """What an event holds, or why it is no message."""
    event = said.get("EventType", "")
    message = _id_of(said.get("MessageSid", ""), "IM")
    if event == "onDeliveryUpdated":
        state = _STATES.get(said.get("Status", "").lower())
        id_ = parse_message_id(said.get("ChannelMessageSid", "")) or message
        if state is None or not id_:
            yield Refused(NO_MESSAGE, set_aside=True)
            return
        at = _when(said.get("DateUpdated", "")) or delivery.received
        yield Status(NAME, id_, state, at, _code(said.get("ErrorCode", "")))
    elif event not in _OF_MESSAGES:
        yield Refused(NO_MESSAGE, set_aside=True)
    elif not message or not _id_of(said["ConversationSid"], "CH"):
        yield Refused(_NO_IDS)
    elif (found := found_with(delivery)) is None:
        yield Sought()
    else:
        yield from _heard(event, delivery, said, _read_found(found), account, country)


def seek(
    delivery: Delivery, account: Account, answers: Sequence[Called], tries: int
) -> Call | str | Later:
    """The next step to find out who takes part, and which text the message is."""
    said, last = dict(form(delivery)), tries >= MOST_TRIES
    conversation, message = _id_of(said["ConversationSid"], "CH"), _id_of(said["MessageSid"], "IM")
    headers = {"Authorization": authorization(account)}
    base = account.value("api_url").rstrip("/") or _BASE
    place = f"{base}/v1/Conversations/{quote(conversation, '')}"
    if not answers:
        return Call("GET", f"{place}/Participants?PageSize=100", headers)
    if answers[0].status not in (200, 404) and not last:
        return Later("Twilio does not say who takes part in a conversation")
    people = _participants(answers[0])
    pair = _pair(people)
    if pair is None:
        return _texts_of(people, said, place, message, account, answers, headers, tries)
    inbound = said.get("Author", "") == pair.address
    if len(answers) == 1:
        if not inbound:
            return Call("GET", f"{place}/Messages/{quote(message, '')}/Receipts", headers)
        return Call("GET", _log_of(pair, said, account), headers)
    if answers[1].status != 200 and not last:
        return Later("Twilio does not say which text a message is")
    if inbound:
        id_, body = _logged(answers[1], said)
    else:
        ids = (
            str(one.get("channel_message_sid")) for one in _list(answers[1], "delivery_receipts")
        )
        id_, body = next(filter(None, map(parse_message_id, ids)), ""), None
    if not id_ and tries < _TRIES:
        return Later("Twilio has no text yet for a message of a conversation")
    return _written(_Found(people, id_, body))


def _texts_of(
    people: tuple[_Participant, ...],
    said: Mapping[str, str],
    place: str,
    message: str,
    account: Account,
    answers: Sequence[Called],
    headers: Mapping[str, str],
    tries: int,
) -> Call | str | Later:
    """The next step to find the texts of a group's message."""
    numbers = [one for one in people if one.address]
    author = next((one for one in numbers if one.address == said.get("Author", "")), None)
    own = next((one.own for one in numbers if one.own), "")
    if not numbers or not own:
        return _written(_Found(people))
    if len(answers) == 1:
        return Call("GET", f"{place}/Messages/{quote(message, '')}/Receipts", headers)
    if author is not None and len(answers) == 2:
        return Call("GET", _log_of(author._replace(own=own), said, account), headers)
    told = [one for one in answers[1:] if one.status == 200]
    if len(told) < len(answers) - 1 and tries < MOST_TRIES:
        return Later("Twilio does not say which texts a message of a group is")
    receipts = _list(answers[1], "delivery_receipts") if answers[1].status == 200 else []
    ids = [parse_message_id(str(one.get("channel_message_sid"))) for one in receipts]
    if author is not None and answers[2].status == 200:
        ids.append(_logged(answers[2], said)[0])
    # One text may go to several at once: then their receipts name the same.
    every = list(filter(None, ids))
    texts = tuple(dict.fromkeys(every))
    if len(every) < len(numbers) and tries < _TRIES:
        return Later("Twilio has not all texts yet of a message of a group")
    return _written(_Found(people, texts=texts))


def _heard(
    event: str,
    delivery: Delivery,
    said: Mapping[str, str],
    found: _Found,
    account: Account,
    country: str,
) -> Iterator[Heard | Refused]:
    first = _message(delivery, said, found, account, country)
    if isinstance(first, Refused):
        yield first
    elif event == _REMOVED:
        yield Withdrawn(NAME, first.external_id, first.sender._replace(display=""))
    elif event == _UPDATED:
        at = _when(said.get("DateUpdated", "")) or delivery.received
        id_ = wording_id(first.external_id, first.text, at=at)
        yield replace(
            first,
            external_id=id_,
            edited=at,
            in_reply_to=first.external_id,
            attachments=(),
            also=(),
        )
    elif first.attachments:
        media, service = _media(said), said.get("ChatServiceSid", "")
        yield Arrived(
            first,
            tuple(Remote(f"{MCS}{service}/{one['Sid']}", at) for at, one in enumerate(media)),
        )
    else:
        yield first


def _message(
    delivery: Delivery, said: Mapping[str, str], found: _Found, account: Account, country: str
) -> Message | Refused:
    author, pair = said.get("Author", ""), _pair(found.people)
    sent = _when(said.get("DateCreated", ""))
    files = tuple(
        Attachment(
            str(one.get("Filename") or one["Sid"]),
            str(one.get("ContentType", "")),
            None,
            _NOT_THERE,
        )
        for one in _media(said)
    )
    told = Told(
        id=found.id or _id_of(said["MessageSid"], "IM"),
        from_="",
        to="",
        inbound=True,
        sent=sent or delivery.received,
        body=said.get("Body", ""),
        files=files,
        account=said.get("AccountSid", ""),
    )
    if pair is not None:
        inbound = author == pair.address
        ends = (pair.address, pair.own) if inbound else (pair.own, pair.address)
        told = replace(told, from_=ends[0], to=ends[1], inbound=inbound)
        message = message_of(told, ReadOptions(None, account.addresses, country))
        if isinstance(message, Refused):
            return message
        return replace(message, received=delivery.received, on_arrival=sent is None)
    return _of_several(told, delivery, author, said, found, account, country)


def _of_several(
    told: Told,
    delivery: Delivery,
    author: str,
    said: Mapping[str, str],
    found: _Found,
    account: Account,
    country: str,
) -> Message | Refused:
    """A message of a group, or of a chat in which nobody has a number."""
    numbers = [(one.address, one.own) for one in found.people if one.address]
    own = _address(next((own for _, own in numbers if own), ""), country)
    own = own or next(iter(account.addresses), None)
    people = {address: _address(address, country) for address, _ in numbers}
    if not numbers:
        names = {one.identity for one in found.people if one.identity} | {author}
        people = {name: Address(AddressKind.OTHER, f"{NAME}:{name}") for name in names if name}
    others = {one.key: one for one in people.values() if one is not None}
    if own is None or not others:
        return Refused(_NOBODY)
    sender = people.get(author)
    if not numbers and said.get("Source", "").upper() == "API":
        sender = None
    rest = tuple(one for one in others.values() if sender is None or one.key != sender.key)
    to = rest if sender is None else (own, *rest)
    return Message(
        channel=NAME,
        external_id=told.id,
        sender=sender or own,
        recipients=to or (own,),
        sent=told.sent,
        received=delivery.received,
        text=told.body,
        new_text=told.body,
        thread_hint=_id_of(said["ConversationSid"], "CH"),
        attachments=told.files,
        medium="APPWRIT" if not numbers else "MMSWRIT",
        made_id=True,
        ours=(own,),
        source=parse_account(told.account),
        also=found.texts,
    )


def _pair(people: Sequence[_Participant]) -> _Participant | None:
    """The one other side of a conversation that goes by a number of the practice's."""
    numbers = [one for one in people if one.address]
    return numbers[0] if len(numbers) == 1 and numbers[0].own else None


def _log_of(pair: _Participant, said: Mapping[str, str], account: Account) -> str:
    at = _when(said.get("DateCreated", "")) or datetime.now(UTC)
    query = [
        ("From", pair.address),
        ("To", pair.own),
        ("DateSent>", f"{at - timedelta(days=1):%Y-%m-%d}"),
        ("DateSent<", f"{at + timedelta(days=1):%Y-%m-%d}"),
        ("PageSize", "1000"),
    ]
    base = account.value("api_url").rstrip("/") or _LOG_BASE
    sid = quote(account.value("account_sid"), "")
    return f"{base}/2010-04-01/Accounts/{sid}/Messages.json?{urlencode(query)}"


def _logged(answer: Called, said: Mapping[str, str]) -> tuple[str, str | None]:
    """The text that a message is: the nearest in time, one with the same words before others."""
    at = _when(said.get("DateCreated", ""))
    found = []
    for one in _list(answer, "messages"):
        id_, made = (
            parse_message_id(str(one.get("sid", ""))),
            _when(str(one.get("date_created", ""))),
        )
        if id_ and at and made and abs(made - at) <= _NEAR:
            body = str(one.get("body") or "")
            found.append((body.strip() != said.get("Body", "").strip(), abs(made - at), id_, body))
    if not found:
        return "", None
    other, _, id_, body = min(found)
    # With other words it was edited since, and can only be told where it is the only one.
    return (id_, body) if not other or len(found) == 1 else ("", None)


def _participants(answer: Called) -> tuple[_Participant, ...]:
    out = []
    for one in _list(answer, "participants"):
        binding = one.get("messaging_binding")
        bound = binding if isinstance(binding, dict) else {}
        own = bound.get("proxy_address") or bound.get("projected_address")
        parts = (one.get("sid"), one.get("identity"), bound.get("address"), own)
        out.append(_Participant(*(part if isinstance(part, str) else "" for part in parts)))
    return tuple(out)


def _list(answer: Called, name: str) -> list[dict[str, Any]]:
    decoded = decode_object(answer.body)
    return list(maps_of(decoded.value.get(name))) if decoded else []


def _written(found: _Found) -> str:
    return json.dumps(found)


def _read_found(text: str) -> _Found:
    people, id_, body, *texts = json.loads(text)
    some = tuple(texts[0]) if texts else ()
    return _Found(tuple(_Participant(*one) for one in people), id_, body, some)


def _media(said: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        found = json.loads(said.get("Media") or "[]")
    except (ValueError, RecursionError):
        return []
    return [one for one in maps_of(found) if isinstance(one.get("Sid"), str)]


def _address(text: str, country: str) -> Address | None:
    try:
        return parse_end(text, country) if text else None
    except DamagedAddress:
        return None


def _id_of(text: str, kind: str) -> str:
    found = conversation_id(text)
    return found if found.startswith(kind) else ""


def _when(text: str) -> datetime | None:
    found = parse_time(text) if text else None
    return found.time if found else None


def _code(text: str) -> str:
    return text if text.isascii() and text.isdecimal() else ""
