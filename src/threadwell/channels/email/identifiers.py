"""Message-IDs (RFC 5322 §3.6.4), and an id for a mail that has none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

from threadwell.channels.email.words import header_text

NO_MESSAGE_ID = "no Message-ID; one was made from date, sender, subject and text"
#: Ids that we made end with this, which no mail program can claim (RFC 2606 §2).
MADE_DOMAIN = "threadwell.invalid"

_BRACKETED = re.compile(r"<([^<>]+)>")
_SPACES = re.compile(r"\s+")
_LINE_BREAKS = re.compile(rb"\r\n?")
_FROM_ESCAPE = re.compile(rb"^>+(?=From )", re.MULTILINE)


def message_id(value: str) -> str:
    """The id in a Message-ID field, without ``<>`` and white space; ``""`` if there is none."""
    value = _clean(value)
    found = _BRACKETED.search(value)
    text = found[1] if found else value.strip().strip("<>")
    return _SPACES.sub("", text)


def named_ids(values: Collection[str], addresses: Collection[str] = ()) -> list[str]:
    """The ids in References or In-Reply-To fields, in their order, each once.

    Phrases around them are left out, and so are ``addresses``: some programs answer to a person
    ("In-Reply-To: <ana@example.org>") and would tie all that person's mails together.
    """
    ids: dict[str, None] = {}
    for value in values:
        text = _clean(value)
        found = _BRACKETED.findall(text)
        if not found:
            found = [word for word in text.split() if "@" in word] if _bare(text) else []
        for id_ in found:
            if "@" in id_ or not _SPACES.search(id_.strip()):
                ids[_SPACES.sub("", id_)] = None
    return [id_ for id_ in ids if id_ and id_.lower() not in addresses]


def made_id(date: str, sender: str, subject: str, body: bytes) -> str:
    """The id of a mail that brings none: the same from every copy of it.

    Copies differ in line breaks, in ``>From`` and in blank lines at the end, so these don't count.
    """
    plain = _FROM_ESCAPE.sub(b"", _LINE_BREAKS.sub(b"\n", body)).strip()
    digest = hashlib.sha256()
    for text in (date, sender, subject):
        digest.update(_SPACES.sub(" ", text.strip()).encode("utf-8", "surrogateescape") + b"\0")
    digest.update(plain)
    return f"{digest.hexdigest()[:40]}@{MADE_DOMAIN}"


def _clean(value: str) -> str:
    """The value as text, where it holds encoded words or raw bytes."""
    return value if value.isascii() and "=?" not in value else header_text(value)


def _bare(text: str) -> bool:
    """Whether a field without brackets holds nothing but ids."""
    words = text.split()
    return bool(words) and all("@" in word for word in words)
