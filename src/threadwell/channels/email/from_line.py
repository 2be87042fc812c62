"""The lines that stand between the mails of a mailbox file, and how sure it is that one does.

RFC 4155 wants ``From ana@example.org Wed Apr 10 09:00:00 2024``. Other dates are written too, no
date at all, and by Thunderbird nothing but the word. A sentence may begin with that word as well,
so the less a line says, the more of a mail's header has to follow it.
"""

from __future__ import annotations

import re
from enum import IntEnum

_LONGEST_LINE = 1000
#: How much of a header is looked at before its line is taken for one of the text.
_LOOKED_AT = 64 * 1024

_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = rb"\d{1,2}:\d\d(?::\d\d)?"
#: As ``asctime`` writes it, the zone before or behind the year. Nobody writes so in a sentence.
_ASCTIME = re.compile(
    rb"\b" + _MONTH + rb" +\d{1,2} +" + _TIME + rb"(?: +(?:[A-Z]{1,5}|[+-]\d[\d:]*)){0,2}"
    rb" +(?:\d{4}\b|\d\d$)"
)
_OTHER_DATE = re.compile(
    rb"\b\d{1,2}[ -]" + _MONTH + rb"[a-z]*[ -]\d{2,4},? +" + _TIME + rb"|"
    rb"\b\d{4}[-/.]\d\d?[-/.]\d\d?[T ]+" + _TIME
)
#: Beside a mailbox, a day alone will do.
_DAY = re.compile(
    rb"\b" + _MONTH + rb" +\d{1,2},? +\d{4}\b|\b\d{1,2}[ -]" + _MONTH + rb"[a-z]*[ -]\d{4}\b"
    rb"|\b\d{4}-\d\d-\d\d\b"
)
_CLOCK = re.compile(rb"(?<![\d:])\d{1,2}[:.]\d\d(?![\d:]*\d{3})")
_YEAR = re.compile(rb"\b(?:19|20)\d\d\b")
_MAILBOX = re.compile(rb'From +(?:[^\s@]+@[^\s@]+|-|MAILER-DAEMON|"[^"]*")(?=\s|$)')

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_SPACE = (b" ", b"\t")
_PLAIN_FIELDS = frozenset((b"from", b"to", b"cc", b"bcc", b"date", b"subject"))
#: Fields that nothing but a mail has: a text may well have lines that begin with ``Date:``.
_OWN_FIELDS = frozenset(
    (
        *(b"message-id", b"in-reply-to", b"references", b"received", b"return-path"),
        *(b"delivered-to", b"reply-to", b"mime-version", b"content-type", b"x-original-to"),
        *(b"content-transfer-encoding", b"x-mailer", b"dkim-signature", b"envelope-to"),
        *(b"x-gmail-labels", b"x-gm-thrid", b"x-mozilla-status", b"x-mozilla-status2"),
        *(b"x-mozilla-keys", b"x-account-key", b"x-uidl", b"x-evolution", b"sender"),
    )
)
MAIL_FIELDS = _PLAIN_FIELDS | _OWN_FIELDS
_MOZILLA = b"x-mozilla-status"


class Doubt(IntEnum):
    """What has to follow a line before it separates two mails."""

    #: One field of any name.
    LITTLE = 0
    #: A blank line before it, and one of a mail's usual fields.
    SOME = 1
    #: A blank line before it, and what only a mail's header has.
    MUCH = 2
    #: Nothing helps: it is a line of the text.
    FULL = 3


def doubt(line: bytes) -> Doubt:
    """How far a line is from being the separator that RFC 4155 wants."""
    if not line.startswith(b"From") or len(line) > _LONGEST_LINE:
        return Doubt.FULL
    said = line.rstrip()
    if said == b"From":
        return Doubt.MUCH
    if not said.startswith(b"From "):
        return Doubt.FULL
    if _ASCTIME.search(said):
        return Doubt.LITTLE
    mailbox = _MAILBOX.match(said)
    if mailbox:
        end = mailbox.end()
        if end == len(said) or _OTHER_DATE.search(said, end) or _DAY.search(said, end):
            return Doubt.SOME
    return Doubt.MUCH if _CLOCK.search(said) and _YEAR.search(said) else Doubt.FULL


class Candidate:
    """A line that may begin a mail, and what follows it, until that is decided.

    ``following`` are the lines taken so far, with their ends.
    """

    def __init__(self, line: bytes, doubt: Doubt, *, after_blank: bool) -> None:
        self.line = line
        self.following: list[bytes] = []
        self._doubt = doubt
        self._after_blank = after_blank
        self._known: set[bytes] = set()
        self._sure = False
        self._size = 0

    def take(self, line: bytes) -> bool | None:
        """Whether a mail begins, now that ``line`` follows; ``None`` while that is open.

        Where it is ``False``, ``line`` is not among ``following``.
        """
        field = _FIELD.match(line)
        if field is None and not self._continues(line):
            return False
        self.following.append(line)
        self._size += len(line)
        if field is not None:
            self._note(field[1].lower(), line)
        if self._enough(field is not None):
            return True
        return None if self._size <= _LOOKED_AT else self._give_back()

    def _continues(self, line: bytes) -> bool:
        if line.startswith((b">From ", b"From ")):
            return not self.following
        return bool(self.following) and line.startswith(_SPACE) and not line.isspace()

    def _note(self, name: bytes, line: bytes) -> None:
        if name in MAIL_FIELDS:
            self._known.add(name)
        if name in _OWN_FIELDS or (name == b"from" and b"@" in line):
            self._sure = True

    def _enough(self, is_field: bool) -> bool:
        if self._doubt is Doubt.LITTLE:
            return is_field or len(self.following) == 1
        # Thunderbird itself forgets the blank line now and then, but never its own field.
        if not self._after_blank and _MOZILLA not in self._known:
            return False
        if self._doubt is Doubt.SOME:
            return bool(self._known)
        return self._sure and (len(self._known) > 1 or _MOZILLA in self._known)

    def _give_back(self) -> bool:
        self.following.pop()
        return False
