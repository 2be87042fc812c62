"""One message may be worded anew by its sender: each wording is a message with an id of its own.

The first one has the id of the message, or that id with a digest, and every other that id with
another digest. So it can be told which of them are wordings of one.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256

#: A digest as it is made here, or as long as some channels make theirs.
_WORDING = re.compile(r"(.*[^:]):(?:[0-9a-f]{12}|[0-9a-f]{16})", re.DOTALL)


def wording_id(original: str, *words: str, at: datetime | str = "") -> str:
    """The external id of a wording of the message ``original``, that it has had since ``at``."""
    when = at if isinstance(at, str) else at.isoformat()
    digest = sha256("\x1f".join((*words, when)).encode("utf-8", "replace")).hexdigest()
    return f"{original}:{digest[:12]}"


def deleted_id(original: str) -> str:
    """The external id of what is left of a message whose words were deleted."""
    return wording_id(original, "deleted")


def original_of(external_id: str) -> str:
    """The id of the message of which that is a wording; what is no wording is its own."""
    found = _WORDING.fullmatch(external_id) if external_id[-13:-12] == ":" else None
    found = found or (_WORDING.fullmatch(external_id) if external_id[-17:-16] == ":" else None)
    return found[1] if found else external_id
