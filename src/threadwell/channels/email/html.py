"""The text of an HTML mail, its quotations marked as plain mail marks them: ``> ``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from lxml import etree
from lxml import html as lxml_html

from threadwell.channels.email.styles import hides_words, is_unseen, look_of
from threadwell.messages.looks import HIDDEN, STRUCK, mark, shown, without_marks

_BREAKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt"),
        *("fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"),
        *("hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot"),
        *("th", "thead", "tr", "ul"),
    )
)
#: Set off by a blank line, as a browser draws them.
_SET_OFF = frozenset(
    ("blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul")
)
_CELLS = frozenset(("td", "th"))
_SPACES = re.compile(r"[ \t\r\n\f]+")
_TAG = re.compile(r"</?[A-Za-z!?][^<>]*+>")
#: The line beside a quotation, and what an editor writes for "indent".
_BORDER = re.compile(r"border-left[\w-]*+\s*+:(?!\s*+(?:none|0|medium none))", re.IGNORECASE)
_INDENTED = re.compile(r"border\s*+:\s*+(?:none|0)", re.IGNORECASE)
_MANY_BLANKS = re.compile(r"\n{3,}")


def html_to_text(html: str) -> str:
    """What a reader of the HTML sees, as lines.

    A quotation (``blockquote``) has ``> `` before each line, but not what a person has indented,
    for which programs use the same element. A link is its text, with the address
    in ``<>`` where the text does not show it. Hidden elements are left out. What is struck, raised
    or lowered is shown by signs (``messages/looks.py``). Of what the parser refuses (nested
    thousands deep) only the tags are taken out.
    """
    return shown(html_with_marks(html).marked).strip("\n")


class Written(NamedTuple):
    """The text of an HTML, with a mark (``messages/looks.py``) where its words look otherwise.

    Each line begins without any look. ``hid`` says that words are left out which nobody sees.
    """

    marked: str
    hid: bool = False


def html_with_marks(html: str) -> Written:
    """What a reader of the HTML sees, and how it looks."""
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
    try:
        tree = lxml_html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return Written(_without_tags(html))
    # Past its limits the parser drops what follows: rather a plain text than half a message.
    if parser.error_log.filter_from_fatals():
        return Written(_without_tags(html))
    marked = any(map(_is_marked_quotation, tree.iter("blockquote")))
    writer = _Writer(plain_quotes=not marked)
    for event, element in _walk(tree):
        if event == "start":
            writer.start(element)
        else:
            writer.end(element)
    return Written(writer.text(), writer.hid)


def _without_tags(html: str) -> str:
    return unescape(_TAG.sub(" ", _without_remarks(html))).strip()


def _without_remarks(html: str) -> str:
    """The HTML without ``<!-- … -->``; one that never ends is text."""
    out: list[str] = []
    end = 0
    begin = html.find("<!--")
    while begin >= 0:
        closed = html.find("-->", begin + 4)
        if closed < 0:
            break
        out += [html[end:begin], " "]
        end = closed + 3
        begin = html.find("<!--", end)
    out.append(html[end:])
    return "".join(out)


def _walk(tree: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """Start and end of every visible element; without recursion, as mails nest to any depth."""
    walker = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walker:
        if not isinstance(element.tag, str):
            continue
        if event == "start" and is_unseen(element):
            walker.skip_subtree()
        yield event, element


def _is_marked_quotation(element: etree._Element) -> bool:
    """Whether a mail program has marked the element as a quotation, in one of their ways."""
    if element.get("type") == "cite" or element.get("cite") is not None:
        return True
    names = (element.get("class") or "").lower()
    return "quote" in names or bool(_BORDER.search(element.get("style") or ""))


class _Writer:
    """Collects lines, each with its depth of quotation."""

    def __init__(self, plain_quotes: bool) -> None:
        self._plain_quotes = plain_quotes
        self.hid = False
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._quotes: list[bool] = []
        #: Of each link that is open, whether another one lies within it.
        self._links: list[bool] = []
        self._verbatim = 0
        #: How the words look that come, one for each element that is open; and as it was written.
        self._looks = [0]
        self._look = 0

    def start(self, element: etree._Element) -> None:
        tag = element.tag
        unseen = is_unseen(element)
        if tag in _BREAKS:
            self._break(tag in _CELLS)
            if tag in _SET_OFF and not unseen:
                self._blank()
        if unseen:
            self.hid = self.hid or hides_words(element)
            return
        self._looks.append(look_of(element, self._looks[-1]))
        if tag == "br":
            self._new_line()
        elif tag == "li":
            self._add("- ", 0)
        elif tag == "blockquote":
            self._quotes.append(self._is_quotation(element))
            self._depth += self._quotes[-1]
        elif tag == "pre":
            self._verbatim += 1
        elif tag == "a":
            self._links[-1:] = [True] if self._links else []
            self._links.append(False)
        elif tag == "img" and element.get("alt"):
            self._write(f"[{element.get('alt')}]")
        self._write(element.text)

    def end(self, element: etree._Element) -> None:
        tag = element.tag
        if not is_unseen(element):
            self._looks.pop()
            if tag == "a":
                self._address(element, holds_links=self._links.pop())
            elif tag in _BREAKS:
                self._break(tag in _CELLS)
                self._depth -= tag == "blockquote" and self._quotes.pop()
                if tag in _SET_OFF:
                    self._blank()
            if tag == "pre":
                self._verbatim -= 1
        self._write(element.tail)

    def _is_quotation(self, element: etree._Element) -> bool:
        """One without a mark is a quotation within another, and where none in the mail has one."""
        if _is_marked_quotation(element) or self._depth:
            return True
        return self._plain_quotes and not _INDENTED.search(element.get("style") or "")

    def text(self) -> str:
        self._break(False)
        return _MANY_BLANKS.sub("\n\n", "\n".join(self._lines)).strip("\n")

    def _write(self, text: str | None) -> None:
        if not text:
            return
        text = without_marks(text)
        if self._verbatim:
            first, *others = text.split("\n")
            self._add(first, self._looks[-1])
            for line in others:
                self._new_line()
                self._add(line, self._looks[-1])
            return
        text = _SPACES.sub(" ", text)
        if text.startswith(" ") and (not self._line or self._line[-1].endswith(" ")):
            text = text[1:]
        if text:
            self._add(text, self._looks[-1])

    def _add(self, text: str, look: int) -> None:
        """Add a text, with a mark before it where it looks otherwise than what is before it."""
        if look != self._look and text.strip():
            self._look = look
            text = mark(look) + text
        self._line.append(text)

    def _address(self, element: etree._Element, *, holds_links: bool) -> None:
        target = (element.get("href") or "").strip()
        if not target.startswith(("http://", "https://")):
            return
        # Links do not lie within links. To look through one that does would look at it twice.
        shown = target if holds_links else "".join(element.itertext())
        bare = target.split("://", 1)[1].rstrip("/")
        if holds_links or (bare not in shown and shown.strip()):
            self._add(f" <{target}>", self._look & (STRUCK | HIDDEN))

    def _break(self, cell: bool) -> None:
        if not self._line:
            return
        if cell:
            if not self._line[-1].endswith(" "):
                self._line.append(" ")
            return
        self._new_line()

    def _blank(self) -> None:
        if "".join(self._line).strip():
            self._new_line()
        marks = ">" * self._depth
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(marks)
        elif self._lines and len(marks) < len(self._lines[-1]):
            self._lines[-1] = marks

    def _new_line(self) -> None:
        line = "".join(self._line).replace("\xa0", " ")
        # The one line whose trailing space means something: a signature follows (RFC 3676 §4.3).
        line = line if line == "-- " else line.rstrip()
        if self._look:
            # Each line is marked by itself: what stands before it is none of its words.
            line += mark(0)
            self._look = 0
        marks = ">" * self._depth
        self._lines.append(f"{marks} {line}".rstrip() if marks else line)
        self._line = []
