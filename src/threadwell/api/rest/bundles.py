"""Bundles, joined from stored bytes: nothing in them is parsed or serialised again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadwell.api.exchange import Answer
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.fhir.json import encode
from threadwell.stores.contract import Stored


def bundle(
    type_: str,
    entries: Sequence[bytes],
    *,
    total: int | None = None,
    links: Iterable[tuple[str, str]] = (),
) -> Answer:
    """The bundle of serialised entries; ``links`` are (relation, url)."""
    parts = [b'{"resourceType":"Bundle","type":"%s"' % type_.encode()]
    if total is not None:
        parts.append(b',"total":%d' % total)
    linked = [{"relation": relation, "url": url} for relation, url in links]
    if linked:
        parts.append(b',"link":%s' % encode(linked))
    if entries:
        parts += [b',"entry":[', b",".join(entries), b"]"]
    parts.append(b"}")
    return Answer(200, [JSON, PRIVATE], b"".join(parts))


def found_entry(base: bytes, stored: Stored, body: bytes, mode: bytes) -> bytes:
    """The serialised entry of a searchset; ``mode`` is ``match`` or ``include`` (§3.1.1.3)."""
    return b'{"fullUrl":"%s/%s/%s","search":{"mode":"%s"},"resource":%s}' % (
        base,
        stored.type.encode(),
        stored.id.encode(),
        mode,
        body,
    )
