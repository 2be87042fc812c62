"""JSON as FHIR needs it (FHIR R4 §2.6.2): decimals keep their digits, UTF-8, no ``NaN``."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

#: Deeper nesting than this is refused; no real resource comes near it.
MAX_DEPTH = 100

#: A member's name longer than this is cut off in a message.
_MAX_NAME = 64

_SURROGATE = re.compile(rb"\\\\|\\u[dD](?:[89abAB]..(?:\\u[dD][c-fC-F]..)?|[c-fC-F]..)")

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class BadJson(ValueError):
    """The text is not JSON; the message says where, without any of the text."""


def decode(text: bytes | str) -> Any:
    """The value of a JSON text, numbers with a fraction or exponent as ``Decimal``.

    Raises ``BadJson`` for malformed text, bad UTF-8, nesting deeper than ``MAX_DEPTH`` or a number
    whose exponent is beyond that of any ``Decimal``.
    """
    try:
        value = _decoder.decode(text)
    except UnicodeEncodeError:
        raise BadJson(_LONE) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadJson(_why(text, error)) from None
    except InvalidOperation:
        raise BadJson("a number is too large or too small") from None
    except RecursionError:
        raise BadJson(f"nested deeper than {MAX_DEPTH} levels") from None
    opens = text.count(b"[") + text.count(b"{") if isinstance(text, bytes) else MAX_DEPTH + 1
    if opens > MAX_DEPTH and _deeper(value, MAX_DEPTH):
        raise BadJson(f"nested deeper than {MAX_DEPTH} levels")
    return value


def parse(text: bytes) -> Any:
    """As ``decode``, of what others wrote: no member may stand twice in one object (§2.6.2).

    A second one would take the place of the first. The value written anew has as many quotation
    marks as the text, unless members were lost or an escape stood for a quotation mark.
    """
    value = decode(text)
    if text.count(b'"') != encode(value).count(b'"') or rb"\u0022" in text:
        json.loads(text, object_pairs_hook=_without_repeats)
    return value


def encode(value: Any) -> bytes:
    """The compact JSON of a value, members in their order."""
    return _encoder.encode(value)


_LONE = "half of a surrogate pair stands alone: it is no character"


def _why(text: bytes | str, error: Exception) -> str:
    """What is wrong with the text, and at which byte, in words that do not repeat it."""
    if isinstance(text, str):
        return str(error)
    try:
        text.decode()
    except UnicodeDecodeError as unreadable:
        return f"the text is not UTF-8 (byte {unreadable.start})"
    if any(len(match[0]) == len(rb"\uD800") for match in _SURROGATE.finditer(text)):
        return _LONE
    if text.startswith(b"\xef\xbb\xbf"):
        return "a byte order mark stands before the JSON"
    return str(error)


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    met: set[str] = set()
    for name, _ in members:
        if name in met:
            raise BadJson(f'the member "{name[:_MAX_NAME]}" stands twice in one object')
        met.add(name)
    return dict(members)


def _deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for parent in level
            for child in (
                parent.values()
                if isinstance(parent, dict)
                else parent
                if isinstance(parent, list)
                else ()
            )
        ]
        if not level:
            return False
    return True
