"""Files of Threadwell's own that lie beside exports: they hold no message to take in."""

from __future__ import annotations

import json
from pathlib import Path

#: How an SQLite file begins, and where in it and by what ours tells itself apart ("Thwl").
_SQLITE, _AT, _OURS = b"SQLite format 3\0", 68, b"Thwl"
_CREDENTIALS = {"client_id", "client_secret"}
#: How a folder beside a store ends that keeps records for the audit trail, and a file in it.
_TRAIL, _RECORDS = "-audit", ".spool"


def what_of_ours(head: bytes, path: Path) -> str:
    """What a file of Threadwell's own is, in a few words; ``""`` of any other file."""
    if head.startswith(_SQLITE):
        is_ours = head[_AT : _AT + len(_OURS)] == _OURS
        return "a database of Threadwell" if is_ours else ""
    if path.suffix == _RECORDS and path.parent.name.endswith(_TRAIL):
        return "a part of the audit trail" if head.startswith(b'{"at":') or not head else ""
    if path.suffix == ".json" and b"client_secret" in head:
        try:
            value = json.loads(head)
        except (ValueError, RecursionError):
            return ""
        if isinstance(value, dict) and set(value) == _CREDENTIALS:
            return "the secret of a client"
    return ""
