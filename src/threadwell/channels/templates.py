"""Texts that a provider has approved, with slots to fill: what WhatsApp takes when no other may go.

A practice tells of its account which templates it has there. Nobody has to name one: a text that
says what a template says, with something in the place of each slot, goes out by that. So a reply,
a saved one, a draft and a rule all can be one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from threadwell.channels.account import Account, Field

#: The field of an account that tells of its templates.
TEMPLATES = Field("templates", "the approved templates, as JSON: see the channel", required=False)
#: How long after somebody wrote WhatsApp takes whatever is written to them.
WINDOW = timedelta(hours=24)

_SLOT = re.compile(r"\{\{\s{0,4}(\w{1,40})\s{0,4}\}\}")
#: What no slot may be filled with.
_UNFIT = re.compile(r"[\n\t]|\x20{5}")
_MOST = 250


class BadTemplates(ValueError):
    """The templates of an account cannot be read; the message of this says what is wrong."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template: ``id`` is its provider's (a ContentSid, a name), ``language`` where it has one.

    ``text`` has slots: ``Your visit is on {{1}}.``
    """

    name: str
    id: str
    text: str
    language: str = ""

    def filled_by(self, text: str) -> dict[str, str] | None:
        """What fills its slots where it says just that text; else ``None``."""
        parts = _SLOT.split(self.text)
        literals, names = parts[::2], parts[1::2]
        if not text.startswith(literals[0]):
            return None
        at, filled = len(literals[0]), dict[str, str]()
        for place, (name, literal) in enumerate(zip(names, literals[1:], strict=True), start=1):
            if place == len(names):
                end = len(text) - len(literal)
                end = end if text.endswith(literal) else -1
            else:
                # Between two slots without anything there is nothing to tell them apart.
                end = text.find(literal, at + 1) if literal else -1
            value = text[at:end] if end > at else ""
            if not value.strip() or _UNFIT.search(value) or _SLOT.search(value):
                return None
            if filled.setdefault(name, value) != value:
                return None
            at = end + len(literal)
        return filled if at == len(text) else None

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of its slots, in the order of the text and each once."""
        return tuple(dict.fromkeys(_SLOT.findall(self.text)))


def templates_of(account: Account) -> tuple[Template, ...]:
    """The templates of an account; raises ``BadTemplates``."""
    said = account.value(TEMPLATES.name)
    if not said:
        return ()
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        raise BadTemplates("templates is no JSON") from None
    if not isinstance(found, list) or len(found) > _MOST:
        raise BadTemplates(f"templates is a list of at most {_MOST}")
    return tuple([_template(one, at) for at, one in enumerate(found, start=1)])


def lacks_templates(account: Account) -> str:
    """What is wrong with the templates of an account, ``""`` where nothing is."""
    try:
        templates_of(account)
    except BadTemplates as error:
        return str(error)
    return ""


def template_for(text: str, account: Account) -> tuple[Template, dict[str, str]] | None:
    """The template that says just that text, and what fills it; the first, if several do."""
    text = _plain(text)
    try:
        found = templates_of(account)
    except BadTemplates:
        return None
    for one in found:
        filled = one.filled_by(text)
        if filled is not None:
            return one, filled
    return None


def unfilled(text: str, templates: Sequence[Template]) -> str:
    """The first slot of a template that nobody has filled in a text; ``""`` where there is none."""
    found = _SLOT.search(text)
    return found[0] if found and any(found[1] in one.slots for one in templates) else ""


def _template(one: Any, at: int) -> Template:
    if not isinstance(one, dict):
        raise BadTemplates(f"template {at} is no object")
    values = {name: one.get(name, "") for name in ("name", "id", "text", "language")}
    if not all(isinstance(value, str) for value in values.values()):
        raise BadTemplates(f"template {at}: name, id, text and language are texts")
    values["text"] = _plain(values["text"])
    for name in ("id", "text"):
        if not values[name]:
            raise BadTemplates(f"template {at} has no {name}")
    name = values.pop("name") or values["id"]
    made = Template(name, **values)
    literals = _SLOT.split(made.text)[::2]
    if any(not literal for literal in literals[1:-1]):
        raise BadTemplates(f"template {at} has two slots with nothing between them")
    return made


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
