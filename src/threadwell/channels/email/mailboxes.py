"""Which of the mailboxes that mean something a mail was in: drafts, spam, trash."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from binascii import Error
from enum import Enum
from functools import lru_cache
from pathlib import PurePath

from threadwell.channels.email import mailbox_names as names
from threadwell.channels.email.words import header_text


class Mailbox(Enum):
    """What it says of a mail that it lies there."""

    DRAFTS = "drafts"
    TEMPLATES = "templates"
    OUTBOX = "outbox"
    SPAM = "spam"
    TRASH = "trash"
    SENT = "sent"
    OTHER = "other"


_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")
_SPACES = re.compile(r"\s+")
_FILE_ENDING = re.compile(r"\.(?:mbox|mbx|mbs|sbd)$", re.IGNORECASE)
_UTF7 = re.compile(r"&([A-Za-z0-9+,]*)-")
_LABEL = re.compile(r'"([^"]*)"|([^",]+)')


_OF_GMAIL = frozenset((Mailbox.DRAFTS, Mailbox.SPAM, Mailbox.TRASH))


@lru_cache(maxsize=1024)
def mailbox_named(name: str) -> Mailbox:
    """The mailbox of that name, whatever its language; ``OTHER`` where the name says nothing."""
    return _BY_NAME.get(_folded(name), Mailbox.OTHER)


def mailbox_of(folder: PurePath) -> Mailbox:
    """The mailbox that a folder or a mailbox file is, going by its name.

    A folder's name may hold those above it (``.INBOX.Drafts``) and be in IMAP's own spelling of
    letters beyond ASCII (RFC 3501 §5.1.3).
    """
    if folder.name == "mbox":  # Apple Mail exports a mailbox as a folder, and its mails as this
        folder = folder.parent
    name = _decoded(_FILE_ENDING.sub("", folder.name))
    whole = mailbox_named(name.lstrip("."))
    if whole is not Mailbox.OTHER:
        return whole
    return mailbox_named(re.split(r"[./]", name)[-1])


def gmail_mailboxes(labels: str) -> frozenset[Mailbox]:
    """The mailboxes of Gmail's own among the labels of an ``X-Gmail-Labels`` field."""
    found = (quoted or bare for quoted, bare in _LABEL.findall(header_text(labels)))
    return _OF_GMAIL.intersection(map(mailbox_named, found))


def _folded(name: str) -> str:
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", name)).casefold()
    return unicodedata.normalize("NFC", _SPACES.sub(" ", plain).strip())


_BY_NAME = {
    _folded(name): mailbox
    for mailbox, all_names in (
        (Mailbox.SENT, names.SENT),
        (Mailbox.SPAM, names.SPAM),
        (Mailbox.OUTBOX, names.OUTBOX),
        (Mailbox.TEMPLATES, names.TEMPLATES),
        (Mailbox.DRAFTS, names.DRAFTS),
        (Mailbox.TRASH, names.TRASH),
    )
    for name in all_names
}


def _decoded(name: str) -> str:
    return _UTF7.sub(_letters, name) if "&" in name else name


def _letters(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    try:
        coded = found[1].replace(",", "/")
        return b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-16-be")
    except (Error, UnicodeDecodeError):
        return found[0]
