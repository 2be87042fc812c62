"""A mail made again out of the parts that a provider took it apart into.

So it is read by the rules of every other mail, and is the same message as its copy in a mailbox.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from threadwell.channels.email.parameters import parse_parameters

#: What is said anew about the body that is made here.
_ANEW = frozenset(("content-type", "content-transfer-encoding", "mime-version"))
#: What a mail says of a plain text that is its whole body, and that is not in the text itself.
_FLOWS = ("format", "delsp")


@dataclass(frozen=True, slots=True)
class Text:
    """One form of a mail's text, as bytes in the charset that was named for them."""

    content: bytes
    charset: str = "utf-8"


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file of a mail; ``content_id`` is without its angle brackets.

    ``encoded`` is its content where that came as base64: what is damaged of it is noted by those
    who read the mail.
    """

    filename: str
    content_type: str
    content: bytes = b""
    content_id: str = ""
    encoded: bytes = b""


NO_TEXT = Text(b"")


def again(
    header: Iterable[tuple[str, str]], text: Text, html: Text, files: Sequence[MailFile] = ()
) -> bytes:
    """The bytes of a mail with that header, whose body is in one or two forms, and files.

    The same parts give the same bytes. Bytes of ``header`` that are no UTF-8 are surrogates.
    """
    fields = list(header)
    lines = [_field(name, value) for name, value in fields if name.lower() not in _ANEW]
    kind, said = parse_parameters(_value(fields, "content-type"))
    flows = "".join(
        f"; {name}={said[name]}" for name in _FLOWS if kind == "text/plain" and name in said
    )
    forms = [_text("plain", text, flows)] if text.content or not html.content else []
    if html.content:
        forms.append(_text("html", html))
    body = forms[0] if len(forms) == 1 else _multipart("alternative", forms)
    if kind == "multipart/report":
        # A report is told by its kind alone, whatever its parts have become.
        report = f"report; report-type={_token(said.get('report-type', ''))}"
        body = _multipart(report, [body, *map(_file, files)])
    elif files:
        body = _multipart("mixed", [body, *map(_file, files)])
    return b"".join(lines) + b"MIME-Version: 1.0\n" + body


def header_of(raw: bytes) -> list[tuple[str, str]]:
    """The fields of a header as it stood above a mail, unfolded."""
    fields: list[tuple[str, str]] = []
    text = raw.decode("utf-8", "surrogateescape")
    for line in text.replace("\r\n", "\n").split("\n"):
        if line[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
        elif ":" in line:
            name, _, value = line.partition(":")
            fields.append((name.strip(), value.strip()))
    return fields


def _value(fields: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for field, value in fields if field.lower() == name), "")


def _field(name: str, value: str) -> bytes:
    folded = " ".join(value.split("\n")).replace("\r", " ")
    plain = "".join(c for c in name if "!" <= c <= "~" and c != ":")
    # What has no name is no field, and would end the header.
    return f"{plain}: {folded}\n".encode("utf-8", "surrogateescape") if plain else b""


def _token(text: str) -> str:
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c in "-_.+"))


def _text(kind: str, text: Text, more: str = "") -> bytes:
    charset = _token(text.charset) or "utf-8"
    return _part(f"text/{kind}; charset={charset}{more}", text.content)


def _part(content_type: str, content: bytes, *more: str) -> bytes:
    return _encoded_part(content_type, binascii.b2a_base64(content), *more)


def _encoded_part(content_type: str, base64: bytes, *more: str) -> bytes:
    head = "".join(f"{line}\n" for line in (f"Content-Type: {content_type}", *more))
    return f"{head}Content-Transfer-Encoding: base64\n\n".encode() + base64


def _file(file: MailFile) -> bytes:
    type_ = " ".join(file.content_type.split()).encode("ascii", "ignore").decode()
    if type_.lower().startswith("multipart/"):
        # It came as a file, and is not taken apart into others.
        type_ = ""
    name = quote(file.filename.encode("utf-8", "surrogateescape"), safe="")
    more = [f"Content-Disposition: attachment; filename*=utf-8''{name}"]
    if file.content_id:
        id_ = quote(file.content_id.encode("utf-8", "surrogateescape"), safe="@.-_+$")
        more.append(f"Content-ID: <{id_}>")
    type_ = type_ or "application/octet-stream"
    if file.encoded:
        return _encoded_part(type_, file.encoded, *more)
    return _part(type_, file.content, *more)


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    boundary = sha256(b"\0".join(parts)).hexdigest()
    delimiter = f"--{boundary}".encode()
    body = b"".join(delimiter + b"\n" + part + b"\n" for part in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
    return head + body + delimiter + b"--\n"
