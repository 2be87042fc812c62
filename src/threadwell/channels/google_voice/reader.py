"""An export becomes messages: one page after another, each a stretch of a thread or a call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from threadwell.channels.channel import HEAD_BYTES, Channel, ChannelKind, ReadOptions
from threadwell.channels.google_voice.file_names import is_dated, is_html, parse_page_name
from threadwell.channels.google_voice.files import Media
from threadwell.channels.google_voice.message import Context, read_page
from threadwell.channels.google_voice.page import Named, Page, is_page, parse_page
from threadwell.channels.google_voice.people import (
    NAME,
    Book,
    Own,
    card_of,
    number_in_card,
    own_number,
    stand_in,
)
from threadwell.messages import Address, Broken, Message

#: No page is so large; such a file is not read into memory.
LARGEST = 64 * 1024 * 1024
_TOO_LARGE = f"is larger than {LARGEST // 1024**2} MiB, so only its name is kept"
_NOT_A_PAGE = "no messages of Google Voice are in it"
_UNREADABLE = "cannot be opened"
#: Of so many files of a folder it is looked whether one is a page.
_LOOKED_AT = 32
_BILLS = "Bills.html"


def sniff(head: bytes, path: Path) -> bool:
    """Whether a file is a page of the export, or a folder holds some."""
    if head:
        return is_page(head)
    return path.is_dir() and _holds_pages(path)


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of a page, or of a folder's pages in the order of their names.

    What is on other pages of the folder is looked at where a page does not name a number.
    """
    if path.is_dir():
        export = _Export(path, options)
        if (bills := path.parent / _BILLS).is_file():
            options.tell(f"left out {bills.name}: what Google Voice has cost, and no message")
        for page in _pages(path):
            try:
                yield from export.read(page)
            except OSError:
                yield Broken(NAME, page.name, _UNREADABLE, b"")
    else:
        yield from _Export(path.parent, options).read(path)


def companions(path: Path) -> Iterator[Path]:
    """The files that messages name, and those of the export that tell about the account."""
    folder = path if path.is_dir() else path.parent
    media = Media.of(folder)
    yield card_of(folder)
    if path.is_dir():
        yield path.parent / _BILLS
    for one in _pages(path) if path.is_dir() else (path,):
        page = _parsed(one)
        for named in _named_on(page, one.name) if page else ():
            found = media.find(named, parse_page_name(one.name).copy)
            if found is not None:
                yield found


def rest(folder: Path) -> Iterator[Path]:
    """What is no page. Raises ``OSError`` where the folder cannot be listed."""
    pages = set(_pages(folder))
    yield from (path for path in folder.iterdir() if path not in pages)


@dataclass(slots=True)
class _Export:
    """The pages of one folder; what they tell together is looked for once, where it is needed."""

    folder: Path
    options: ReadOptions
    _media: Media | None = None
    _book: Book | None = None
    _card: Address | None = None

    def read(self, path: Path) -> Iterator[Message | Broken]:
        if path.stat().st_size > LARGEST:
            yield Broken(NAME, path.name, _TOO_LARGE, b"")
            return
        raw = path.read_bytes()
        page = parse_page(raw)
        if page is None or not (page.entries or page.call):
            yield Broken(NAME, path.name, _NOT_A_PAGE, raw, "text/html")
            return
        if self._media is None:
            self._media = Media.of(self.folder)
            self._card = number_in_card(self.folder, self.options.country)
        context = Context(path.name, self._media, self._own, self._lookup, self.options)
        yield from read_page(page, raw, context)

    def _own(self, page: Page) -> Own:
        """Whose number it is: as the page says, the account, another page, or the import."""
        own = own_number(page, self.options.country) or self._card or self._lookup().own
        return Own(own or stand_in(self.options), own is not None)

    def _lookup(self) -> Book:
        if self._book is None:
            changed = self.folder.stat().st_mtime_ns
            self._book = _book(self.folder, changed, self.options.country)
        return self._book


@lru_cache(maxsize=1)
def _book(folder: Path, _changed: int, country: str) -> Book:
    """What all pages of a folder tell: once, though its pages may be given one by one."""
    pages = ((one.name, page) for one in _pages(folder) if (page := _parsed(one)))
    return Book.of(pages, country)


def _named_on(page: Page, file_name: str) -> Iterator[Named]:
    for entry in page.entries:
        yield from entry.files
    if page.call is not None and page.call.audio and page.is_voicemail(file_name):
        yield Named("audio", page.call.audio)


def _parsed(path: Path) -> Page | None:
    try:
        return parse_page(path.read_bytes()) if path.stat().st_size <= LARGEST else None
    except OSError:
        return None


def _pages(folder: Path) -> list[Path]:
    """The pages in a folder, in the order of their names."""
    return [path for path in _candidates(folder) if _begins_as_page(path)]


def _holds_pages(folder: Path) -> bool:
    try:
        candidates = _candidates(folder)
    except OSError:
        return False
    candidates.sort(key=lambda path: not is_dated(path.name))
    return any(map(_begins_as_page, candidates[:_LOOKED_AT]))


def _candidates(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if is_html(path.name) and not path.is_symlink() and path.is_file()
    )


def _begins_as_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_page(file.read(HEAD_BYTES))
    except OSError:
        return False


CHANNEL = Channel(
    name=NAME,
    label="Google Voice",
    description="Google Voice: the pages that Google Takeout writes (folder Voice/Calls)",
    sniff=sniff,
    read=read,
    companions=companions,
    rest=rest,
    zoned=True,
    kind=ChannelKind.SMS,
    medium="SMSWRIT",
)
