"""What an app sends, as narrow types; whatever has another shape is refused with where."""

from __future__ import annotations

import re
from typing import Any, TypeAlias, TypeVar

import msgspec

from threadwell.intake.chat.refused import ChatRefused

T = TypeVar("T")

#: Bytes of a JSON body, and of a frame: a text in the longest escapes, and what is around it.
MOST_JSON = 128 * 1024
#: What msgspec puts before the place of a mistake, in backticks.
_AT = " - at `$"


class Sending(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """``POST messages``."""

    key: str
    text: str = ""
    attachments: list[str] = []


class Told(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """``POST read`` and ``POST received``."""

    ids: list[str]


class Typed(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """``POST typing``; ``stopped`` takes it back."""

    stopped: bool = False


class SessionWanted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """``POST session``."""

    open: bool
    why: str = ""


class _Frame(msgspec.Struct, tag_field="type", forbid_unknown_fields=True, frozen=True):
    pass


class Hello(_Frame, tag="hello", frozen=True):
    """The first frame. ``cursor`` is the last one that the app was given."""

    token: str
    cursor: str = ""


class NewToken(_Frame, tag="token", frozen=True):
    """A fresh token of the same patient, before the one of before has expired."""

    token: str


class Received(_Frame, tag="received", frozen=True):
    """Messages of the practice that have arrived."""

    ids: list[str]


class ReadUp(_Frame, tag="read", frozen=True):
    """Messages of the practice that the patient has read."""

    ids: list[str]


class Types(_Frame, tag="typing", frozen=True):
    """The patient types, or has stopped to."""

    stopped: bool = False


class Ping(_Frame, tag="ping", frozen=True):
    """Asks whether anybody is there: a page can send no ping of the protocol's own."""


Frame: TypeAlias = Hello | NewToken | Received | ReadUp | Types | Ping


def read_frame(text: str) -> Frame:
    """What an app says in a frame; raises ``ChatRefused``."""
    frame: Frame = _read(text, Frame, "frame")
    return frame


def read_json(body: bytes, type_: type[T]) -> T:
    """The body as that type; raises ``ChatRefused``."""
    out: T = _read(body, type_, "body")
    return out


def _read(body: bytes | str, type_: Any, where: str) -> Any:
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        text = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
        said, _, place = text.partition(_AT)
        # What stands in quotation marks may be the app's own words.
        said = re.sub(r"'[^']*'", "…", said)
        raise ChatRefused(
            "invalid", said, place.removesuffix("`").removeprefix(".") or where
        ) from None
