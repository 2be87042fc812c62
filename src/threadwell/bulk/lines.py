"""NDJSON of any FHIR server → resources that may be stored, or the reason why a line may not."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EIO
from pathlib import Path
from typing import NamedTuple

from threadwell.audit.events import PREFIX
from threadwell.fhir.content import take_content
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.json import BadJson, decode, parse
from threadwell.fhir.marks import strip
from threadwell.fhir.outcome import Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import is_id
from threadwell.fhir.search.times import value_range
from threadwell.fhir.subsets import is_subset
from threadwell.fhir.validation import validate
from threadwell.subscriptions.served import LOADED, wait

#: A longer line is no resource that a server would take.
LONGEST = 32 * 1024 * 1024
#: A reference that is a search.
_CONDITION = re.compile(rb'"reference"\s*:\s*"[A-Z][A-Za-z]+\?')
#: How gzip begins, whatever the file is called.
_GZIP = b"\x1f\x8b"
#: Why what is trusted is no resource after all.
MISSHAPEN = "an element in it does not have the form that it should have"
#: Why no AuditEvent may come that would look as if this server had recorded it.
AS_OURS = "what happened here is told by the record itself: it cannot be loaded"
#: Reasons that are told of one line.
_REASONS = 5


class Line(NamedTuple):
    """A line of a file: its number from 1, its bytes, and where in the text the next one begins."""

    number: int
    text: bytes
    ends: int


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that cannot be stored, and why, in words that quote none of it."""

    number: int
    text: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Fit:
    """A resource that may be stored, with the version and the time that it says it had."""

    line: Line
    type: str
    id: str
    resource: Resource
    content: bytes | None
    version_id: str
    #: ``meta.lastUpdated`` as it is written, ``""`` where it says none.
    written: str
    #: Whether it was held against R4; else that is for who puts back what is hidden.
    judged: bool = True

    @property
    def updated(self) -> int | None:
        """When that version was written (milliseconds since 1970); ``None`` where it says none."""
        try:
            return value_range(self.written)[0] // 1000 if len(self.written) > 10 else None
        except ValueError:
            return None


def read_lines(path: Path, start: int = 0, number: int = 0) -> Iterator[Line]:
    """The lines of a file, gzip or plain, from a place in its text on; empty ones are left out.

    Of a line that is longer than ``LONGEST`` only so much comes, and a byte. Raises ``OSError``.
    """
    with path.open("rb") as plain:
        packed = plain.read(2) == _GZIP
    with gzip.open(path, "rb") if packed else path.open("rb") as file, _telling(path):
        file.seek(start)
        at = start
        while text := file.readline(LONGEST + 1):
            number += 1
            at += len(text)
            whole = text
            while len(text) > LONGEST and not text.endswith(b"\n"):
                # The rest of it is no line of its own.
                text = file.readline(LONGEST)
                at += len(text)
                if not text:
                    break
            stripped = whole.strip() if len(whole) <= LONGEST else whole
            if number == 1:
                stripped = stripped.removeprefix(b"\xef\xbb\xbf")
            if stripped:
                yield Line(number, stripped, at)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Whoever meets damage is told in which file."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(EIO, "it is damaged, or ends too early (gzip)", str(path)) from error


def parts_of(lines: Iterator[Line], most: int, most_bytes: int) -> Iterator[list[Line]]:
    """The lines in parts of at most so many, each of which ends where it has so many bytes."""
    part: list[Line] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line.text)
        if len(part) == most or size >= most_bytes:
            yield part
            part, size = [], 0
    if part:
        yield part


def read_line(line: Line, *, trusted: bool, judged: bool = True) -> Fit | Bad:
    """The resource of a line, checked as a write is; ``trusted``: only its name.

    One that is not ``judged`` yet is to be, when it is whole (``unfit``).
    """
    try:
        return _fit(line, trusted=trusted, judged=judged)
    except _Unfit as unfit:
        return Bad(line.number, line.text, str(unfit))
    except (AttributeError, TypeError):
        # Nobody has looked whether its elements have the form that they should have.
        return Bad(line.number, line.text, MISSHAPEN)


def unfit(issues: Sequence[Issue]) -> str:
    """Why a resource with these issues is not stored, in words that quote none of it."""
    told = [f"{one.text} ({one.expression})" if one.expression else one.text for one in issues]
    more = f"; {len(told) - _REASONS} more" if len(told) > _REASONS else ""
    return "; ".join(told[:_REASONS]) + more


class _Unfit(Exception):
    """A line is no resource that can be stored; says why."""


def _fit(line: Line, *, trusted: bool, judged: bool) -> Fit:
    text = line.text
    if len(text) > LONGEST:
        raise _Unfit(f"it is longer than {LONGEST:,} bytes")
    try:
        value = decode(text) if trusted else parse(text)
    except BadJson as error:
        raise _Unfit(f"it is no JSON: {error}") from None
    except UnicodeDecodeError:
        raise _Unfit("it is no UTF-8") from None
    if not isinstance(value, dict):
        raise _Unfit("it is no JSON object")
    type_, id_ = value.get("resourceType"), value.get("id")
    if not isinstance(type_, str) or type_ not in RESOURCE_TYPES:
        raise _Unfit("its resourceType is none of R4")
    if not isinstance(id_, str) or not is_id(id_):
        raise _Unfit("it has no id by which others could refer to it")
    if type_ == "AuditEvent" and id_.startswith(PREFIX):
        raise _Unfit(AS_OURS)
    meta = value.get("meta")
    version_id, written = _marks(meta if isinstance(meta, dict) else {})
    if _CONDITION.search(text):
        raise _Unfit("a reference in it is a search: here it has to name a resource")
    strip(value)
    content = take_content(value)
    if judged and not trusted and (issues := validate(value)):
        raise _Unfit(unfit(issues))
    if is_subset(value):
        raise _Unfit("it is a part of a resource (SUBSETTED): the rest would be lost")
    if type_ == "Subscription":
        # Nobody is called because a file was loaded.
        wait(value, LOADED)
    return Fit(line, type_, id_, value, content, version_id, written, judged)


def _marks(meta: Resource) -> tuple[str, str]:
    version, at = meta.get("versionId"), meta.get("lastUpdated")
    kept = version if isinstance(version, str) and is_id(version) else ""
    return kept, at if isinstance(at, str) else ""
