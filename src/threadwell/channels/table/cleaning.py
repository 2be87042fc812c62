"""What spreadsheets and other programs put around and into the values of a row is taken off.

Only of names and numbers of something: what a patient wrote stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from threadwell.messages import parse_email, parse_phone
from threadwell.messages.spreadsheet import (
    is_damaged,
    is_difference,
    is_rounded_id,
    says_nothing,
    unguarded,
    whole_number,
)

#: A number or name that begins with a digit, of which nothing looks as a spreadsheet writes it.
_NUMBERED = re.compile(r"[0-9]{1,17}|[0-9]++[A-Za-z_-][0-9A-Za-z_-]*+")
_LOST = "has lost digits in a spreadsheet"


class Refused(NamedTuple):
    """Which column makes a row no message, and why, without any of its content.

    ``column`` is empty where it is the row as a whole. ``set_aside`` says that it was read, and is
    nothing that anybody sent as a message.
    """

    column: str
    reason: str
    set_aside: bool = False


class Row(NamedTuple):
    """One row, as both forms of the file give it; what is not there is empty.

    ``note`` is what could not be read of it.
    """

    sent: str
    from_: str
    text: str
    to: tuple[str, ...] = ()
    id: str = ""
    thread: str = ""
    subject: str = ""
    channel: str = ""
    medium: str = ""
    in_reply_to: str = ""
    attachments: tuple[str, ...] = ()
    note: str = ""


class _Lost(Exception):
    """A spreadsheet has lost a part of a value."""


def clean(row: Row, country: str) -> Row | Refused:
    """The row with plain values, or the column in which a spreadsheet lost something."""
    if _is_plain(row):
        return row
    column = "id"
    try:
        id_ = _plain(row.id)
        column = "thread"
        thread = _plain(row.thread)
        column = "in_reply_to"
        in_reply_to = _plain(row.in_reply_to)
        column = "sent"
        sent = row.sent if row.sent[4:5] == "-" else _address(row.sent)
        column = "from"
        from_ = _address(row.from_)
        column = "to"
        to = tuple(
            [one for text in row.to for part in _apart(text, country) if (one := _address(part))]
        )
    except _Lost:
        return Refused(column, _LOST)
    channel, medium = (_name(one) for one in (row.channel, row.medium))
    files = tuple([one for one in map(unguarded, row.attachments) if not says_nothing(one)])
    written = (row.id, row.thread, row.in_reply_to, row.sent, row.from_, row.to)
    others = (row.channel, row.medium, row.attachments)
    if (id_, thread, in_reply_to, sent, from_, to) == written and (
        channel,
        medium,
        files,
    ) == others:
        return row
    return row._replace(
        id=id_,
        thread=thread,
        in_reply_to=in_reply_to,
        sent=sent,
        from_=from_,
        to=to,
        channel=channel,
        medium=medium,
        attachments=files,
    )


def _is_plain(row: Row) -> bool:
    """Whether nothing of a row looks as if a spreadsheet had written it: most do not."""
    if row.attachments or row.sent[4:5] != "-":
        return False
    for value in (row.id, row.thread, row.in_reply_to, row.channel, row.medium):
        if value and not (
            not says_nothing(value) if value[0].isalpha() else _NUMBERED.fullmatch(value)
        ):
            return False
    return _is_plain_address(row.from_) and all(map(_is_plain_address, row.to))


@lru_cache(maxsize=65_536)
def _is_plain_address(value: str) -> bool:
    """Whether a value is a phone number in plain digits, or one name or mail address."""
    if value[:1] == "+":
        return value[1:].isdecimal()
    if not value[:1].isalpha() or says_nothing(value):
        return False
    return "," not in value and not value.endswith(">")


def _name(value: str) -> str:
    if not value or value[0] == "+" or value[0].isalpha():
        return "" if says_nothing(value) else value
    bare = unguarded(value)
    return "" if says_nothing(bare) else bare


def _plain(value: str) -> str:
    """The id of something; raises ``_Lost``."""
    bare = _name(value)
    if not bare or bare[0] == "+" or bare[0].isalpha():
        return bare
    if is_damaged(bare) or is_rounded_id(bare):
        raise _Lost
    # An id may have points and commas: only a number with one point is a number for certain.
    is_number = bare.count(".") == 1 and "," not in bare
    return (whole_number(bare) if is_number else "") or bare


@lru_cache(maxsize=65_536)
def _address(value: str) -> str:
    """An address, or a time; raises ``_Lost``."""
    bare = _name(value)
    inner = bare[:-1].rpartition("<")[2].strip() if bare.endswith(">") else bare
    if is_damaged(inner) or is_difference(inner):
        raise _Lost
    return bare


def _apart(value: str, country: str) -> list[str]:
    """The addresses of a cell that have commas between them, where each of them is one."""
    if "," not in value:
        return [value]
    parts = [part.strip() for part in value.split(",")]
    are_addresses = all(
        parse_email(part) if "@" in part else parse_phone(part, country) for part in parts
    )
    return parts if are_addresses else [value]
