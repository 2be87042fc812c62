"""A Binary's bytes, which a store keeps apart from its JSON."""

from __future__ import annotations

from msgspec import structs

from threadwell.api.context import Context
from threadwell.api.rest.change import Change


async def keep_content(context: Context, change: Change) -> Change:
    """The change, with the bytes of the version before where it brings none of its own."""
    write = change.write
    if write is None or write.type != "Binary" or write.content is not None or not write.before:
        return change
    before = write.before
    content = await context.view.content(context.project, before.id, before.version_id)
    return change._replace(write=structs.replace(write, content=content))
