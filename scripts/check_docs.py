"""What `make docs` runs: the documentation agrees with the program and with itself.

Generated pages are what the program would write now; every link and image leads somewhere; every
path and `make` target that is named is there; every `threadwell` command in a shell block is one
that the program takes.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import make_docs
from threadwell import cli
from threadwell.cli.parser import build_parser

ROOT = make_docs.ROOT

_PAGES = ("*.md", "docs/**/*.md", "sample/**/*.md", "src/**/*.md", "tests/**/*.md", "bench/**/*.md")
_FENCE = re.compile(r"^ *(```+|~~~+)(\w*).*?\n(.*?)^ *\1[ ]*$\n?", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
#: The number of a decision, and the link behind it.
_DECISION = re.compile(r"\[(?:adr/)?(\d{4})\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
_PATH = re.compile(r"(?:src|docs|scripts|tests|sample|locks|bench)/[\w./-]*\w")
_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
#: As much of a shell's grammar as it takes to tell commands apart.
_SHELL = re.compile(
    r"""
    (?P<comment> (?<!\S)\#[^\n]* )
  | (?P<redirection> \d?[<>]+&? )
  | (?P<end> [;&|()\n] )
  | (?P<word> (?: '[^']*' | "(?:\\.|[^"\\])*" | \\. | [^\s'"\\;&|()<>] )+ )
    """,
    re.VERBOSE | re.DOTALL,
)


class Problem(NamedTuple):
    """One thing that is wrong, and on which page."""

    page: Path
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text}"


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    problems = [*stale(), *decisions(), *(problem for page in pages() for problem in check(page))]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def pages() -> list[Path]:
    """Every page of the project, in order."""
    found = {path for pattern in _PAGES for path in ROOT.glob(pattern)}
    return sorted(path for path in found if "node_modules" not in path.parts)


def stale() -> Iterator[Problem]:
    """Generated pages that are not what the program would write now."""
    for name, text in make_docs.pages().items():
        page = make_docs.REFERENCE / name
        if not page.is_file() or page.read_text("utf-8") != text:
            yield Problem(page, "is out of date: run scripts/make_docs.py")


def decisions() -> Iterator[Problem]:
    """Decisions that share a number, or are not in their list once."""
    listed = ROOT / "docs/adr/README.md"
    found = Counter(link for _, link in _DECISION.findall(listed.read_text("utf-8")))
    numbers: dict[str, str] = {}
    for page in sorted(listed.parent.glob("[0-9]*.md")):
        if other := numbers.setdefault(page.name[:4], page.name).removeprefix(page.name):
            yield Problem(page, f"has the number of {other}")
        if found[page.name] != 1:
            yield Problem(listed, f"has {page.name} {found[page.name]} times")


def check(page: Path) -> Iterator[Problem]:
    """What is wrong with one page."""
    text = _COMMENT.sub("", page.read_text("utf-8"))
    prose = _FENCE.sub("", text)
    for link in _LINK.findall(_CODE.sub("", prose)):
        if problem := broken(page, link):
            yield Problem(page, problem)
    for name, link in _DECISION.findall(prose):
        if not Path(link).name.startswith(name):
            yield Problem(page, f"the decision {link} is called {name}")
    for code in _CODE.findall(prose):
        if _PATH.fullmatch(code) and not (ROOT / code).exists():
            yield Problem(page, f"there is no {code}")
        if (target := _TARGET.match(code)) and target[1] not in _targets():
            yield Problem(page, f"there is no `make {target[1]}`")
    for _, language, block in _FENCE.findall(text):
        if language in ("sh", "bash"):
            for words in commands(block):
                if problem := refused(words):
                    yield Problem(page, f"`{' '.join(words)}`: {problem}")


def broken(page: Path, link: str) -> str:
    """Why a link of ``page`` leads nowhere, ``""`` if it does or leads out of the project."""
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return ""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return f"{link} leads nowhere"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"{link} leads to no heading"
    return ""


@cache
def anchors(page: Path) -> frozenset[str]:
    """The names of a page's headings as GitHub makes them."""
    found: list[str] = []
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text("utf-8"))):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        repeated = sum(1 for one in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", one))
        found.append(f"{slug}-{repeated}" if repeated else slug)
    return frozenset(found)


def commands(block: str) -> Iterator[list[str]]:
    """The words of every ``threadwell`` command in a shell block, quotes taken off."""
    words: list[str] = []
    skip = False  # a word that names the file of a redirection
    for token in _SHELL.finditer(block.replace("\\\n", " ") + "\n"):
        if token["word"]:
            if not skip:
                words += shlex.split(token["word"])
            skip = False
        elif token["redirection"]:
            skip = True
        elif token["end"]:
            if words and words[0].rpartition("/")[2] == "threadwell":
                yield words
            words, skip = [], False


def refused(words: list[str]) -> str:
    """What the program says to the arguments of a command, ``""`` if it takes them."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            build_parser(cli.commands()).parse_args(words[1:])
    except SystemExit as stop:
        return (said.getvalue().strip().splitlines() or ["refused"])[-1] if stop.code else ""
    return ""


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))


if __name__ == "__main__":
    sys.exit(main())
