"""The table as JSON Lines: one JSON object a line, with the columns as its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from threadwell.channels.channel import HEAD_BYTES
from threadwell.channels.table.delimited import Record
from threadwell.channels.table.row import Refused, Row

_BOM = b"\xef\xbb\xbf"


class _Line(msgspec.Struct, rename={"from_": "from"}):
    sent: str
    from_: str
    text: str | None = None
    to: str | list[str] | None = None
    id: str | int | None = None
    thread: str | None = None
    subject: str | None = None
    channel: str | None = None
    medium: str | None = None
    in_reply_to: str | int | None = None
    attachments: str | list[str] | None = None


_BEGUN = [re.compile(rb'[{,]\s*"%s"\s*:\s*"' % key) for key in (b"sent", b"from")]
_DECODER = msgspec.json.Decoder(_Line)
_MISSING = re.compile(r"Object missing required field `(\w+)`")


def is_row(line: bytes) -> bool:
    """Whether a line is an object with what every message has."""
    return isinstance(_decode(line.removeprefix(_BOM)), Row)


def is_row_begun(head: bytes) -> bool:
    """Whether a line without an end in sight, such as one with a very long text, begins a row."""
    is_cut = len(head) >= HEAD_BYTES and b"\n" not in head
    return is_cut and all(key.search(head) for key in _BEGUN)


def read_jsonl(path: Path) -> Iterator[Record]:
    """Every line that is not blank, in constant memory."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                line = line.removeprefix(_BOM)
            if line.strip():
                yield Record(number, _decode(line), line)


def _decode(line: bytes) -> Row | Refused:
    try:
        one = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        return _refused(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Refused("", "is not JSON")
    return Row(
        sent=one.sent.strip(),
        from_=one.from_,
        text=(one.text or "").strip(),
        to=_listed(one.to),
        id="" if one.id is None else str(one.id),
        thread=one.thread or "",
        subject=one.subject or "",
        channel=one.channel or "",
        medium=one.medium or "",
        in_reply_to="" if one.in_reply_to is None else str(one.in_reply_to),
        attachments=_listed(one.attachments),
    )


def _listed(value: str | list[str] | None) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _refused(error: str) -> Refused:
    """What msgspec says of a row: it names the key and the types, never the value."""
    if missing := _MISSING.fullmatch(error):
        return Refused(missing[1], "missing")
    reason, _, place = error.partition(" - at `$.")
    return Refused(place.removesuffix("`"), reason)
