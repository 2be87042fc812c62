"""Names of files as text: a file system may hold bytes that no text is."""

from __future__ import annotations

from dataclasses import replace

from threadwell.messages import Broken, Message


def shown(name: str) -> str:
    """``name`` with ``\\xNN`` for each byte that is not UTF-8, where Python has half a pair."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return name


def with_shown_names(item: Message | Broken) -> Message | Broken:
    """``item`` with what it took from the names of files as they are shown."""
    if isinstance(item, Broken):
        source = shown(item.source)
        return item if source is item.source else replace(item, source=source)
    if item.thread_hint.isascii() and not (
        item.attachments and any(not one.filename.isascii() for one in item.attachments)
    ):
        return item
    files = tuple(replace(one, filename=shown(one.filename)) for one in item.attachments)
    return replace(item, thread_hint=shown(item.thread_hint), attachments=files)
