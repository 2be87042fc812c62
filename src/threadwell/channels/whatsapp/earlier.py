"""The ids that earlier builds made of messages, by which older stores have them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from threadwell.channels.channel import ReadOptions
from threadwell.channels.whatsapp.body import Body
from threadwell.channels.whatsapp.participants import NAME, address_of
from threadwell.messages import Address

#: The name of a chat in that of its file, in the languages that were known then.
_NAMED = re.compile(
    r".*?\bWhatsApp\b.*?(?: (?:with|mit|avec|con|com|met|med|z|ile) | - )(.+)", re.IGNORECASE
)
_LONGEST_NAME = 300
_COPY = re.compile(r"(?<!\s)\s*+\(\d{1,3}\)\Z")


@dataclass(slots=True)
class EarlierIds:
    """Makes those of one export, whose messages it has to be asked for in their order.

    They were made of the name of the file, which may be another one now: ``threads`` are the names
    that the chat may have had.
    """

    threads: tuple[str, ...]
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    @classmethod
    def of(cls, path: Path, title: str, options: ReadOptions) -> EarlierIds:
        """For the export at ``path`` of the chat that is called ``title``."""
        stem = path.parent.name if path.stem == "_chat" else path.stem
        stem = _COPY.sub("", unicodedata.normalize("NFC", stem)[:_LONGEST_NAME])
        named = _NAMED.fullmatch(stem)
        names = ((named[1] if named else stem).strip(), title)
        return cls(tuple(dict.fromkeys(_thread(name, options.country) for name in names)))

    def of_next(self, sender: Address, wall: datetime, body: Body) -> tuple[str, ...]:
        """The ids of the next message."""
        says = (f"{wall:%Y-%m-%d %H:%M}", sender.value, body.text, str(len(body.attachments)))
        self.seen[says] += 1
        return tuple([_digest(thread, *says, str(self.seen[says])) for thread in self.threads])


def _thread(name: str, country: str) -> str:
    return address_of(name, country).value.removeprefix(f"{NAME}:")


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
