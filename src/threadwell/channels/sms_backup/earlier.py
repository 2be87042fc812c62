"""The ids that earlier builds made of messages, by which older stores have them."""

from __future__ import annotations

from hashlib import sha256

from threadwell.channels.android.parts import Parts
from threadwell.channels.sms_backup.ends import Ends


def earlier_ids(ms: int, box: str, ends: Ends, subject: str, content: Parts) -> tuple[str, ...]:
    """Made of the time to the millisecond, the people and all that it says, its files as well.

    Of a file that only the layout names, those builds knew nothing.
    """
    received = ends.sender in ends.others
    people = (
        ends.sender.value if received else "",
        ",".join(sorted({one.value for one in ends.others})),
    )
    says = (box, *people, str(ms), subject, content.text)
    files = [sha256(one.content or b"").hexdigest() for one in content.attachments]
    there = [
        hash_
        for hash_, one in zip(files, content.attachments, strict=True)
        if one.content is not None
    ]
    return tuple(dict.fromkeys([_digest(*says, *files), _digest(*says, *there)]))


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
