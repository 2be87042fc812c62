"""What Twilio delivers: messages, what became of those that were sent, and events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from threadwell.channels.account import Account, Field
from threadwell.channels.channel import ReadOptions
from threadwell.channels.delivery import Delivery, Reply
from threadwell.channels.keywords import wish_of
from threadwell.channels.live import Arrived, Heard, Live, Remote, State, Status, Wished
from threadwell.channels.records import Refused
from threadwell.channels.templates import TEMPLATES, lacks_templates, templates_of
from threadwell.channels.twilio.addresses import DamagedAddress, parse_end
from threadwell.channels.twilio.conversations import is_event, read_event, seek
from threadwell.channels.twilio.files import fetch, name_of
from threadwell.channels.twilio.identity import NAME, parse_message_id, source_of
from threadwell.channels.twilio.message import Told, message_of
from threadwell.channels.twilio.sending import ask, limits, meaning, send, window
from threadwell.channels.twilio.signature import FORM, form, verify
from threadwell.messages import Address, Attachment, Broken

_STATES = {
    **dict.fromkeys(("accepted", "queued", "scheduled", "sending"), State.QUEUED),
    **dict.fromkeys(("sent", "partially_delivered"), State.SENT),
    "delivered": State.DELIVERED,
    "read": State.READ,
    **dict.fromkeys(("failed", "undelivered", "canceled"), State.FAILED),
}
_COMING = frozenset({"received", "receiving"})
_NO_REPLY = Reply("text/xml; charset=utf-8", b'<?xml version="1.0" encoding="UTF-8"?><Response/>')
#: More files are in no message.
_MOST_FILES = 100
_ACCOUNT_SID = re.compile(r"AC[0-9A-Za-z]{32}")
#: Until it has been fetched; the logs of Twilio have it in these words, too.
NOT_THERE = "is not in the message log"


def parse(delivery: Delivery, account: Account, country: str) -> Iterator[Heard]:
    """What a request of Twilio holds."""
    said = dict(form(delivery))
    if is_event(said):
        for heard in read_event(delivery, said, account, country):
            if isinstance(heard, Refused):
                yield _broken(delivery, account, heard.reason, set_aside=heard.set_aside)
            else:
                yield heard
        return
    status = (said.get("MessageStatus") or said.get("SmsStatus") or "").lower()
    sid = parse_message_id(said.get("MessageSid") or said.get("SmsSid") or "")
    if sid and (status in _COMING or ("Body" in said and not status)):
        yield from _message(delivery, account, country, sid, said)
    elif sid and status in _STATES:
        code, recipient = said.get("ErrorCode", ""), _end(said.get("To", ""), country)
        yield Status(NAME, sid, _STATES[status], delivery.received, code, recipient)
    else:
        yield _broken(delivery, account, "a request of Twilio that is no message", set_aside=True)


def answer(delivery: Delivery) -> Reply:
    """An empty answer: nothing is sent back by it, and no message of a conversation changed."""
    return Reply() if is_event(dict(form(delivery))) else _NO_REPLY


def _message(
    delivery: Delivery, account: Account, country: str, sid: str, said: Mapping[str, str]
) -> Iterator[Heard]:
    files = _files(said)
    told = Told(
        id=sid,
        from_=said.get("From", ""),
        to=said.get("To", ""),
        inbound=True,
        sent=delivery.received,
        body=said.get("Body", "") or _place(said),
        status="received",
        service_sid=said.get("MessagingServiceSid", ""),
        files=tuple(Attachment(name_of(url, kind), kind, None, NOT_THERE) for url, kind in files),
        account=said.get("AccountSid", ""),
    )
    message = message_of(told, ReadOptions(None, account.addresses, country))
    if isinstance(message, Refused):
        yield _broken(delivery, account, message.reason, set_aside=message.set_aside)
        return
    message = replace(
        message,
        sender=message.sender._replace(display=said.get("ProfileName", "")),
        received=delivery.received,
        in_reply_to=parse_message_id(said.get("OriginalRepliedMessageSid", "")),
        on_arrival=True,
    )
    if files:
        yield Arrived(message, tuple(Remote(url, at) for at, (url, _) in enumerate(files)))
    else:
        yield message
    wish = wish_of(said.get("Body", ""), said.get("OptOutType", ""))
    if wish is not None:
        own = message.recipients[0]
        yield Wished(NAME, sid, _bare(message.sender), own, wish, delivery.received)


def _files(said: Mapping[str, str]) -> list[tuple[str, str]]:
    """The URLs of its files, with their types."""
    number = said.get("NumMedia", "0")
    count = int(number) if number.isascii() and number.isdigit() else 0
    out = []
    for at in range(min(count, _MOST_FILES)):
        url = said.get(f"MediaUrl{at}", "")
        if url:
            out.append((url, said.get(f"MediaContentType{at}", "")))
    return out


def _place(said: Mapping[str, str]) -> str:
    """The words for a place that was sent instead of a text."""
    if not (said.get("Latitude") and said.get("Longitude")):
        return ""
    names = [said.get("Label", ""), said.get("Address", "")]
    return "\n".join([*filter(None, names), f"{said['Latitude']}, {said['Longitude']}"])


def _end(text: str, country: str) -> Address | None:
    try:
        return parse_end(text, country)
    except DamagedAddress:
        return None


def _bare(address: Address) -> Address:
    return address._replace(display="")


def _broken(
    delivery: Delivery, account: Account, reason: str, *, set_aside: bool = False
) -> Broken:
    content = delivery.body or delivery.urls[0].partition("?")[2].encode("utf-8", "replace")
    kind = delivery.content_type or FORM
    where = f"a delivery to {account.name}"
    return Broken(NAME, where, reason, content, kind, set_aside=set_aside)


def _lacks(account: Account) -> str:
    if not _ACCOUNT_SID.fullmatch(account.value("account_sid")):
        return (
            "account_sid is AC and 32 letters and digits, as the first page of the Twilio console "
            "has it (what begins with SK is an API key, and with MG a messaging service)"
        )
    return lacks_templates(account)


LIVE = Live(
    fields=(
        Field("account_sid", "the Account SID of the Twilio console, AC…"),
        Field("auth_token", "the Auth Token beside it", secret=True),
        Field("second_auth_token", "another one, while it is changed", secret=True, required=False),
        Field("shared_key", "of a webhook rule that signs with one", secret=True, required=False),
        Field("api_url", "where the API is, if not at Twilio", required=False),
        TEMPLATES,
    ),
    verify=verify,
    parse=parse,
    answer=answer,
    fetch=fetch,
    send=send,
    ask=ask,
    seek=seek,
    limits=limits,
    lacks=_lacks,
    window=window,
    templates=templates_of,
    source=source_of,
    meaning=meaning,
)
