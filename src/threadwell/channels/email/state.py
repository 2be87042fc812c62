"""Whether a mail was ever sent and is still wanted: what programs note on it where they keep it.

Only what was sent is care. A draft is set aside, and so is spam, of which nobody may become a
patient; what was thrown away stays, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from threadwell.channels.email.mailboxes import Mailbox, gmail_mailboxes
from threadwell.channels.email.mime import Part

DRAFT = "a draft, never sent"
TEMPLATE = "a template, never sent"
UNSENT = "was still waiting to be sent"
SPAM = "marked as spam"
MARKED_DELETED = "marked as deleted in the mailbox"
IN_TRASH = "in the mailbox's trash"

#: nsMsgMessageFlags of Thunderbird, of which X-Mozilla-Status2 holds the upper half.
_EXPUNGED, _QUEUED = 0x0008, 0x0800
_IMAP_DELETED, _TEMPLATE = 0x0020_0000, 0x0100_0000
#: CamelMessageFlags of Evolution, behind the uid in X-Evolution.
_EVOLUTION_DELETED, _EVOLUTION_DRAFT = 0x0002, 0x0004
#: A server has carried the mail. Programs leave a draft's marks on mails that they send in the end.
_CARRIED = (
    *("received", "return-path", "delivered-to", "dkim-signature", "authentication-results"),
    *("x-received", "arc-seal", "list-id", "x-mailing-list", "x-originating-ip"),
)
#: Fields that are there with a draft only: Apple's own, Roundcube's.
_OF_DRAFTS = ("x-apple-auto-saved", "x-draft-info")
_APPLE_DRAFT = "com.apple.mail-draft"
_FIELDS = frozenset(
    (
        *("x-gmail-labels", "x-mozilla-status", "x-mozilla-status2", "x-mozilla-draft-info"),
        *("x-mozilla-keys", "x-keywords", "x-status", "x-evolution", "x-unsent"),
        *("x-uniform-type-identifier", *_OF_DRAFTS),
    )
)
_SET_ASIDE = {
    Mailbox.DRAFTS: DRAFT,
    Mailbox.TEMPLATES: TEMPLATE,
    Mailbox.OUTBOX: UNSENT,
    Mailbox.SPAM: SPAM,
}


class Kept(NamedTuple):
    """Where and how a mail was kept, as far as its header does not say.

    ``mailbox`` goes by the name of the folder or file, ``flags`` are those of a Maildir,
    ``from_line`` is the From_ line of a mailbox file.
    """

    mailbox: Mailbox = Mailbox.OTHER
    flags: str = ""
    from_line: str = ""


_UNKNOWN = Kept()[:2]


def set_aside(mail: Part, kept: Kept) -> str:
    """Why the mail is no care, in plain words; ``""`` if it may be."""
    if kept[:2] == _UNKNOWN and _FIELDS.isdisjoint(mail.fields):
        return ""
    boxes = gmail_mailboxes(mail.get("x-gmail-labels"))
    if "D" in kept.flags or Mailbox.DRAFTS in boxes:
        return DRAFT
    if Mailbox.SPAM in boxes or "junk" in _keywords(mail):
        return SPAM
    if kept.mailbox is Mailbox.SPAM:
        return SPAM
    if any(mail.get(name) for name in _CARRIED):
        return ""
    return _SET_ASIDE.get(kept.mailbox, "") or _unsent(mail, kept)


def state_notes(mail: Part, kept: Kept) -> Iterator[str]:
    """Notes on a mail that somebody threw away."""
    if kept[:2] == _UNKNOWN and _FIELDS.isdisjoint(mail.fields):
        return
    status, status2 = _mozilla(mail)
    deleted = "T" in kept.flags or "D" in mail.get("x-status").upper()
    deleted = deleted or bool(_evolution(mail) & _EVOLUTION_DELETED)
    if deleted or status & _EXPUNGED or status2 & _IMAP_DELETED:
        yield MARKED_DELETED
    trash = Mailbox.TRASH
    if kept.mailbox is trash or trash in gmail_mailboxes(mail.get("x-gmail-labels")):
        yield IN_TRASH


def _unsent(mail: Part, kept: Kept) -> str:
    """What the program that wrote a mail says of it, which no server has carried yet."""
    status, status2 = _mozilla(mail)
    if status2 & _TEMPLATE:
        return TEMPLATE
    if status & _QUEUED:
        return UNSENT
    if mail.get("x-unsent").strip() == "1" or any(mail.get(name) for name in _OF_DRAFTS):
        return DRAFT
    if _APPLE_DRAFT in mail.get("x-uniform-type-identifier").lower():
        return DRAFT
    # The T of an mbox is a draft, and that of a Maildir is trash.
    if "T" in mail.get("x-status").upper() or _evolution(mail) & _EVOLUTION_DRAFT:
        return DRAFT
    # Thunderbird leaves it on what it has sent as well, of which the copy then lies with the sent.
    if mail.get("x-mozilla-draft-info") and kept.mailbox is not Mailbox.SENT:
        return DRAFT
    return ""


def _mozilla(mail: Part) -> tuple[int, int]:
    return _hexadecimal(mail.get("x-mozilla-status")), _hexadecimal(mail.get("x-mozilla-status2"))


def _evolution(mail: Part) -> int:
    return _hexadecimal(mail.get("x-evolution").rpartition("-")[2])


def _hexadecimal(text: str) -> int:
    try:
        return int(text or "0", 16)
    except ValueError:
        return 0


def _keywords(mail: Part) -> set[str]:
    words = f"{mail.get('x-mozilla-keys')} {mail.get('x-keywords')}".lower().split()
    return {word.lstrip("$\\") for word in words}
