"""An export becomes messages: chat by chat, each in one pass to learn its people, one to read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.json_cursor import LONGEST_PIECE, opened
from threadwell.channels.telegram.chats import MEDIUM, NAME, chats_of
from threadwell.channels.telegram.records import Records, Refused
from threadwell.channels.telegram.words import found
from threadwell.channels.text import text_head
from threadwell.messages import Broken, Message

#: What an export of a chat, and one of an account, say at their beginning.
_CHAT = re.compile(
    r'"type"\s*+:\s*+"(?:personal_chat|bot_chat|saved_messages|private_group|private_supergroup'
    r'|public_supergroup|private_channel|public_channel|replies|verification_codes)"'
)
_ACCOUNT = re.compile(
    r'\{\s*+(?:"about"\s*+:\s*+"[^"]{0,2000}",\s*+)?'
    r'"(?:personal_information|profile_pictures|contacts|frequent_contacts|chats|left_chats)"'
    r"\s*+:\s*+[\[{]"
)
_RECORD = re.compile(r'"(?:from_id|date_unixtime)"\s*+:')
_NAMED = re.compile(rb'"(?:photo|file|thumbnail)"\s*+:\s*+("[^"]{1,4000}")')
_PAGE = re.compile(r'<div class="page_(?:wrap|header)|<title>Exported Data</title>')
_PAGES = "the pages of a Telegram export name nobody for certain: export it as JSON"

_DAMAGED = "the record is damaged or breaks off"
_NO_END = "the file breaks off, or is no export"


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file is the JSON of an export: it says so at its beginning."""
    text = text_head(head).lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return False
    if _CHAT.search(text) and '"messages"' in text:
        return True
    return _ACCOUNT.match(text) is not None and ('"list"' in text or '"user_id"' in text)


def nearly(head: bytes, _path: Path) -> str:
    """Of the pages of an export for people: that there is another form of it."""
    text = text_head(head)
    return _PAGES if "Telegram" in text and _PAGE.search(text) else ""


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of an export, chat by chat, and a ``Broken`` for each record that is none."""
    first = True
    with opened(path) as content:
        for chat in chats_of(content):
            if chat.begins < 0:
                kept = bytes(content[:LONGEST_PIECE]) if first else b""
                yield Broken(NAME, path.name, _NO_END, kept, "application/json")
                continue
            first = False
            records = Records.of(chat, options, path.parent)
            for place, piece in enumerate(chat.pieces()):
                source = f"{path.name}, byte {piece.offset}"
                if piece.value is None:
                    why = _DAMAGED if piece.content else _NO_END
                    yield Broken(NAME, source, why, piece.content, "application/json")
                    continue
                item = records.read(piece.value, place)
                if isinstance(item, Refused):
                    aside = item.set_aside
                    kept = piece.content
                    yield Broken(NAME, source, item.reason, kept, "application/json", aside)
                elif item is not None:
                    yield item


def companions(path: Path) -> Iterator[Path]:
    """The files that an export names, those that are small pictures of others too."""
    with opened(path) as content:
        for named in _NAMED.finditer(content):
            try:
                name = json.loads(named[1])
            except ValueError:
                continue
            beside = found(name, path.parent)
            if beside is not None:
                yield beside


CHANNEL = Channel(
    name=NAME,
    label="Telegram",
    description="Telegram: the JSON that Telegram Desktop exports, of a chat or of an account",
    sniff=sniff,
    read=read,
    companions=companions,
    nearly=nearly,
    medium=MEDIUM,
)
