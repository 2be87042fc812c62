"""The table as JSON Lines: one JSON object a line, with the columns as its keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from threadwell.channels import halves
from threadwell.channels.channel import HEAD_BYTES
from threadwell.channels.table.cleaning import Refused, Row
from threadwell.channels.table.columns import COLUMNS
from threadwell.channels.table.delimited import Record
from threadwell.channels.table.spans import Part
from threadwell.messages.spreadsheet import whole_number

_BOM = b"\xef\xbb\xbf"
#: Below it a number with a fraction or an exponent is exact.
_EXACT = 2**53
_ARRAY = "JSON Lines have one object on a line; this is an array of them"
_Item = TypeVar("_Item", bound=str | int | float)
_Text = str | int | float


class _Line(msgspec.Struct, rename={"from_": "from"}):
    sent: str
    from_: _Text
    text: str | None = None
    to: _Text | list[_Text] | None = None
    id: _Text | None = None
    thread: _Text | None = None
    subject: str | None = None
    channel: str | None = None
    medium: str | None = None
    in_reply_to: _Text | None = None
    attachments: str | list[str] | None = None


_BEGUN = [re.compile(rb'[{,]\s*"%s"\s*:\s*"' % key) for key in (b"sent", b"from")]
_KEYS = {name: b'"%s"' % name.encode() for name in COLUMNS}
_DECODER = msgspec.json.Decoder(_Line)
_MISSING = re.compile(r"Object missing required field `(\w+)`")


def is_row(line: bytes) -> bool:
    """Whether a line is an object with what every message has."""
    return isinstance(_decode(line.removeprefix(_BOM)), Row)


def is_row_begun(head: bytes) -> bool:
    """Whether a line without an end in sight, such as one with a very long text, begins a row."""
    is_cut = len(head) >= HEAD_BYTES and b"\n" not in head
    return is_cut and all(key.search(head) for key in _BEGUN)


def read_jsonl(path: Path, part: Part | None = None) -> Iterator[Record]:
    """Every line that is not blank, in constant memory."""
    part = part or Part()
    at, number = part.span.begins, part.span.before
    with path.open("rb") as file:
        file.seek(at)
        for line in file if at < part.span.ends else ():
            at += len(line)
            number += 1
            if number == 1:
                line = line.removeprefix(_BOM)
            if line.strip():
                yield Record(number, _decode(line), line)
            if at >= part.span.ends:
                break
    part.ended(at, number)


def may_have_key(line: bytes, key: str) -> bool:
    """Whether a line may be an object with that key: it stands there, or what may spell it."""
    return b'"%s"' % key.encode() in line or b"\\u" in line


def shortcoming_of(head: bytes) -> str:
    """Why lines that are JSON objects are none of messages; ``""`` where they look like none."""
    line = head.removeprefix(_BOM).lstrip().partition(b"\n")[0]
    if line.startswith(b"["):
        return _ARRAY if all(key.search(head) for key in _BEGUN) else ""
    try:
        keys = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    missing = [name for name in ("from", "sent") if name not in keys]
    known = sum(key.strip().lower() in COLUMNS for key in keys)
    return f"a table of messages needs the keys {', '.join(missing)}" if missing and known else ""


def _decode(line: bytes) -> Row | Refused:
    if (twice := _twice(line)) is not None:
        return twice
    try:
        one = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        return _refused(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = halves.without_halves(line)
        if whole == line:
            return Refused("", "is not JSON")
        decoded = _decode(whole)
        return decoded if isinstance(decoded, Refused) else decoded._replace(note=halves.NOTE)
    except RecursionError:
        return Refused("", "is JSON that is nested too deep")
    return _row(one, line)


def _twice(line: bytes) -> Refused | None:
    """Refuses a line in which a column stands twice: nobody can say which of the two was meant."""
    for key, pattern in _KEYS.items():
        if line.count(pattern) > 1 and _stands_twice(line, key):
            return Refused(key, "stands twice")
    return None


def _stands_twice(line: bytes, key: str) -> bool:
    """The same, looked at closely: a text may hold what looks like a key."""
    found: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> None:
        found[:] = [name for name, _ in pairs]

    try:
        json.loads(line, object_pairs_hook=note)  # the outermost object comes last
    except (ValueError, RecursionError):
        return False  # which is told elsewhere
    return found.count(key) > 1


def _row(one: _Line, line: bytes) -> Row | Refused:
    to = _listed(one.to)
    ids = {name: getattr(one, name) for name in ("id", "thread", "in_reply_to")}
    for name, value in (("from", one.from_), *(("to", each) for each in to), *ids.items()):
        is_whole = not isinstance(value, float) or (
            abs(value) < _EXACT and all(map(whole_number, _floats(line, name)))
        )
        if not is_whole:
            return Refused(name, "is a number that has lost digits")
    return Row(
        sent=one.sent.strip(),
        from_=_text(one.from_),
        text=(one.text or "").strip(),
        to=tuple(map(_text, to)),
        subject=one.subject or "",
        channel=one.channel or "",
        medium=one.medium or "",
        attachments=_listed(one.attachments),
        **{name: _text(value) for name, value in ids.items()},
    )


def _floats(line: bytes, name: str) -> list[str]:
    """The numbers with a fraction or an exponent of a key, as they are written."""
    raw = bytes(msgspec.json.decode(line, type=dict[str, msgspec.Raw])[name])
    written = msgspec.json.decode(raw, type=list[msgspec.Raw]) if raw.startswith(b"[") else [raw]
    numbers = (bytes(one).decode("utf-8", "replace").strip() for one in written)
    return [one for one in numbers if not one.startswith('"') and not one.lstrip("-").isdigit()]


def _text(value: _Text | None) -> str:
    """A name or number as text; a number with a fraction is a whole one."""
    if isinstance(value, float):
        return str(int(value))
    return "" if value is None else str(value)


def _listed(value: _Item | list[_Item] | None) -> tuple[_Item, ...]:
    if value is None or value == "":
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _refused(error: str) -> Refused:
    """What msgspec says of a row: it names the key and the types, never the value."""
    if missing := _MISSING.fullmatch(error):
        return Refused(missing[1], "missing")
    reason, _, place = error.partition(" - at `$.")
    return Refused(place.removesuffix("`"), reason)
