"""Bundles, joined from stored bytes: nothing in them is parsed or serialised again."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.api.answers import bodies
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.fhir.content import with_data
from threadwell.fhir.subsets import subset
from threadwell.stores.contract import Stored

#: Bytes of all Binaries in one Bundle.
MAX_DATA = 32 * 1024 * 1024

_BUT_DATA = ("contentType", "securityContext")


async def bundled(context: Context, request: Request, versions: Sequence[Stored]) -> list[bytes]:
    """The JSON of each version as ``answers.bodies``, and a Binary with its data (§2.42.2).

    All of the data together is ``MAX_DATA`` at most. A Binary for which there is no room is tagged
    as the part of a resource that it is then.
    """
    shown = await bodies(context, request, versions)
    if "Binary" not in {version.type for version in versions}:
        return shown
    left = MAX_DATA
    for at, version in enumerate(versions):
        if version.type != "Binary" or version.deleted:
            continue
        content = await context.view.content(context.project, version.id, version.version_id)
        size = len(content or b"")
        if size > left:
            shown[at] = subset(shown[at], _BUT_DATA)
        else:
            left -= size
            shown[at] = with_data(shown[at], content)
    return shown


def bundle(
    type_: str,
    entries: Sequence[bytes],
    *,
    total: int | None = None,
    links: bytes = b"",
) -> Answer:
    """The bundle of serialised entries; ``links`` are serialised as well (``page_links``)."""
    parts = [b'{"resourceType":"Bundle","type":"%s"' % type_.encode()]
    if total is not None:
        parts.append(b',"total":%d' % total)
    if links:
        parts += (b',"link":', links)
    if entries:
        parts += (b',"entry":[', b",".join(entries), b"]")
    parts.append(b"}")
    return Answer(200, [JSON, PRIVATE], b"".join(parts))


def found_entries(
    base: bytes, found: Sequence[Stored], shown: Sequence[bytes], mode: bytes
) -> list[bytes]:
    """The serialised entries of a searchset; ``mode`` is ``match`` or ``include`` (§3.1.1.3)."""
    between = b'","search":{"mode":"%s"},"resource":' % mode
    type_, begin = "", b""
    out: list[bytes] = []
    for stored, body in zip(found, shown, strict=True):
        if stored.type != type_:
            type_ = stored.type
            begin = b'{"fullUrl":"%s/%s/' % (base, type_.encode())
        # Joined, as bytes that are put into a format are copied twice.
        out.append(b"".join((begin, stored.id.encode(), between, body, b"}")))
    return out
