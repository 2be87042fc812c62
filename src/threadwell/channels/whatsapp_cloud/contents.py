"""What a message says, by its type: words, files, and what is to be known about them."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from threadwell.channels.records import maps_of, text_of
from threadwell.channels.whatsapp_cloud.values import map_of, word_of, written
from threadwell.messages import Attachment, gaps, media_type_of

#: Of a file that has not been fetched, and of one that nobody can fetch.
NOT_THERE = "is at WhatsApp, and has not come from there"
_NOT_GIVEN = "was not handed over by WhatsApp"
_UNREAD = "what it says could not be read: what WhatsApp tells of it is a file of it"
_KIND = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Contents:
    """``files`` are with their ids at Meta, ``""`` where there is none to ask for."""

    text: str = ""
    files: tuple[tuple[Attachment, str], ...] = ()
    notes: tuple[str, ...] = ()


def read_contents(record: dict[str, Any]) -> Contents:
    """What a message says; where that cannot be read, the whole record as a file."""
    kind = text_of(record, "type")
    read = _READ.get(kind)
    contents = read(map_of(record, kind)) if read else None
    if kind == "contacts":
        contents = Contents("\n\n".join(filter(None, map(_card, maps_of(record.get(kind))))))
    if contents is not None and (contents.text or contents.files):
        return contents
    if kind == "media_placeholder":
        # Its file may follow, in a message of the same id.
        return Contents(notes=(gaps.OF_A_FILE + _NOT_GIVEN,))
    withheld = record.get("errors") or kind in ("unsupported", "unknown")
    whole = Attachment("message.json", "application/json", written(record))
    return Contents(files=((whole, ""),), notes=(_not_given(record) if withheld else _UNREAD,))


def _text(said: dict[str, Any]) -> Contents:
    return Contents(text_of(said, "body"))


def _media(kind: str) -> Callable[[dict[str, Any]], Contents]:
    def read(said: dict[str, Any]) -> Contents:
        if not said:
            return Contents()
        media, type_ = word_of(said, "id"), text_of(said, "mime_type")
        type_ = media_type_of(type_) if type_ else ""
        extension = mimetypes.guess_extension(type_.partition(";")[0]) or ""
        name = text_of(said, "filename") or ("voice" if said.get("voice") is True else kind)
        name = name if "." in name else name + extension
        file = Attachment(name, type_, None, NOT_THERE if media else _NOT_GIVEN)
        return Contents(text_of(said, "caption"), ((file, media),))

    return read


def _place(said: dict[str, Any]) -> Contents:
    at = [str(said.get(name)) for name in ("latitude", "longitude") if name in said]
    lines = [text_of(said, name) for name in ("name", "address")]
    return Contents("\n".join(filter(None, [*lines, ", ".join(at), text_of(said, "url")])))


def _button(said: dict[str, Any]) -> Contents:
    return Contents(text_of(said, "text", "payload"))


def _interactive(said: dict[str, Any]) -> Contents:
    """What was chosen or filled in; of what the practice asked, its words and choices."""
    chosen = map_of(said, "button_reply") or map_of(said, "list_reply")
    if chosen:
        lines = [text_of(chosen, "title", "id"), text_of(chosen, "description")]
        return Contents("\n".join(filter(None, lines)))
    form = map_of(said, "nfm_reply")
    if form:
        return Contents("\n".join(filter(None, [text_of(form, "body"), *_answers(form)])))
    asked = [text_of(map_of(said, part), "text") for part in ("header", "body", "footer")]
    choices = [
        text_of(map_of(one, "reply"), "title")
        for one in maps_of(map_of(said, "action").get("buttons"))
    ]
    return Contents("\n".join(filter(None, [*asked, *choices])))


def _answers(form: dict[str, Any]) -> Iterator[str]:
    """The fields of a form (a *flow*), a line each."""
    said = text_of(form, "response_json")
    try:
        fields = json.loads(said) if said else {}
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        yield said
        return
    for name, value in fields.items():
        if name != "flow_token":
            yield f"{name}: {value if isinstance(value, str) else written(value).decode()}"


def _order(said: dict[str, Any]) -> Contents:
    lines = [text_of(said, "text")]
    for item in maps_of(said.get("product_items")):
        price = " ".join(
            str(item[name])
            for name in ("item_price", "currency")
            if isinstance(item.get(name), str | int | float)
        )
        what = f"{item.get('quantity', 1)} × {word_of(item, 'product_retailer_id')}"
        lines.append(f"{what}, {price} each" if price else what)
    return Contents("\n".join(filter(None, lines)))


def _card(card: dict[str, Any]) -> str:
    """The card of somebody who was passed on, a line for each part of it."""
    name, work = map_of(card, "name"), map_of(card, "org")
    lines = [text_of(name, "formatted_name", "first_name", "last_name")]
    lines += [text_of(work, part) for part in ("title", "department", "company")]
    for phone in maps_of(card.get("phones")):
        lines.append(text_of(phone, "phone", "wa_id"))
    lines += [text_of(email, "email") for email in maps_of(card.get("emails"))]
    for address in maps_of(card.get("addresses")):
        parts = ("street", "city", "state", "zip", "country")
        lines.append(", ".join(filter(None, (text_of(address, part) for part in parts))))
    lines += [text_of(one, "url") for one in maps_of(card.get("urls"))]
    lines.append(text_of(card, "birthday"))
    return "\n".join(filter(None, lines))


def _not_given(record: dict[str, Any]) -> str:
    kind = text_of(map_of(record, "unsupported"), "type")
    codes = [word_of(one, "code") for one in maps_of(record.get("errors"))]
    said = [f"kind {kind}"] if _KIND.fullmatch(kind) and kind != "unknown" else []
    said += [f"error {code}" for code in codes[:1] if code]
    return "WhatsApp does not hand over what it says" + (f" ({', '.join(said)})" if said else "")


#: The types of which the member of that name is an object.
_READ: Mapping[str, Callable[[dict[str, Any]], Contents]] = {
    "text": _text,
    **{kind: _media(kind) for kind in ("image", "video", "audio", "document", "sticker")},
    "location": _place,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
}
