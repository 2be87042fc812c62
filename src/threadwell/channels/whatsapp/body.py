"""The rest of a message after its sender: what it says, and which files came along."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.whatsapp.attachments import UNKNOWN_TYPE, named_file, opened
from threadwell.channels.whatsapp.lines import MARKS
from threadwell.channels.whatsapp.notices import plain
from threadwell.channels.whatsapp.placeholders import (
    EDITED,
    KINDS_LEFT_OUT,
    LEFT_OUT,
    is_deleted,
    is_live_location,
    is_not_there_yet,
    is_view_once,
)
from threadwell.messages import Attachment
from threadwell.messages.deleted import DELETED

#: Stands before what WhatsApp itself writes where a text would be.
APP_MARK = "\u200e"
_BLANKS = "\u200e\u200f \t\r\n\u00a0\u202f"
_LEFT_OUT = "was left out of the export"
_ONCE = "was left out of the export, as it could be viewed only once"
_IN_BRACKETS = re.compile(r"<([^<>\n]{1,80})>")
#: What the iPhone says of a document that came along, before it: ``Lab.pdf • 2 pages``.
_PAGES = re.compile(r"([^\n<>\u2022]{1,255}?) ?\u2022 ?\u200e?\d{1,6}[ \u00a0][^\n<>\u2022]{1,20}")
#: An answer of a poll, with how many chose it: ``OPTION: Monday (2 votes)``.
_VOTES = re.compile(r" ?\(\u200e?(\d{1,6})[ \u00a0]?[^()\n]{1,20}\)\Z")
_SHORTEST_POLL, _LONGEST_HEAD = 4, 30
_LOCATION = re.compile(
    r"[^:\n]{1,30}: ?https://(?:maps\.google\.com|maps\.apple\.com|foursquare\.com)/"
)
_FILE_NAME = re.compile(r"[^\n/\\<>]{1,200}\.[A-Za-z0-9]{1,5}")
#: No sentence of WhatsApp's that stands for a message is so long.
_LONGEST_SENTENCE = 200
_DIGIT = re.compile(r"\d")


class Body(NamedTuple):
    """What a message says: its text without placeholders, its files, and notes.

    ``by_app`` says that all of it stands where WhatsApp writes of its own, and is nothing that is
    known to be a message: a sentence in another language, or one that is new.
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()
    by_app: bool = False


def read_body(
    written: str, folder: Path, open_file: Callable[[str, Path], Attachment] = opened
) -> Body:
    """The content of a message; files are looked for in ``folder``, beside the export."""
    text = written.strip("\r\n ")
    files: list[Attachment] = []
    notes: list[str] = []
    by_app = text.startswith(APP_MARK) and "\n" not in text and "<" not in text
    if APP_MARK in text or ")" in text or "<" in text or text == "null":
        text = _without_edit(text, notes)
        text = _without_file(text, files, folder, open_file)
        text = _without_votes(text, notes)
    text = text.strip(_BLANKS)
    said = plain(text).casefold().rstrip(". ") if len(text) < _LONGEST_SENTENCE else ""
    if is_deleted(said):
        notes.append(DELETED)
    elif is_not_there_yet(said):
        notes.append("it had not come to the phone yet; its words are not in the export")
    elif by_app and is_view_once(said):
        text, files = "", [Attachment("file", UNKNOWN_TYPE, None, _ONCE)]
    is_message = bool(files or notes or is_live_location(said) or _LOCATION.match(text))
    if "\ufffd" in text:
        notes.append("some characters are not readable in the export")
    notes += [f"a file of it {one.note}" for one in files if one.note]
    return Body(text, tuple(files), tuple(notes), by_app and not is_message)


def stable_words(body: Body) -> tuple[str, int]:
    """What of a message's text and files every export of it has alike.

    Not the marks and blanks; of files only how many they are, as they may be left out; and not a
    line that only names one. A placeholder in a language that is not known counts as a file.
    """
    text, count = body.text, len(body.attachments)
    if count:
        text = "\n".join(one for one in text.split("\n") if not _FILE_NAME.fullmatch(one.strip()))
    elif text.startswith("<") and _IN_BRACKETS.fullmatch(text) and not _DIGIT.search(text):
        text, count = "", 1
    return " ".join(plain(text).split()), count


def _without_edit(text: str, notes: list[str]) -> str:
    """The text without the remark behind it that it was changed."""
    if text.endswith(">"):
        start = text.rfind("<")
        remark = plain(text[start + 1 : -1]).casefold().rstrip(".")
        before = text[:start]
        if (
            start > 0
            and ":" not in remark
            and (
                remark in EDITED
                or (before.endswith(APP_MARK) and before.strip(_BLANKS) and remark not in LEFT_OUT)
            )
        ):
            notes.append("edited by its sender; the first wording is not in the export")
            return before.rstrip(_BLANKS)
    return text


def _without_file(
    text: str,
    files: list[Attachment],
    folder: Path,
    open_file: Callable[[str, Path], Attachment],
) -> str:
    if text == "null":  # a file that could be viewed only once, as Android writes it
        files.append(Attachment("file", UNKNOWN_TYPE, None, _ONCE))
        return ""
    named = named_file(text, folder)
    if named is not None:
        files.append(open_file(named.name, folder))
        before, after = text[: named.start].rstrip(_BLANKS), text[named.end :]
        return _without_pages(before)[0] + after
    first, _, rest = text.partition("\n")
    bracketed = _IN_BRACKETS.fullmatch(first.strip(_BLANKS))
    if bracketed and plain(bracketed[1]).casefold() in LEFT_OUT:
        files.append(Attachment("file", UNKNOWN_TYPE, None, _LEFT_OUT))
        return rest
    head, mark, tail = text.rpartition(APP_MARK)
    kind = KINDS_LEFT_OUT.get(plain(tail).casefold()) if mark else None
    if kind is None:
        return text
    before, name = _without_pages(head.rstrip(_BLANKS))
    files.append(Attachment(name or kind, UNKNOWN_TYPE, None, _LEFT_OUT))
    return before


def _without_pages(before: str) -> tuple[str, str]:
    """What stands before a document without the line about it, and the name in that line."""
    start = before.rfind("\n") + 1
    pages = _PAGES.fullmatch(before[start:].strip(_BLANKS))
    if pages is None:
        return before, ""
    return before[:start].rstrip(_BLANKS), re.sub(f"[{MARKS}]", "", pages[1]).strip()


def _without_votes(text: str, notes: list[str]) -> str:
    """A poll without how often each answer was chosen, which others did, and go on doing.

    It is a word in capitals, a question, and answers that all begin with one word and end in a
    number of votes; on the iPhone each with a mark of WhatsApp's before it.
    """
    lines = [line.strip(_BLANKS) for line in text.split("\n")]
    head = lines[0].removesuffix(":")
    if len(lines) < _SHORTEST_POLL or head == lines[0] or not _is_in_capitals(head):
        return text
    votes: list[str] = []
    words: set[str] = set()
    for at, line in enumerate(lines[1:], start=1):
        if counted := _VOTES.search(line):
            lines[at] = line[: counted.start()]
            votes.append(counted[1])
            words.add(line.partition(":")[0])
    if len(votes) < 2 or len(words) > 1:
        return text
    notes.append(f"a poll; its answers had been chosen so often: {', '.join(votes)}")
    return "\n".join(lines)


def _is_in_capitals(word: str) -> bool:
    return 0 < len(word) <= _LONGEST_HEAD and not any(map(str.islower, word))
