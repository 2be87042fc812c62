"""What an export says of its workspace: which folder is which conversation, and who is in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.json_cursor import opened
from threadwell.channels.json_text import decoded
from threadwell.messages import Broken

NAME, MEDIUM = "slack", "APPWRIT"

DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
#: The lists of conversations, and of people.
CONVERSATIONS = ("channels.json", "groups.json", "dms.json", "mpims.json")
PEOPLE = ("users.json", "org_users.json")
#: What else an export has beside the folders of its conversations; no messages.
FURTHER = (
    *("integration_logs.json", "canvases.json", "content_flags.json", "lists.json"),
    *("file_conversations.json", "huddle_transcripts.json"),
)
#: Where tools that fetch an export's files put them.
UPLOADS = "__uploads"

_ID = re.compile(r"[CDG][A-Z0-9]{7,20}")
_DAMAGED = "a list of the export is damaged: what it lists is known by its ids alone"


class Conversation(NamedTuple):
    """A channel, group or direct message: Slack's own id of it, and who is in it now."""

    id: str
    members: tuple[str, ...] = ()


@dataclass(slots=True)
class Workspace:
    """Conversations by the names of their folders, people by their ids (as Slack lists them).

    ``broken`` are lists that cannot be read.
    """

    conversations: dict[str, Conversation] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    channel_names: dict[str, str] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    def conversation(self, folder: str) -> Conversation | None:
        """The conversation of a folder; ``None`` where nothing says which it is."""
        name = unicodedata.normalize("NFC", folder)
        found = self.conversations.get(name)
        if found is None and _ID.fullmatch(name):
            return Conversation(name)
        return found


def is_export(folder: Path) -> bool:
    """Whether a folder is an export: lists of Slack's, and folders of days beside them."""
    lists = any((folder / name).is_file() for name in CONVERSATIONS)
    people = any((folder / name).is_file() for name in PEOPLE)
    if not (lists or people):
        return False
    return (lists and people) or next(day_folders(folder), None) is not None


def day_folders(folder: Path) -> Iterator[Path]:
    """The folders of conversations, in the order of their names."""
    for one in sorted(folder.iterdir()):
        if one.is_dir() and not one.is_symlink() and next(days(one), None):
            yield one


def days(folder: Path) -> Iterator[Path]:
    """The files of a conversation's days, in order."""
    for one in sorted(folder.iterdir()):
        if DAY.fullmatch(one.name) and one.is_file() and not one.is_symlink():
            yield one


def read_workspace(folder: Path) -> Workspace:
    """What the lists of an export say; nothing of those that are not there."""
    out = Workspace()
    for name in PEOPLE:
        for one in _listed(folder / name, out):
            for id_ in (one.get("id"), _enterprise_id(one)):
                if isinstance(id_, str) and id_:
                    out.people.setdefault(id_, one)
    twice: set[str] = set()
    for name in CONVERSATIONS:
        for one in _listed(folder / name, out):
            id_, called = one.get("id"), one.get("name")
            if not isinstance(id_, str) or not id_:
                continue
            members = one.get("members")
            some = members if isinstance(members, list) else []
            found = Conversation(id_, tuple([who for who in some if isinstance(who, str)]))
            out.conversations[id_] = found
            if isinstance(called, str) and called:
                out.channel_names[id_] = called
                key = unicodedata.normalize("NFC", called)
                if out.conversations.setdefault(key, found).id != id_:
                    twice.add(key)
    for key in twice:
        # Names are used again: nothing says which of the two a folder of that name is.
        del out.conversations[key]
    return out


def _listed(path: Path, into: Workspace) -> Iterator[dict[str, Any]]:
    if not path.is_file() or path.is_symlink():
        return
    with opened(path) as content:
        whole = bytes(content)
    try:
        found = decoded(whole)
    except ValueError:
        found = None
    if not isinstance(found, list):
        into.broken.append(Broken(NAME, path.name, _DAMAGED, whole, "application/json"))
        return
    yield from (one for one in found if isinstance(one, dict))


def _enterprise_id(person: dict[str, Any]) -> object:
    enterprise = person.get("enterprise_user")
    return enterprise.get("id") if isinstance(enterprise, dict) else None
