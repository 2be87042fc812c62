"""A Binary's bytes, which a store keeps apart from its JSON."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace

from threadwell.api.context import Context
from threadwell.api.rest.change import Change
from threadwell.fhir.resource import Resource


def take_content(resource: Resource) -> bytes | None:
    """What ``data`` of a Binary holds, taken out of it; ``None`` where there is nothing to take.

    Data that is not base64 stays, for validation to name it. The ``url`` of our answers goes too.
    """
    if resource.get("resourceType") != "Binary":
        return None
    resource.pop("url", None)
    data = resource.get("data")
    if not isinstance(data, str):
        return None
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except binascii.Error:
        return None
    del resource["data"]
    return content


async def keep_content(context: Context, change: Change) -> Change:
    """The change, with the bytes of the version before where it brings none of its own."""
    write = change.write
    if write is None or write.type != "Binary" or write.content is not None or not write.before:
        return change
    before = write.before
    content = await context.view.content(context.project, before.id, before.version_id)
    return change._replace(write=replace(write, content=content))
