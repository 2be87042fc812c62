"""What a form of ours sends, with the files that were chosen in it (RFC 7578)."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.requests import Request

from threadwell.inbox.page import Form, read_form
from threadwell.messages import Attachment, parse_media_type

#: Bytes of the files of one form, with the form around them.
MOST = 25_000_000

_MULTIPART = "multipart/form-data"
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))', re.IGNORECASE)
#: Browsers write a quote as %22, and a line's end as %0D%0A.
_PARAMETER = re.compile(r';\s*(name|filename)="([^"]*)"', re.IGNORECASE)
_TYPE = "application/octet-stream"


class Posted(NamedTuple):
    """The fields of a form and its files; of one that is ``too_large`` only as much as fits."""

    form: Form
    files: list[Attachment]
    too_large: bool = False


async def read_posted(request: Request) -> Posted:
    """The fields and files of a form.

    What is too large is read to its end: a browser listens only then to what is wrong with it.
    """
    boundary = _boundary_of(request)
    if not boundary:
        return Posted(await read_form(request), [])
    body, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= MOST:
            body += part
    # Others have their turn while it is read: a form may be large.
    form, files = await asyncio.to_thread(_read, bytes(body), boundary)
    request.state.form = form
    return Posted(form, files, size > MOST)


async def read_beginning(request: Request, most: int) -> bool:
    """Whether a form has no more than ``most`` bytes; ``request.state.form`` has the fields that
    stand in these.

    The rest is passed over, as far as any form of ours goes: a browser listens only then.
    """
    boundary = _boundary_of(request)
    body, size = bytearray(), 0
    async for part in request.stream():
        body += part[: most - len(body)]
        size += len(part)
        if size > MOST:
            break
    if boundary:
        request.state.form, _ = await asyncio.to_thread(_read, bytes(body), boundary)
    else:
        request.state.form = parse_qs(body.decode("utf-8", "replace"))
    return size <= most


def _boundary_of(request: Request) -> str:
    """What stands between the parts of a form with files, ``""`` for another one."""
    type_ = request.headers.get("content-type", "")
    found = _BOUNDARY.search(type_)
    return (found[1] or found[2]) if found and type_.lower().startswith(_MULTIPART) else ""


def _read(body: bytes, named: str) -> tuple[Form, list[Attachment]]:
    form: Form = {}
    files: list[Attachment] = []
    boundary = f"\r\n--{named}".encode("latin-1")
    for head, content in _parts(b"\r\n" + body, boundary):
        said = {name.lower(): _written(value) for name, value in _PARAMETER.findall(head)}
        if "filename" not in said:
            form.setdefault(said.get("name", ""), []).append(content.decode("utf-8", "replace"))
        elif said["filename"] or content:
            files.append(_file(said["filename"], head, content))
    return form, files


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts that have an end: their heads and contents."""
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        yield head.decode("utf-8", "replace"), content


def _file(name: str, head: str, content: bytes) -> Attachment:
    # A path is of the other machine.
    name = re.split(r"[\\/]", name)[-1] or "File"
    told = re.search(r"^content-type:\s*(\S+)", head, re.IGNORECASE | re.MULTILINE)
    kind = parse_media_type(told[1]) if told else None
    if kind is None or kind.name == _TYPE:
        return Attachment(name, mimetypes.guess_type(name)[0] or _TYPE, content)
    return Attachment(name, kind.name, content)


def _written(value: str) -> str:
    return value.replace("%22", '"').replace("%0D%0A", " ")
