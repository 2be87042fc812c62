"""JSON as programs write it: halves of characters, unknown escapes, controls as they are."""

from __future__ import annotations

import json
import re
from typing import Any

from threadwell.channels.halves import without_halves

#: ``\x1B``, of which the first backslash is not itself escaped; no JSON (RFC 8259 §7).
_BYTE = re.compile(rb"(?<!\\)((?:\\\\)*)\\x([0-9a-fA-F]{2})")


def decoded(content: bytes) -> Any:
    """The value that ``content`` is; ``ValueError`` where it is none, or is nested too deep.

    Taken as well: control characters within strings, ``\\x1B`` for one of them, bytes that are no
    UTF-8 (as U+FFFD).
    """
    if b"\\ud" in content or b"\\uD" in content:
        content = without_halves(content)
    if b"\\x" in content:
        content = _BYTE.sub(rb"\1\\u00\2", content)
    try:
        return json.loads(content.decode("utf-8", "replace"), strict=False)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
