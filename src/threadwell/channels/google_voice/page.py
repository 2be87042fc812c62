"""What stands on one page of the export: its messages, or a call. Knows nothing of other pages.

Most pages are XHTML, and some only nearly so (``<br>`` in a text): what is no XML is read as HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree
from lxml import html as lxml_html

from threadwell.channels.google_voice.file_names import parse_page_name
from threadwell.channels.text import encoding_of, text_head

_PAGE, _CALL = 'class="hChatLog', 'class="haudio"'
_END = b"</html"
_OF_CALLS = frozenset(("placed", "received", "missed", "voicemail", "recorded"))
#: What never stands within the words of a message, unless the page is damaged.
_NOT_WORDS = frozenset(("div", "cite", "abbr", "q"))


class Person(NamedTuple):
    """Somebody as a page names them; either may be ``""``."""

    tel: str = ""
    name: str = ""


class Named(NamedTuple):
    """A file that a message names: what kind it is, and its name without a suffix."""

    kind: str
    name: str


@dataclass(slots=True)
class Entry:
    """One message: the time as it is written, who wrote it, its words and files.

    ``mine`` is whether the owner of the number wrote it, ``None`` where nothing tells. ``damaged``
    says that its end is not there.
    """

    raw: bytes = b""
    when: str = ""
    sender: Person = field(default_factory=Person)
    mine: bool | None = None
    text: str = ""
    files: list[Named] = field(default_factory=list)
    damaged: bool = False


@dataclass(slots=True)
class Call:
    """A call: when, with whom, and what was recorded of it: sound, and a transcript."""

    when: str = ""
    other: Person = field(default_factory=Person)
    audio: str = ""
    transcript: str = ""


@dataclass(slots=True)
class Page:
    """All that a page says. ``group`` are the people that it lists, ``None`` without a list.

    ``labels`` are as the links to them end (``sms``, ``spam``, ``voicemail``), whatever the
    language.
    """

    title: str = ""
    group: list[Person] | None = None
    entries: list[Entry] = field(default_factory=list)
    call: Call | None = None
    labels: set[str] = field(default_factory=set)
    deleted: bool = False

    def is_voicemail(self, file_name: str) -> bool:
        """Whether its call is one in which somebody left words: as its labels say, or its name."""
        if self.labels & _OF_CALLS:
            return "voicemail" in self.labels
        return parse_page_name(file_name).kind == "Voicemail"


def is_page(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is a page of messages or of a call."""
    text = text_head(head).lstrip("\ufeff\r\n\t ")
    if not text.startswith("<"):
        return False
    return _PAGE in text or (_CALL in text and "oogle" in text)


def parse_page(raw: bytes) -> Page | None:
    """What a page says; ``None`` for what is no page at all."""
    tree = _tree(raw)
    if tree is None:
        return None
    page = Page()
    _Walk(page).read(tree)
    if page.entries and _END not in raw[-4096:].lower():
        page.entries[-1].damaged = True
    return page


def _tree(raw: bytes) -> etree._Element | None:
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        return etree.fromstring(raw, parser=parser)
    except (etree.LxmlError, ValueError):
        pass
    text = raw.decode(encoding_of(raw[:4]), "replace")
    parser_ = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
    try:
        return lxml_html.document_fromstring(text.encode(), parser=parser_)
    except (etree.LxmlError, ValueError, AssertionError):
        return None


@dataclass(slots=True)
class _Walk:
    """One walk through a page in its order; what is named belongs to what began last.

    Its steps grow with the page, however its elements lie within each other: each text is taken
    once. ``quote`` is the element of words that is open, ``listing`` says that people are listed,
    and ``calling`` that the other side of a call was named.
    """

    page: Page
    entry: Entry | None = None
    quote: etree._Element | None = None
    words: list[str] = field(default_factory=list)
    listing: bool = False
    calling: bool = False

    def read(self, tree: etree._Element) -> None:
        open_: list[Entry | None] = []
        for event, element in etree.iterwalk(tree, events=("start", "end")):
            tag = _tag(element)
            classes = (element.get("class") or "").split() if tag else []
            is_message = tag == "div" and "message" in classes
            if event == "start":
                if is_message:
                    open_.append(self.entry)
                    self._begin()
                else:
                    self._start(element, tag, classes)
            else:
                self._end(element)
                if is_message:
                    self._close(element, open_.pop())

    def _begin(self) -> None:
        if self.quote is not None and self.entry is not None:
            self._end(self.quote)
        if self.entry is not None:
            self.entry.damaged = True
        self.entry, self.listing = Entry(), False
        self.page.entries.append(self.entry)

    def _close(self, element: etree._Element, outer: Entry | None) -> None:
        """What is damaged keeps its words; only what holds no other message is kept as it was."""
        entry = self.entry
        if entry is not None and not entry.damaged:
            entry.raw = etree.tostring(element, encoding="utf-8", with_tail=False)
        self.entry = outer

    def _start(self, element: etree._Element, tag: str, classes: list[str]) -> None:
        page, entry = self.page, self.entry
        if self.quote is not None:
            self.words += ["\n" if tag == "br" else "", (element.text or "") if tag else ""]
            if entry is not None:
                entry.damaged |= tag in _NOT_WORDS
        elif tag == "title" and not page.title:
            page.title = " ".join(_plain(element).split())
        elif tag == "div" and "participants" in classes:
            page.group, self.listing = [], True
        elif tag == "div" and "haudio" in classes:
            page.call = page.call or Call()
        elif tag == "div" and "deletedStatusContainer" in classes:
            page.deleted = _plain(element).split()[-1:] == ["True"]
        elif tag == "a" and element.get("rel") == "tag":
            page.labels.add((element.get("href") or "").rpartition("#")[2].lower())
        elif tag == "a" and "tel" in classes:
            self._name(Person((element.get("href") or "").strip().removeprefix("tel:").strip()))
        elif tag in ("span", "abbr") and "fn" in classes:
            self._call(" ".join(_plain(element).split()))
            if entry is not None:
                # "Me" is a word of the account's language; what it stands in is not.
                entry.mine = tag == "abbr"
        elif entry is not None:
            self._start_entry(element, tag, classes, entry)
        elif page.call is not None:
            _start_call(element, tag, classes, page.call)

    def _start_entry(
        self, element: etree._Element, tag: str, classes: list[str], entry: Entry
    ) -> None:
        if tag == "abbr" and "dt" in classes:
            entry.when = element.get("title") or ""
        elif tag == "q":
            self.quote, self.words = element, [element.text or ""]
        elif tag in ("img", "audio") and (name := element.get("src")):
            entry.files.append(Named(tag, name))
        elif tag == "a" and (name := element.get("href")):
            kind = next((one for one in ("video", "vcard") if one in classes), "")
            entry.files += [Named(kind, name)] if kind else []

    def _end(self, element: etree._Element) -> None:
        if element is self.quote:
            if self.entry is not None:
                self.entry.text = "".join(self.words).strip()
                if self.entry.damaged:
                    self.entry.raw = self.entry.text.encode("utf-8", "replace")
            self.quote = None
        elif self.quote is not None:
            self.words.append(element.tail or "")

    def _name(self, person: Person) -> None:
        """Whose number this is: the writer's, one of those listed, or the other side of a call."""
        if self.entry is not None:
            self.entry.sender = person
        elif self.listing and self.page.group is not None:
            self.page.group.append(person)
        elif self.page.call is not None:
            self.page.call.other, self.calling = person, True

    def _call(self, name: str) -> None:
        """The name of whom was named last. A call has one of its own, before anybody is named."""
        if self.entry is not None:
            self.entry.sender = self.entry.sender._replace(name=name)
        elif self.listing and self.page.group:
            self.page.group[-1] = self.page.group[-1]._replace(name=name)
        elif self.page.call is not None and self.calling:
            self.page.call.other = self.page.call.other._replace(name=name)


def _start_call(element: etree._Element, tag: str, classes: list[str], call: Call) -> None:
    if tag == "abbr" and "published" in classes:
        call.when = element.get("title") or ""
    elif tag == "audio" and not call.audio:
        call.audio = element.get("src") or ""
    elif tag == "span" and "full-text" in classes:
        call.transcript = _plain(element).strip()


def _tag(element: etree._Element) -> str:
    """The name of an element without its namespace; ``""`` for what is none (an instruction)."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _plain(element: etree._Element) -> str:
    """The text of an element that holds no other, but for breaks."""
    return "".join([element.text or "", *((one.tail or "") for one in element)])
