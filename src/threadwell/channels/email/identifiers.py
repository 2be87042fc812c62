"""Message-IDs (RFC 5322 §3.6.4), and an id for a mail that has none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

from threadwell.channels.email.words import header_text

NO_MESSAGE_ID = "no Message-ID; one was made from date, people, subject and text"
GMAIL_NUMBER = "no Message-ID; Gmail's own number of it was taken"
#: Ids that we made end with this, which no mail program can claim (RFC 2606 §2).
MADE_DOMAIN = "threadwell.invalid"

_BRACKETED = re.compile(r"<([^<>]+)>")
_SPACES = re.compile(r"\s+")
_LINE_BREAKS = re.compile(rb"\r\n?")
_GMAIL = re.compile(r"From (\d{10,20})@xxx\b", re.ASCII)
_NUMBER = re.compile(r"\d{10,20}", re.ASCII)
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


def made_id(body: bytes, *fields: str) -> str:
    """The id of a mail that brings none: the same from every copy of it.

    What it is made of is taken as it stands in the mail. Copies differ in line breaks, in ``>From``
    and in blank lines at the end, so these don't count.
    """
    plain = _FROM_ESCAPE.sub(b"", _LINE_BREAKS.sub(b"\n", body)).strip()
    digest = hashlib.sha256()
    for text in fields:
        digest.update(_SPACES.sub(" ", text.strip()).encode("utf-8", "surrogateescape") + b"\0")
    digest.update(plain)
    return f"{digest.hexdigest()[:40]}@{MADE_DOMAIN}"


def gmail_ids(from_line: str, thread: str) -> tuple[str, tuple[str, ...]]:
    """The id of a mail by Gmail's own number, and that of the mail that its thread began with.

    ``from_line`` is that of the mailbox file of a Takeout, ``thread`` the field X-GM-THRID. Gmail
    numbers what has no Message-ID as well (chats), and counts a thread by its first mail.
    ``("", ())`` where a mail is not from there.
    """
    own, begun = _GMAIL.match(from_line), _NUMBER.fullmatch(thread.strip())
    if own is None or begun is None:
        return "", ()
    ids = [f"{number}@gmail.{MADE_DOMAIN}" for number in (own[1], begun[0])]
    return ids[0], () if ids[0] == ids[1] else (ids[1],)


def _clean(value: str) -> str:
    """The value as text, where it holds encoded words or raw bytes."""
    return value if value.isascii() and "=?" not in value else header_text(value)


def _bare(text: str) -> bool:
    """Whether a field without brackets holds nothing but ids."""
    words = text.split()
    return bool(words) and all("@" in word for word in words)
