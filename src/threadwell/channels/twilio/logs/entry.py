"""One entry of a log, whatever its members are called, becomes a message or the reason why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from threadwell.channels.channel import ReadOptions
from threadwell.channels.records import Refused
from threadwell.channels.twilio.identity import (
    is_multimedia,
    is_of_conversation,
    parse_message_id,
)
from threadwell.channels.twilio.logs.times import Instant, parse_time
from threadwell.channels.twilio.message import Told, message_of
from threadwell.messages import OCTETS, Attachment, Message, gaps
from threadwell.messages.spreadsheet import says_nothing, unguarded

_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
#: What the console, the helper libraries and people's own scripts call the members of the API.
_OTHER_NAMES = {
    "messagesid": "sid",
    "smsmessagesid": "sid",
    "smssid": "sid",
    "sentdate": "datesent",
    "createddate": "datecreated",
    "messagestatus": "status",
    "smsstatus": "status",
    "message": "body",
    "messagebody": "body",
}
#: What makes a table one of messages of Twilio.
NEEDED = ("sid", "from", "to", "body", "datesent")
#: What programs put around an entry that they pass on.
_WRAPPINGS = ("record", "data", "_airbyte_data", "attributes")
#: What exporters write between the entries (Singer, Airbyte).
_OF_EXPORTERS = frozenset(
    {"SCHEMA", "STATE", "ACTIVATE_VERSION", "LOG", "TRACE", "CATALOG", "CONTROL"}
)
_MOST_FILES = 50
_NOT_THERE = "is not in the message log"
_PERHAPS = f"{gaps.OF_A_FILE}{_NOT_THERE}, if it had any"


def member_name(name: str) -> str:
    """The name of a member as ``read_entry`` knows it: ``date_sent``, ``dateSent`` are one."""
    plain = _NOT_LETTERS.sub("", name.lower())
    return _OTHER_NAMES.get(plain, plain)


def unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """The entry in what a program wrote around it."""
    for _ in range(len(_WRAPPINGS)):
        if "sid" in value or "Sid" in value:
            return value
        inner = next((one for key in _WRAPPINGS if isinstance(one := value.get(key), dict)), None)
        if inner is None:
            return value
        value = inner
    return value


def members_of(value: dict[str, Any]) -> dict[str, str]:
    """The members of an entry as text, by ``member_name``; what is null is not there."""
    out: dict[str, str] = {}
    for name, one in value.items():
        if isinstance(one, str | int | float) and not isinstance(one, bool):
            out.setdefault(member_name(name), str(one))
    return out


def read_entry(
    members: Mapping[str, str], options: ReadOptions, read: tuple[str, ...] = ()
) -> Message | Refused:
    """The message of an entry; ``read`` are notes about how it was read."""
    id_ = parse_message_id(_plain(members, "sid"))
    if not id_:
        if "sid" not in members and members.get("type") in _OF_EXPORTERS:
            return Refused("what an exporter says of itself", set_aside=True)
        if is_of_conversation(_plain(members, "sid")):
            return Refused("it is of a conversation: the message log has it under its own id")
        return Refused("its sid is not the id of a message of Twilio")
    direction, status = (_plain(members, name).lower() for name in ("direction", "status"))
    inbound = direction == "inbound" if direction else status in ("received", "receiving")
    if not (direction or status):
        return Refused("nothing says who wrote it: there is neither a direction nor a status")
    when = _sent(members)
    if when is None:
        return Refused("no date and time that can be read")
    body = members.get("body", "")
    files, notes = _files(members, id_)
    if not (body or files):
        notes = (*notes, gaps.NO_WORDS)
    return message_of(
        Told(
            id=id_,
            from_=members.get("from", ""),
            to=members.get("to", ""),
            inbound=inbound,
            sent=when.time,
            body=body,
            status=status,
            error_code=_plain(members, "errorcode"),
            service_sid=_plain(members, "messagingservicesid"),
            files=files,
            notes=(*notes, *when.notes, *read),
            account=_plain(members, "accountsid"),
        ),
        options,
    )


def _plain(members: Mapping[str, str], name: str) -> str:
    value = unguarded(members.get(name, ""))
    return "" if says_nothing(value) else value


def _sent(members: Mapping[str, str]) -> Instant | None:
    """When it was sent; of what never was, when it was made."""
    for name in ("datesent", "datecreated", "dateupdated"):
        if written := _plain(members, name):
            return parse_time(written)
    return None


def _files(members: Mapping[str, str], id_: str) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """The media, of which a log has the number at most, and what is not known of them."""
    number = _plain(members, "nummedia").partition(".")[0]
    if number.isdecimal():
        count = min(int(number[:6]), _MOST_FILES)
        return tuple(
            [Attachment(f"media-{at}", OCTETS, None, _NOT_THERE) for at in range(1, count + 1)]
        ), ()
    return (), (_PERHAPS,) if is_multimedia(id_) else ()
