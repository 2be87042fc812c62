"""A mail that answers in a thread, from what was written to its bytes (RFC 5322, RFC 2045).

The same reply makes the same bytes whenever it is sent, so that a second copy can be told as one.
Header fields are folded here: Python's own folding encodes a Message-ID that is longer than a line
(CPython 3.11.7), and then nobody finds the mail that is answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

from threadwell.channels.email.identifiers import MADE_DOMAIN
from threadwell.channels.sending import Outbound
from threadwell.messages import Address, Attachment

#: Ids that a mail names at most: the first one and the last ones (RFC 5322 §3.6.4 sets no limit).
_MOST_IDS = 20
_LINE = 76
#: What an id may be of (RFC 5322 §3.6.4), and be taken by every server.
_ID = re.compile(r"[!-;=?-~]{1,240}")
#: How the id of a message begins that was never that of a mail.
_NO_MAIL = re.compile(rf"reply:|.*@{re.escape(MADE_DOMAIN)}\Z")
_PLAIN = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TYPE = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,60})/([a-z0-9][a-z0-9!#$&^_.+-]{0,60})")


class _AsWritten(EmailPolicy):
    """Leaves fields as they are where they come folded already."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        return (name, value) if name in _FOLDED else super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        return value if name in _FOLDED else super().header_fetch_parse(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name in _FOLDED:
            return f"{name}: {value}\r\n".encode()
        return super().fold_binary(name, value)


_FOLDED = frozenset(
    (
        *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
        # For the server alone, with a Message-ID in them.
        *("X-SMTPAPI", "X-PM-Metadata-threadwell"),
    )
)
_NOTHING: Mapping[str, str] = {}
_POLICY = _AsWritten(
    linesep=SMTP.linesep, raise_on_defect=SMTP.raise_on_defect, header_factory=SMTP.header_factory
)


def message_id(external_id: str, own: Address) -> str:
    """The Message-ID of what was written here under that id, without ``<>``."""
    digest = sha256(f"threadwell|{external_id}".encode()).hexdigest()[:32]
    return f"{digest}@{own.value.rpartition('@')[2]}"


def compose(
    out: Outbound, name: str, answered_at: str = "", more: Mapping[str, str] = _NOTHING
) -> bytes:
    """The mail; ``name`` stands beside the practice's address. Lines end with CRLF.

    It is ``answered_at`` that address, if not at the one that it comes from. ``more`` are fields
    for the server that it is handed to.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["Date"] = format_datetime(out.written or out.since)
    mail["From"] = _mailbox(name, out.own.value)
    if answered_at:
        mail["Reply-To"] = _mailbox(name, answered_at)
    mail["To"] = ",\r\n ".join(one.value for one in out.recipients)
    mail["Subject"] = _words("Subject", out.subject)
    mail["Message-ID"] = f"<{message_id(out.external_id, out.own)}>"
    chain = _chain(out.references)
    answered = next(iter(_chain([out.answers])), "") or (chain[-1] if chain else "")
    if answered:
        mail["In-Reply-To"] = f"<{answered}>"
        mail["References"] = "\r\n ".join(f"<{id_}>" for id_ in _bounded(chain or [answered]))
    if out.automatic:
        # So that no other machine answers it (RFC 3834 §5).
        mail["Auto-Submitted"] = "auto-replied"
    for field, value in more.items():
        mail[field] = value
    mail["MIME-Version"] = "1.0"
    text = _NOT_IN_TEXT.sub("", out.text)
    if text or not out.attached:
        mail.set_content(text, charset="utf-8", cte="quoted-printable")
    for number, file in enumerate(out.attached, start=1):
        _attach(mail, file, number)
    if mail.is_multipart():
        # What is encoded cannot hold this.
        mail.set_boundary(f"=_{sha256(out.external_id.encode()).hexdigest()[:40]}")
    return bytes(mail)


def _attach(mail: EmailMessage, file: Attachment, number: int) -> None:
    found = _TYPE.fullmatch(file.content_type.partition(";")[0].strip().lower())
    major, minor = found.groups() if found else ("application", "octet-stream")
    if major in ("message", "multipart"):
        # Such a part must not be encoded (RFC 2046 §5.2.1), and a file is taken as it is.
        major, minor = "application", "octet-stream"
    name = _clean(file.filename).replace("/", "_").replace("\\", "_")[-120:] or f"file-{number}"
    mail.add_attachment(file.content or b"", maintype=major, subtype=minor, filename=name)


def _chain(ids: Sequence[str]) -> list[str]:
    return [one for one in dict.fromkeys(ids) if _ID.fullmatch(one) and not _NO_MAIL.match(one)]


def _bounded(ids: Sequence[str]) -> Iterator[str]:
    yield from ids if len(ids) <= _MOST_IDS else (ids[0], *ids[1 - _MOST_IDS :])


def _mailbox(name: str, address: str) -> str:
    name = _clean(name)
    if not name:
        return address
    if not _PLAIN.fullmatch(name) or "=?" in name or len(name) > _LINE - len("From: "):
        return f"{_encoded('From', name)}\r\n <{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    written = name if _ATOMS.fullmatch(name) else f'"{quoted}"'
    return f"{written}\r\n <{address}>"


def _words(field: str, text: str) -> str:
    text = _clean(text)
    plain = _PLAIN.fullmatch(text) and "=?" not in text
    return text if plain and len(f"{field}: {text}") <= _LINE else _encoded(field, text)


def _encoded(field: str, text: str) -> str:
    """RFC 2047 §2: words of at most 75 characters, each on a line of its own."""
    return Header(text, "utf-8", maxlinelen=_LINE, header_name=field).encode(linesep="\r\n")


def _clean(text: str) -> str:
    return " ".join(_UNSEEN.sub(" ", text).split())
