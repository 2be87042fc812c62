"""The id that earlier builds made of a row without one, by which older stores have it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from threadwell.channels.channel import ReadOptions
from threadwell.channels.table.cleaning import Row
from threadwell.messages import Address


def earlier_id(row: Row, people: Iterable[Address], sent: datetime, options: ReadOptions) -> str:
    """Made of the instant and of the files' names, too; ``people`` begin with the sender."""
    everybody = list(people)
    own = {one.key for one in options.owner}
    others = {one.value for one in everybody if one.key not in own}
    thread = row.thread or ",".join(sorted(others or {one.value for one in everybody}))
    says = (row.subject, row.text, *row.attachments)
    identity = "\x1f".join((thread, everybody[0].value, sent.isoformat(), *says))
    return sha256(identity.encode("utf-8", "replace")).hexdigest()[:32]
