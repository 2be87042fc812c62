"""What providers make of a mail when they deliver it by webhook: a stand-in for each of them."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.messages import Address, AddressKind

RECEIVED = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
KEY = "key-9f2d7a1c"
CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")

#: A part of a form: its field, its content, and what else its Content-Disposition and header say.
FormPart = tuple[str, bytes, str, str]


def account(provider: str, **values: str) -> Account:
    """The account of a clinic at a provider."""
    usual = {"provider": provider, "signing-key": KEY, "user": "hook", "password": "of-ours"}
    return Account("mail", "email", (CARE,), usual | values)


def delivery(content_type: str, body: bytes, **headers: str) -> Delivery:
    """A delivery of that body."""
    urls = ("https://care.example.org/hooks/mail",)
    return Delivery("POST", urls, {"content-type": content_type, **headers}, body, RECEIVED)


def basic(user: str = "hook", password: str = "of-ours") -> str:
    """What a URL with a user and a password becomes."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def form(parts: Sequence[FormPart], boundary: str = "xYzZY", end: str = "--\r\n") -> bytes:
    """A form with those parts."""
    out = b""
    for name, content, disposition, more in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{disposition}\r\n'
        out += f"{head}{more}\r\n".encode("utf-8", "surrogateescape") + content + b"\r\n"
    return out + f"--{boundary}{end}".encode()


def field(name: str, value: str | bytes) -> FormPart:
    """A field of a form."""
    return name, value if isinstance(value, bytes) else value.encode(), "", ""


def file(name: str, filename: str, type_: str, content: bytes) -> FormPart:
    """A file of a form."""
    return name, content, f'; filename="{filename}"', f"Content-Type: {type_}\r\n"


def form_delivery(parts: Sequence[FormPart], **options: str) -> Delivery:
    """A delivery of a form with those parts."""
    boundary = options.get("boundary", "xYzZY")
    return delivery(f'multipart/form-data; boundary="{boundary}"', form(parts, **options))


def signature(
    key: str = KEY, timestamp: str = "1717243200", token: str = "t0k3n"
) -> dict[str, str]:
    """What Mailgun signs with."""
    signed = hmac.digest(key.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
    return {"timestamp": timestamp, "token": token, "signature": signed}


def sendgrid(raw: bytes) -> Delivery:
    """A mail as SendGrid takes it apart: texts as bytes, with their charsets beside them."""
    mail, header = _parsed(raw), raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    texts, files = _apart(mail)
    parts = [field("headers", header + b"\n")]
    parts += [field(name, content) for name, (content, _) in texts.items()]
    charsets = {"to": "UTF-8", **{name: charset for name, (_, charset) in texts.items()}}
    parts.append(field("charsets", json.dumps(charsets)))
    about = {}
    for number, one in enumerate(files, start=1):
        name = f"attachment{number}"
        about[name] = {"type": one.get_content_type()} | _named(one, "filename")
        parts.append(file(name, one.get_filename() or "", one.get_content_type(), _bytes(one)))
    parts.append(field("attachment-info", json.dumps(about)))
    return form_delivery(parts)


def sendgrid_whole(raw: bytes) -> Delivery:
    """A mail as SendGrid posts it whole."""
    return form_delivery([field("to", "care@clinic.example.org"), field("email", raw)])


def mailgun(raw: bytes) -> Delivery:
    """A mail as Mailgun's routes take it apart: texts in UTF-8, the header as pairs."""
    mail = _parsed(raw)
    texts, files = _apart(mail)
    pairs = [[name, str(value)] for name, value in mail.raw_items()]
    parts = [field(name, value) for name, value in signature().items()]
    parts.append(field("message-headers", json.dumps(pairs)))
    for name, (content, charset) in texts.items():
        form_name = "body-plain" if name == "text" else "body-html"
        parts.append(field(form_name, content.decode(charset)))
    for number, one in enumerate(files, start=1):
        name = f"attachment-{number}"
        parts.append(file(name, one.get_filename() or "", one.get_content_type(), _bytes(one)))
    return form_delivery(parts)


def mailgun_whole(raw: bytes) -> Delivery:
    """A mail as Mailgun posts it to a URL that ends in ``mime``."""
    parts = [field(name, value) for name, value in signature().items()]
    return form_delivery([*parts, field("body-mime", raw)])


def postmark(raw: bytes) -> Delivery:
    """A mail as Postmark takes it apart: texts as JSON, files as base64."""
    mail = _parsed(raw)
    texts, files = _apart(mail)
    own = {"from", "to", "cc", "subject", "date", "content-type", "content-transfer-encoding"}
    said: dict[str, Any] = {
        "From": mail["from"].addresses[0].addr_spec,
        "FromFull": {
            "Email": mail["from"].addresses[0].addr_spec,
            "Name": mail["from"].addresses[0].display_name,
        },
        **{name: str(mail[name] or "") for name in ("To", "Cc", "Subject", "Date")},
        "MessageID": "22c74902-a0c1-4511-804f-341342852c90",
        "Headers": [
            {"Name": name, "Value": " ".join(str(value).split())}
            for name, value in mail.raw_items()
            if name.lower() not in own
        ],
        "TextBody": _decoded(texts, "text"),
        "HtmlBody": _decoded(texts, "html"),
        "Attachments": [
            {
                "Name": one.get_filename() or "",
                "ContentType": one.get_content_type(),
                "Content": base64.b64encode(_bytes(one)).decode(),
            }
            for one in files
        ],
    }
    return delivery("application/json", json.dumps(said).encode())


def postmark_whole(raw: bytes) -> Delivery:
    """A mail that Postmark adds to what it takes apart."""
    return delivery("application/json", json.dumps({"RawEmail": raw.decode()}).encode())


def _parsed(raw: bytes) -> EmailMessage:
    as_it_is = policy.default.clone(linesep="\r\n" if b"\r\n" in raw else "\n")
    mail = BytesParser(policy=as_it_is).parsebytes(raw)
    assert isinstance(mail, EmailMessage)
    return mail


def _apart(mail: EmailMessage) -> tuple[dict[str, tuple[bytes, str]], list[EmailMessage]]:
    """The text in its forms, each with its charset, and the files."""
    texts: dict[str, tuple[bytes, str]] = {}
    files: list[EmailMessage] = []
    # A forwarded mail is one file, whose parts are none of this mail's.
    skipped: set[int] = set()
    for part in mail.walk():
        assert isinstance(part, EmailMessage)
        if id(part) in skipped:
            continue
        kind = {"text/plain": "text", "text/html": "html"}.get(part.get_content_type())
        if part.get_content_type() == "message/rfc822":
            skipped |= {id(inner) for inner in part.walk()}
            files.append(part)
        elif kind and kind not in texts and not part.get_filename():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            texts[kind] = content, part.get_content_charset("utf-8")
        elif not part.is_multipart():
            files.append(part)
    return texts, files


def _bytes(part: EmailMessage) -> bytes:
    if part.get_content_type() == "message/rfc822":
        return part.get_payload(0).as_bytes()  # type: ignore[union-attr]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def _named(part: EmailMessage, key: str) -> dict[str, str]:
    name = part.get_filename()
    return {key: name} if name else {}


def _decoded(texts: dict[str, tuple[bytes, str]], name: str) -> str:
    content, charset = texts.get(name, (b"", "utf-8"))
    return content.decode(charset)
