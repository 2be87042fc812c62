"""Texts that are too long to be read as a message: their beginning, and the whole as a file."""

from __future__ import annotations

from dataclasses import replace

from threadwell.messages import Attachment, Broken, Message

#: A text of more characters is a file that was sent as text.
LONGEST_TEXT = 1024 * 1024
#: How many of them stay in the message.
KEPT_TEXT = 100_000

_FILE_NAME = "whole-text.txt"
_NOTE = f"the text is very long: its beginning stands here, all of it in {_FILE_NAME}"


def with_bounded_text(item: Message | Broken) -> Message | Broken:
    """``item``, with its text as an attachment behind the others if it is a very long one."""
    if not isinstance(item, Message) or len(item.text) <= LONGEST_TEXT:
        return item
    content = item.text.encode("utf-8", "replace")
    whole = Attachment(_FILE_NAME, "text/plain; charset=utf-8", content)
    return replace(
        item,
        text=item.text[:KEPT_TEXT],
        new_text=item.new_text[:KEPT_TEXT],
        attachments=(*item.attachments, whole),
        notes=(*item.notes, _NOTE),
    )
