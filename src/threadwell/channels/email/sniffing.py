"""Tells mail files by their content."""

from __future__ import annotations

import re
from pathlib import Path

from threadwell.channels.email.from_line import MAIL_FIELDS
from threadwell.channels.email.maildir import is_maildir
from threadwell.channels.email.mbox import is_mbox
from threadwell.channels.email.outlook import data_file
from threadwell.channels.email.outlook.compound import is_item

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_FOLDED = (b" ", b"\t")
_ENOUGH = 2
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def sniff(head: bytes, path: Path) -> bool:
    """Whether a file that begins with ``head``, or the folder ``path``, holds mail.

    True for an mbox, a single mail (with or without a ``From `` line, or an item of Outlook), a
    Maildir and a data file of Outlook.
    """
    if not head:
        return is_maildir(path)
    if head.startswith(data_file.MAGIC) or is_item(head, path):
        return True
    return is_mbox(head) or _is_mail(head)


def _is_mail(head: bytes) -> bool:
    """Whether ``head`` is a mail's header: at least two of its usual fields, and only fields."""
    known: set[bytes] = set()
    lines = head.removeprefix(_BYTE_ORDER_MARK).lstrip(b"\r\n").splitlines()
    for number, line in enumerate(lines):
        if not line:
            break
        if line.startswith(_FOLDED) and number:
            continue
        found = _FIELD.match(line)
        if found is None:
            break
        known.add(found[1].lower())
    return len(known & MAIL_FIELDS) >= _ENOUGH
