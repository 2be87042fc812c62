"""What a record says: Slack's marks and entities become what a reader saw."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from threadwell.messages import looks

#: A link, a mention or a date. ``<`` and ``>`` that people type are entities.
_MARK = re.compile(r"<([^<>\n]{1,4000})>")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
#: What lets anybody fetch the files of a workspace.
_SECRET = re.compile(r"xox[a-z]-[0-9A-Za-z-]{1,400}")
_SECRET_BYTES = re.compile(_SECRET.pattern.encode())
_HIDDEN = "xox-hidden"
_SPACES = re.compile(r"\s+")
#: How deep blocks are looked into; Slack nests them four deep.
_DEEPEST = 12

Called = Callable[[str], str]


class Words(NamedTuple):
    """``text`` is all of it as a reader saw it, ``new_text`` what is not shared from elsewhere.

    ``raw`` is what of it stays the same in every export, whatever people and channels are called
    by then. ``notes`` say how looks are shown in it.
    """

    text: str
    new_text: str
    raw: str
    notes: tuple[str, ...] = ()


def read_words(record: Mapping[str, Any], person: Called, channel: Called) -> Words:
    """The words of a record. ``person`` and ``channel`` tell what ids are called.

    ``text`` counts where it says anything; the blocks repeat it. What apps write stands in
    attachments. Those that Slack adds later, to show what a link leads to, are left out.
    """
    written = _text(record.get("text"))
    parts = [written] if written.strip() else [_of_blocks(record.get("blocks"))]
    shared: list[str] = []
    for one in _dicts(record.get("attachments")):
        if one.get("is_msg_unfurl") or one.get("is_share"):
            shared.append(_of_attachment(one))
        elif not (one.get("from_url") or one.get("original_url")):
            parts.append(_of_attachment(one))
    own = "\n".join(filter(None, (part.strip() for part in parts)))
    new_text = _shown(own, person, channel)
    quoted = "\n\n".join(
        "\n".join(f"> {line}".rstrip() for line in _shown(one, person, channel).split("\n"))
        for one in shared
        if one
    )
    text, notes = looks.told("\n\n".join(filter(None, (new_text, quoted))))
    raw = _stable(looks.without_marks(own or "\n".join(shared)))
    return Words(text, looks.shown(new_text) or text, raw, notes)


def without_secrets(content: bytes) -> bytes:
    """A record without the tokens that are in the addresses of its files."""
    return _SECRET_BYTES.sub(_HIDDEN.encode(), content)


def _shown(raw: str, person: Called, channel: Called) -> str:
    """``raw`` as Slack shows it."""
    out: list[str] = []
    end = 0
    for mark in _MARK.finditer(raw):
        out += [raw[end : mark.start()], _mark(mark[1], person, channel)]
        end = mark.end()
    out.append(raw[end:])
    return _SECRET.sub(_HIDDEN, _ENTITY.sub(lambda found: _ENTITIES[found[1]], "".join(out)))


def _mark(inside: str, person: Called, channel: Called) -> str:
    target, _, label = inside.partition("|")
    kind, rest = target[:1], target[1:]
    if kind == "@":
        return f"@{person(rest)}"
    if kind == "#":
        return f"#{label or channel(rest)}"
    if kind == "!":
        command = rest.partition("^")[0]
        if command in ("date", "subteam"):
            return label or command
        return f"@{(label or rest).removeprefix('@')}"
    bare = target.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (target, bare):
        return bare
    return label if bare in label or bare != target else f"{label} ({target})"


def _stable(raw: str) -> str:
    """Words without what people, channels and groups are called, which changes."""
    bare = _MARK.sub(
        lambda found: f"<{found[1].partition('|')[0]}>" if found[1][0] in "@#!" else found[0], raw
    )
    return _SPACES.sub(" ", unicodedata.normalize("NFC", _SECRET.sub("", bare))).strip()


def _of_attachment(one: Mapping[str, Any]) -> str:
    fields = [
        ": ".join(filter(None, (_text(each.get("title")), _text(each.get("value")))))
        for each in _dicts(one.get("fields"))
    ]
    said = [_text(one.get(key)) for key in ("pretext", "author_name", "title", "text")]
    blocks = one.get("blocks") or one.get("message_blocks")
    said = [*said, *fields] if any((*said[2:], *fields)) else [*said, _of_blocks(blocks)]
    if not any(said[2:]):
        said.append(_text(one.get("fallback")))
    return "\n".join(filter(None, (part.strip() for part in said)))


def _of_blocks(blocks: object) -> str:
    lines = ("".join(_of_block(one, 0)).strip() for one in _dicts(blocks))
    return "\n".join(filter(None, lines))


def _of_block(block: object, depth: int) -> Iterator[str]:
    """The words of a block and of those within it, of whatever kind they are."""
    if depth > _DEEPEST:
        return
    if isinstance(block, list):
        for one in block:
            yield from _of_block(one, depth + 1)
    elif isinstance(block, dict):
        kind = _text(block.get("type"))
        if kind in _REFERENCES:
            mark, key = _REFERENCES[kind]
            yield f"<{mark}{_text(block.get(key))}>"
        elif kind == "link":
            label, url = _text(block.get("text")), _text(block.get("url"))
            yield f"<{url}|{label}>" if label and url else f"<{url}>" if url else label
        elif kind == "emoji":
            yield f":{_text(block.get('name'))}:"
        else:
            text, style = block.get("text"), block.get("style")
            if isinstance(text, str) and isinstance(style, dict) and style.get("strike") is True:
                text = f"{looks.mark(looks.STRUCK)}{text}{looks.mark(0)}"
            yield from ([text] if isinstance(text, str) else _of_block(text, depth + 1))
            for key in ("elements", "fields", "title", "alt_text"):
                inner = block.get(key)
                yield from ([inner] if isinstance(inner, str) else _of_block(inner, depth + 1))
            if kind in _LINES:
                yield "\n"


#: Elements that name somebody or something, by the mark and the key of the id.
_REFERENCES = {
    "user": ("@", "user_id"),
    "channel": ("#", "channel_id"),
    "broadcast": ("!", "range"),
    "usergroup": ("!subteam^", "usergroup_id"),
}
_LINES = frozenset(
    {"rich_text_section", "rich_text_preformatted", "rich_text_quote", "header", "mrkdwn"}
    | {"plain_text", "section", "context", "markdown"}
)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return looks.without_marks(value) if isinstance(value, str) else ""
