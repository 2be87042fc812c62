"""A mail made again out of the parts that a provider took it apart into.

So it is read by the rules of every other mail, and is the same message as its copy in a mailbox.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

#: What is said anew about the body that is made here.
_ANEW = frozenset(("content-type", "content-transfer-encoding", "mime-version"))


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file of a mail; ``content_id`` is without its angle brackets."""

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""


def again(
    header: Iterable[tuple[str, str]], text: str, html: str, files: Sequence[MailFile] = ()
) -> bytes:
    """The bytes of a mail with that header, whose body is in one or two forms, and files.

    The same parts give the same bytes.
    """
    kept = [(name, value) for name, value in header if name.lower() not in _ANEW]
    lines = [_field(name, value) for name, value in kept]
    forms = [_part("text/plain; charset=utf-8", text.encode("utf-8", "surrogateescape"))]
    if html:
        forms.append(_part("text/html; charset=utf-8", html.encode("utf-8", "surrogateescape")))
        if not text:
            del forms[0]
    body = forms[0] if len(forms) == 1 else _multipart("alternative", forms)
    if files:
        body = _multipart("mixed", [body, *map(_file, files)])
    return b"".join(lines) + b"MIME-Version: 1.0\n" + body


def header_of(text: str) -> list[tuple[str, str]]:
    """The fields of a header as it stood above a mail, unfolded."""
    fields: list[tuple[str, str]] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
        elif ":" in line:
            name, _, value = line.partition(":")
            fields.append((name.strip(), value.strip()))
    return fields


def _field(name: str, value: str) -> bytes:
    folded = " ".join(value.split("\n")).replace("\r", " ")
    plain = "".join(c for c in name if c.isascii() and c.isprintable() and c not in ": ")
    return f"{plain}: {folded}\n".encode("utf-8", "surrogateescape")


def _part(content_type: str, content: bytes, *more: str) -> bytes:
    head = "".join(f"{line}\n" for line in (f"Content-Type: {content_type}", *more))
    encoded = binascii.b2a_base64(content)
    return f"{head}Content-Transfer-Encoding: base64\n\n".encode() + encoded


def _file(file: MailFile) -> bytes:
    type_ = " ".join(file.content_type.split()).encode("ascii", "ignore").decode()
    name = quote(file.filename.encode("utf-8", "surrogateescape"), safe="")
    more = [f"Content-Disposition: attachment; filename*=utf-8''{name}"]
    if file.content_id:
        more.append(f"Content-ID: <{quote(file.content_id, safe='@.-_+$')}>")
    return _part(type_ or "application/octet-stream", file.content, *more)


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    boundary = sha256(b"\0".join(parts)).hexdigest()
    delimiter = f"--{boundary}".encode()
    body = b"".join(delimiter + b"\n" + part + b"\n" for part in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
    return head + body + delimiter + b"--\n"
