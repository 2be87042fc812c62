"""What names a thread."""

from __future__ import annotations

from functools import lru_cache


# Messages of a thread come together, and all of them then hold the same text.
@lru_cache(maxsize=4096)
def thread_key(channel: str, external_id: str, circle: str) -> str:
    """The name of a thread within a project, stable for as long as ``external_id`` is.

    ``external_id`` is the channel's own name of it (a set of phone numbers, a WhatsApp chat, the
    first Message-ID); ``circle`` is the ``circle_key`` of its patients.
    """
    return f"{channel}|{external_id}|{circle}"
