"""Exports of Google Voice, made page by page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.google_voice import CHANNEL
from threadwell.messages import Address, Broken, Message

ANA, BEN, CLINIC = "+12075550111", "+12075550122", "+12075550100"
ME = "<abbr class='fn' title=''>Me</abbr>"


def who(tel: str, name: str = "") -> str:
    return f'<cite class="sender vcard"><a class="tel" href="tel:{tel}">{name}</a></cite>'


def them(tel: str = ANA, name: str = "") -> str:
    return who(tel, f'<span class="fn">{name}</span>')


def me(tel: str = CLINIC) -> str:
    return who(tel, ME)


def message(sender: str, text: str, when: str, *files: str) -> str:
    return (
        f'<div class="message"><abbr class="dt" title="{when}">Nov 2&#8239;AM\nEastern Time</abbr>'
        f":\n{sender}:\n<q>{text}</q>\n{''.join(f'<div>{one}</div>' for one in files)}</div>"
    )


def page(
    *messages: str,
    title: str = "",
    group: str = "",
    labels: tuple[str, ...] = ("sms", "inbox"),
    deleted: bool = False,
) -> str:
    listed = f'<div class="participants">Group conversation with:\n{group}</div>' if group else ""
    links = ", ".join(
        f'<a rel="tag" href="http://www.google.com/voice#{one}">{one}</a>' for one in labels
    )
    return (
        '<?xml version="1.0" ?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head>'
        f"<title>{title}</title><style>.message {{}}</style></head>\n<body>"
        f'<div class="hChatLog hfeed">{listed}\n{" ".join(messages)}</div>\n\n'
        f'<div class="tags">Labels:\n{links}</div>\n<div class="deletedStatusContainer">'
        f"User Deleted:\n{deleted}</div></body></html>"
    )


def call(*inside: str, labels: tuple[str, ...], tel: str = ANA, name: str = "") -> str:
    links = ", ".join(
        f'<a rel="tag" href="http://www.google.com/voice#{one}">{one}</a>' for one in labels
    )
    return (
        '<?xml version="1.0" ?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>A call'
        '</title></head><body><div class="haudio"><span class="album">Call Log for\n</span>'
        f'<span class="fn">A call</span>\n<div class="contributor vcard">With\n<a class="tel" '
        f'href="tel:{tel}"><span class="fn">{name}</span></a></div>\n'
        '<abbr class="published" title="2026-11-02T10:04:05.000-05:00">Nov 2</abbr><br />'
        f'{"".join(inside)}<abbr class="duration" title="PT3S">(00:00:03)</abbr>'
        f'<div class="tags">{links}</div>\n<div class="deletedStatusContainer">User Deleted:\n'
        "False</div></div></body></html>"
    )


Read = Callable[..., list[Message | Broken]]


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    folder = tmp_path / "Takeout" / "Voice" / "Calls"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def read(calls: Path) -> Read:
    """Writes files of an export, by their names, and reads the folder, or one of them."""

    def read(
        files: dict[str, str | bytes],
        *,
        only: str = "",
        owner: tuple[Address, ...] = (),
    ) -> list[Message | Broken]:
        for name, content in files.items():
            (calls / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(CHANNEL.messages(calls / only, ReadOptions(None, owner)))

    return read


def sound(items: list[Message | Broken]) -> list[Message]:
    out = [item for item in items if isinstance(item, Message)]
    assert len(out) == len(items), [item for item in items if isinstance(item, Broken)]
    return out
