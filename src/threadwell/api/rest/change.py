"""Decisions about one resource: what is written and what the answer shows. No I/O here."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from threadwell.api.outcomes import forbidden
from threadwell.api.rest.anchored import keep_anchors
from threadwell.fhir.authors import acted_for
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import Stored, Write

_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


class Change(NamedTuple):
    """``status`` and the version to answer with; ``write`` is ``None`` where nothing changes."""

    status: int
    stored: Stored
    write: Write | None


def created(
    resource: Resource,
    id_: str,
    now: int,
    author: str,
    content: bytes | None = None,
    version_id: str = "",
) -> Change:
    """The first version of a resource; ``version_id`` is made unless it is given."""
    return _version(201, resource, id_, None, now, author, content, version_id)


def updated(
    resource: Resource,
    current: Stored,
    now: int,
    author: str,
    content: bytes | None = None,
    version_id: str = "",
    *,
    patched: bool = False,
) -> Change:
    """The version after ``current``, or ``current`` again where nothing but marks would differ.

    After a deletion the resource is there again (201). A ``version_id`` that is given is that of
    a new version, whatever differs: something refers to it. Raises 422 where a place in the record
    would be lost (``keep_anchors``).
    """
    status = 201 if current.deleted else 200
    if status == 200:
        resource = keep_anchors(resource, current, patched=patched)
    if status == 200 and content is None and not version_id and _same(resource, current):
        return Change(200, current, None)
    return _version(status, resource, current.id, current, now, author, content, version_id)


def deleted(current: Stored, now: int, author: str) -> Change:
    """The deletion of ``current``; nothing where it is one itself."""
    if current.deleted:
        return Change(200, current, None)
    now = max(now, current.updated)
    write = Write(current.type, current.id, new_id(now), now, None, b"", current, author)
    return Change(200, _stored(write), write)


def _version(
    status: int,
    resource: Resource,
    id_: str,
    before: Stored | None,
    now: int,
    author: str,
    content: bytes | None,
    version_id: str,
) -> Change:
    if acted_for(author) and resource["resourceType"] == "Subscription":
        # It would go on telling when nobody may act for them any more.
        raise forbidden()
    # The clock may have been set back; lastUpdated never is.
    now = max(now, before.updated) if before else now
    version_id = version_id or new_id(now)
    stamped, body = stamp(resource, id_, version_id, now)
    write = Write(
        resource["resourceType"], id_, version_id, now, stamped, body, before, author, content
    )
    return Change(status, _stored(write), write)


def _stored(write: Write) -> Stored:
    return Stored(
        write.type,
        write.id,
        write.version_id,
        write.updated,
        write.resource is None,
        write.body,
        write.author,
    )


def _same(resource: Resource, current: Stored) -> bool:
    one, other = _unmarked(resource), _unmarked(decode(current.body))
    # What is equal is compared as text, too: 1.10 and 1.1 are the same number and not the same
    # decimal. What is not equal is no other text for the same.
    return one == other and _canonical(one) == _canonical(other)


def _unmarked(resource: Resource) -> Resource:
    meta = {
        name: value
        for name, value in (resource.get("meta") or {}).items()
        if name not in ("versionId", "lastUpdated")
    }
    return {**resource, "id": "", "meta": meta}
