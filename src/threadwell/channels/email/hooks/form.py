"""The fields and files of a form (RFC 7578), as bytes: a provider says their charset elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from threadwell.channels.delivery import Delivery
from threadwell.channels.email.mime import parse
from threadwell.channels.email.parameters import parse_parameters

MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form, under the name of its field."""

    field: str
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The first value of each field, and the files in their order."""

    fields: dict[str, bytes] = field(default_factory=dict)
    files: list[FormFile] = field(default_factory=list)

    def text(self, name: str, charset: str = "utf-8") -> str:
        """The value of a field, ``""`` where there is none."""
        value = self.fields.get(name, b"")
        try:
            return value.decode(charset)
        except (LookupError, UnicodeDecodeError):
            return value.decode("utf-8", "replace")


def read_form(delivery: Delivery) -> Form | None:
    """The form that a delivery is; ``None`` where it is none."""
    if delivery.content_type == URLENCODED:
        return _read_urlencoded(delivery.body)
    if delivery.content_type == MULTIPART:
        return _read_multipart(delivery.headers["content-type"], delivery.body)
    return None


def _read_urlencoded(body: bytes) -> Form:
    form = Form()
    text = body.decode("ascii", "replace")
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        form.fields.setdefault(name, value.encode("utf-8", "surrogateescape"))
    return form


def _read_multipart(content_type: str, body: bytes) -> Form:
    form = Form()
    head = b"Content-Type: %s\n\n" % content_type.encode("latin-1", "replace")
    for disposition, type_, content in _parts(head + body):
        name = disposition.get("name", "")
        if "filename" in disposition:
            form.files.append(FormFile(name, disposition["filename"], type_, content))
        else:
            form.fields.setdefault(name, content)
    return form


def _parts(raw: bytes) -> Iterator[tuple[dict[str, str], str, bytes]]:
    for part in parse(raw).parts:
        _, disposition = parse_parameters(part.get("content-disposition"))
        yield dict(disposition), part.get("content-type"), part.body
