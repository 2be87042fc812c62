"""References between the entries of a batch, by ``urn:uuid:`` and the like.

FHIR R4 §3.1.0.11.1 has none; Medplum's guides use them and its server links them. An entry that
refers to another waits until that one has been answered, and is refused where it failed: nothing
is stored that leads nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from threadwell.api.exchange import Answer
from threadwell.api.rest.entries import Entry
from threadwell.api.rest.links import VERSIONED, relink_entry
from threadwell.fhir.links import reference_parts
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.fhir.references import references

#: Names that mean something within the bundle alone.
_LOCAL = ("urn:uuid:", "urn:oid:")
_MENTIONED = re.compile(rb'"reference"\s*:\s*"urn:')
_WRITES = ("POST", "PUT", "PATCH")


def may_link(body: bytes, entries: Sequence[Entry | FhirError]) -> bool:
    """May there be such references in the bundle whose JSON is ``body``?"""
    return _MENTIONED.search(body) is not None or any(
        isinstance(entry, Entry)
        # What a patch brings may be hidden in base64.
        and (entry.full_url.startswith(_LOCAL) or entry.request.method == "PATCH")
        for entry in entries
    )


class BatchLinks:
    """What each entry waits for, and what it becomes once that is there."""

    def __init__(self, entries: Sequence[Entry | FhirError]) -> None:
        #: Position of the entry that has a name; -1 where several have it.
        self._named: dict[str, int] = {}
        for at, entry in enumerate(entries):
            if not isinstance(entry, Entry) or entry.request.method not in _WRITES:
                continue
            name = entry.full_url
            if name.startswith(_LOCAL):
                self._named[name] = -1 if name in self._named else at

    def waits_for(self, entry: Entry | FhirError) -> set[int]:
        """The positions of those that the entry refers to."""
        found: set[int] = set()
        if not isinstance(entry, Entry):
            return found

        def note(link: str) -> None:
            at = self._named.get(_parted(link)[0])
            if at is not None and at >= 0:
                found.add(at)

        relink_entry(entry, note)
        return found

    def led(self, entry: Entry, answers: Mapping[int, Answer]) -> Entry:
        """The entry with its links led to what was made; raises 400 where one leads nowhere."""

        def lead(link: str) -> str | None:
            name, is_versioned = _parted(link)
            answer = answers.get(self._named.get(name, -1))
            made = _made(answer) if answer else ""
            if not made:
                return None
            return made if is_versioned else made.partition("/_history/")[0]

        resource = relink_entry(entry, lead)
        for path, text in _mentions(resource, entry.request.method == "PATCH"):
            if text.startswith(_LOCAL):
                raise invalid("The reference leads to no entry of this batch that was stored", path)
        return replace(entry, resource=resource)


def _mentions(resource: object, is_patch: bool) -> list[tuple[str, str]]:
    """Where there are references, and what they say."""
    if isinstance(resource, list):  # the operations of a patch
        return [("", text) for operation in resource for text in _texts(operation)]
    if is_patch:  # by FHIRPath
        texts = [part["valueString"] for part in reference_parts(resource)]
        return [("", text) for text in (*texts, *_texts(resource))]
    if not isinstance(resource, dict):
        return []
    return [(path, reference["reference"]) for path, reference in references(resource)]


def _texts(value: object) -> list[str]:
    """What stands under ``reference`` anywhere in an operation, or is to stand there."""
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if not isinstance(value, dict):
        return []
    found = [text for item in value.values() for text in _texts(item)]
    is_one = str(value.get("path")).endswith("/reference")
    text = value.get("value" if is_one else "reference")
    return [*found, text] if isinstance(text, str) else found


def _parted(link: str) -> tuple[str, bool]:
    """The link without its version, and whether it has one."""
    found = VERSIONED.fullmatch(link)
    return (found[1], True) if found else (link, False)


def _made(answer: Answer) -> str:
    """``Type/id/_history/version`` of what an entry made or found; ``""`` where it failed."""
    headers = dict(answer.headers)
    url = headers.get(b"location") or headers.get(b"content-location") or b""
    if answer.status >= 400 or not url:
        return ""
    return "/".join(url.decode().rsplit("/", 4)[1:])
