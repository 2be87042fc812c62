"""Own words are never cut: precision and recall over mails in many languages and programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from threadwell.channels import email
from threadwell.channels.email.reply import new_text

HERE = Path(__file__).parent / "replies"
README = Path(email.__file__).parent / "README.md"


class Mail(NamedTuple):
    """One mail of the corpus: its lines, and which of them are the sender's own."""

    name: str
    answers: bool
    lines: list[str]
    own: list[bool]


class Score(NamedTuple):
    """Lines with something on them: cut though own, kept though quoted, and all of either."""

    own: int
    own_cut: int
    quoted: int
    quoted_kept: int


def mails(path: Path) -> Iterator[Mail]:
    """The mails of a file; ``␠`` stands for a space at the end of a line."""
    _, *blocks = re.split(r"^# ", path.read_text("utf-8"), flags=re.MULTILINE)
    for block in blocks:
        name, *rest = block.rstrip("\n").split("\n")
        marked = [line for line in rest if line[:1] in ("+", "-")]
        if marked:
            lines = [line[2:].replace("␠", " ") for line in marked]
            yield Mail(name, name.startswith("re; "), lines, [line[0] == "+" for line in marked])


MAILS = {
    f"{path.stem}: {mail.name}": mail for path in sorted(HERE.iterdir()) for mail in mails(path)
}


def score(mail: Mail) -> Score:
    """What is made of the mail; lines are only ever left out, so they are found in their order."""
    left = new_text("\n".join(mail.lines), answers=mail.answers).split("\n")
    left = [line.strip() for line in left if line.strip()]
    counts = {(own, kept): 0 for own in (True, False) for kept in (True, False)}
    for line, own in zip(mail.lines, mail.own, strict=True):
        if line.strip():
            kept = left[:1] == [line.strip()]
            counts[own, kept] += 1
            del left[:kept]
    assert not left, "new text that the mail does not hold"
    return Score(
        own=counts[True, True] + counts[True, False],
        own_cut=counts[True, False],
        quoted=counts[False, True] + counts[False, False],
        quoted_kept=counts[False, True],
    )


@pytest.mark.parametrize("name", MAILS)
def test_no_word_of_the_senders_own_is_cut(name: str) -> None:
    assert score(MAILS[name]).own_cut == 0


def test_the_figures_in_the_readme() -> None:
    total = Score(*map(sum, zip(*map(score, MAILS.values()), strict=True)))
    figures = (
        f"{len(MAILS)} mails: {total.own_cut} of {total.own} own lines cut, "
        f"{total.quoted - total.quoted_kept} of {total.quoted} others"
    )
    assert figures in " ".join(README.read_text("utf-8").split())
