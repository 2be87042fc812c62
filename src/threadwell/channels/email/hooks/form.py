"""The fields and files of a form (RFC 7578), as bytes: a provider says their charset elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from threadwell.channels.delivery import Delivery
from threadwell.channels.email.charsets import decode
from threadwell.channels.email.mime import pieces, split
from threadwell.channels.email.parameters import parse_parameters
from threadwell.channels.email.words import header_text

MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"

#: ``name="value"``, where a backslash stands for itself unless a quote or another one follows.
_PARAMETER = re.compile(
    r'[;\s]([a-z]+)\s*=\s*(?:"((?:\\["\\]|\\(?!["\\])|[^"\\])*)"|([^;"]*))',
    re.IGNORECASE,
)
_ESCAPE = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form, under the name of its field."""

    field: str
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The first value of each field, and the files in their order.

    ``charsets`` are those that fields name themselves; ``whole`` tells whether its end is there.
    """

    fields: dict[str, bytes] = field(default_factory=dict)
    files: list[FormFile] = field(default_factory=list)
    charsets: dict[str, str] = field(default_factory=dict)
    whole: bool = True

    def text(self, name: str) -> str:
        """The value of a field, ``""`` where there is none."""
        return decode(self.fields.get(name, b""), self.charsets.get(name, "utf-8"))[0]


def read_form(delivery: Delivery) -> Form | None:
    """The form that a delivery is; ``None`` where it is none."""
    if delivery.content_type == URLENCODED:
        return _read_urlencoded(delivery.body)
    if delivery.content_type == MULTIPART:
        return _read_multipart(delivery.headers["content-type"], delivery.body)
    return None


def numbered(form: Form, name: str) -> list[FormFile]:
    """The files of a mail, in its order: they are ``name1`` or ``name-1``, and so on.

    A file without a name of its own may come as a field.
    """
    one = re.compile(re.escape(name) + r"-?([0-9]{1,9})")
    nameless = [
        FormFile(field, "", "", content)
        for field, content in form.fields.items()
        if one.fullmatch(field)
    ]

    def place(file: FormFile) -> int:
        found = one.fullmatch(file.field)
        return int(found[1]) if found else 0

    return sorted([*form.files, *nameless], key=place)


def _read_urlencoded(body: bytes) -> Form:
    form = Form()
    text = body.decode("utf-8", "surrogateescape")
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        form.fields.setdefault(name, value.encode("utf-8", "surrogateescape"))
    return form


def _read_multipart(content_type: str, body: bytes) -> Form:
    # Its parts are not looked into: one may be a mail, or a multipart of its own.
    boundary = parse_parameters(content_type)[1].get("boundary", "").encode("latin-1", "replace")
    found, closed = pieces(body, boundary) if boundary else ([], False)
    form = Form(whole=closed)
    for piece in found:
        head, content = split(piece)
        said = _disposition(next(iter(head.get("content-disposition", ())), ""))
        type_ = next(iter(head.get("content-type", ())), "")
        name = said.get("name", "")
        if "filename" in said:
            form.files.append(FormFile(name, said["filename"], type_, content))
        elif name not in form.fields:
            form.fields[name] = content
            if charset := parse_parameters(type_)[1].get("charset"):
                form.charsets[name] = charset
    return form


def _disposition(value: str) -> Mapping[str, str]:
    """The parameters of a form's Content-Disposition, which are not written as those of a mail.

    A quote in them is written ``\\"`` or ``%22``, and a path keeps its backslashes.
    """
    out: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(value):
        text = _ESCAPE.sub(r"\1", quoted).replace("%22", '"') if quoted else bare.strip()
        out.setdefault(name.lower(), header_text(text))
    if starred := parse_parameters(value)[1].get("filename") if "filename*" in value else None:
        out["filename"] = starred
    return out
