"""JSON as FHIR needs it (FHIR R4 §2.6.2): decimals keep their digits, UTF-8, no ``NaN``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

#: Deeper nesting than this is refused; no real resource comes near it.
MAX_DEPTH = 100

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
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadJson(str(error)) from None
    except InvalidOperation:
        raise BadJson("a number is too large or too small") from None
    except RecursionError:
        raise BadJson(f"nested deeper than {MAX_DEPTH} levels") from None
    opens = text.count(b"[") + text.count(b"{") if isinstance(text, bytes) else MAX_DEPTH + 1
    if opens > MAX_DEPTH and _deeper(value, MAX_DEPTH):
        raise BadJson(f"nested deeper than {MAX_DEPTH} levels")
    return value


def encode(value: Any) -> bytes:
    """The compact JSON of a value, members in their order."""
    return _encoder.encode(value)


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
