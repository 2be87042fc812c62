"""What a mail says and what it brings: its text, and its files."""

from __future__ import annotations

import mimetypes
import re
from base64 import b64decode
from dataclasses import dataclass, field

from threadwell.channels.email.alternatives import NOT_PLACED, with_looks
from threadwell.channels.email.charsets import charset_in_html, decode, without_controls
from threadwell.channels.email.flowed import unflow
from threadwell.channels.email.html import html_with_marks
from threadwell.channels.email.mime import Part, parse
from threadwell.channels.email.outlook.compound import NotAnItem
from threadwell.channels.email.outlook.letter import as_mail, why_no_mail
from threadwell.channels.email.outlook.parcel import is_parcel, open_parcel
from threadwell.channels.email.outlook.rich_text import MARKED
from threadwell.channels.email.parameters import parse_parameters
from threadwell.channels.email.styles import may_have_looks
from threadwell.channels.email.transfer import content_of
from threadwell.messages import Attachment, looks

FROM_HTML = "text taken from HTML"
DAMAGED_PARCEL = "winmail.dat is damaged; what could be read was kept, and the file as well"

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_BLANKS = re.compile(r"\n{3,}")
_TEXT_TYPES = frozenset(("text/plain", "text/html"))
_PARCELS = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "text/plain": ".txt",
    "image/jpeg": ".jpg",
    "application/pgp-signature": ".asc",
    "text/calendar": ".ics",
}
#: Python's own table, so that a name does not depend on the machine.
_TYPES = mimetypes.MimeTypes()


@dataclass(slots=True)
class Body:
    """``text`` has ``\\n`` line ends; ``notes`` are plain words without any content.

    ``earlier`` is the text as earlier builds read it, where it is not found in this one.
    """

    text: str
    attachments: list[Attachment]
    notes: list[str]
    earlier: str = ""


def read_body(mail: Part) -> Body:
    """The text and the files of a mail.

    Of alternatives the plain text is taken, HTML only where there is none. Text parts that follow
    each other are joined. Everything else is an attachment: inline images, forwarded mails (whole,
    as ``.eml``), signatures of any kind. A text with a file's name is a file, unless the mail has
    no other text. ``winmail.dat`` is opened: what is in it stands in its place, its text where the
    mail has no other.
    """
    gathered = _Contents()
    _gather(mail, gathered)
    _put_rich(gathered, mail)
    _open_parcels(gathered)
    if not gathered.has_text and gathered.named:
        named = gathered.named[0]
        gathered.files.remove(named)
        gathered.add_text(named)
    notes = gathered.notes
    files = [_attachment(part, at, notes) for at, part in enumerate(gathered.files, start=1)]
    text, earlier = _together(gathered.texts), ""
    if gathered.earlier != gathered.texts:
        earlier = _together(gathered.earlier)
    return Body(text, files, list(dict.fromkeys(notes)), earlier)


def _together(parts: list[str]) -> str:
    texts = [text for text in parts if text.strip()]
    text = "\n\n".join(text.strip("\n") for text in texts) if len(texts) > 1 else "".join(texts)
    return text.rstrip()


@dataclass(slots=True)
class _Contents:
    """``named`` are those of the ``files`` that may be the text of a mail without any other.

    ``earlier`` are the ``texts`` as earlier builds read them.
    """

    texts: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)
    named: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    has_text: bool = False

    def add_text(self, part: Part) -> None:
        self.has_text = True
        text, earlier = _text(part, self.notes)
        self.texts.append(text)
        self.earlier.append(earlier)

    def add_file(self, part: Part) -> None:
        self.files.append(part)
        if part.type in _TEXT_TYPES and not _is_attached(part):
            self.named.append(part)


def _gather(part: Part, into: _Contents, *, files_only: bool = False) -> None:
    into.notes += part.flaws
    if part.type == "multipart/alternative" and part.parts:
        _gather_alternative(part, into, files_only)
    elif part.parts:
        for child in part.parts:
            _gather(child, into, files_only=files_only)
    elif part.type in _TEXT_TYPES and not _is_file(part):
        if not files_only:
            into.add_text(part)
    elif part.body.strip() or part.type not in ("text/plain", "application/octet-stream"):
        into.add_file(part)


def _open_parcels(into: _Contents) -> None:
    """Put what Outlook has packed into a file where that stands.

    The file itself is kept where it is damaged, or holds more than a mail: an appointment.
    """
    packed = [part for part in into.files if part.type in _PARCELS or _is_winmail(part)]
    for part in packed:
        content = content_of(part, [])
        try:
            opened = open_parcel(content) if is_parcel(content) else None
        except NotAnItem:
            opened = None
        if opened is None:
            continue
        at, inner = into.files.index(part), _Contents()
        has_words = bool("".join(into.texts).strip())
        letter = parse(as_mail(opened.item))
        _gather(letter, inner, files_only=has_words)
        _put_rich(into if has_words else inner, letter)
        if has_words and FROM_HTML not in into.notes:
            _put_looks(into, letter)
        keep = not opened.whole or bool(why_no_mail(opened.item))
        into.files[at : at + 1] = [*inner.files, *([part] if keep else [])]
        into.texts += inner.texts
        into.earlier += inner.earlier
        into.notes += inner.notes if opened.whole else [*inner.notes, DAMAGED_PARCEL]
        into.has_text |= inner.has_text


def _is_winmail(part: Part) -> bool:
    return _file_name(part).lower() == "winmail.dat"


def _gather_alternative(part: Part, into: _Contents, files_only: bool) -> None:
    """The best of several forms of one text, and the files of all of them."""
    types = [_first_text_type(child) for child in part.parts]
    ranked = sorted(range(len(types)), key=lambda index: types[index] != "text/plain")
    found: set[int] = set()
    beside = False
    for index in ranked:
        child = part.parts[index]
        # Two plain texts side by side are no alternatives, whatever the sender calls them.
        more = not found or (beside and child.type == "text/plain")
        form = _Contents()
        _gather(child, form, files_only=files_only or not more)
        if "".join(form.texts).strip():
            found.add(index)
            if types[index] == "text/plain":
                _put_looks(form, part)
            into.texts += form.texts
            into.earlier += form.earlier
            beside = child.type == "text/plain"
        into.files += form.files
        into.named += form.named
        into.notes += form.notes
        into.has_text |= form.has_text


def _put_rich(into: _Contents, mail: Part) -> None:
    """Put into the text of an item of Outlook what its rich text has."""
    coded = mail.get(MARKED.lower())
    if not coded or len(into.texts) != 1:
        return
    try:
        marked = _cleaned(_in_lines(b64decode(coded).decode()))
    except ValueError:
        return
    if looks.without_marks(marked).rstrip() == into.texts[0].rstrip():
        text, earlier = _told(marked, into.notes)
        into.texts, into.earlier = [text], [earlier]
    else:
        _put(into, marked)


def _put_looks(form: _Contents, alternatives: Part) -> None:
    """Put into the plain text of a mail what only its HTML has: what is struck, raised, lowered."""
    html = _first_html(alternatives)
    if html is None or len(form.texts) != 1:
        return
    if not may_have_looks(content_of(html, [], as_text=True)):
        return
    _put(form, html_with_marks(_decoded(html, [])).marked)


def _put(form: _Contents, of_other: str) -> None:
    """Put into a plain text the looks of its other form."""
    marked, whole = with_looks(form.texts[0], of_other)
    text, of_looks = looks.told(marked)
    form.texts, form.earlier = [text], [looks.earlier(marked) or text]
    form.notes += of_looks if whole else (*of_looks, NOT_PLACED)


def _first_html(part: Part) -> Part | None:
    if part.parts:
        return next(filter(None, map(_first_html, part.parts)), None)
    return part if part.type == "text/html" and not _is_file(part) else None


def _first_text_type(part: Part) -> str:
    if part.parts:
        return next(filter(None, map(_first_text_type, part.parts)), "")
    return part.type if part.type in _TEXT_TYPES and not _is_file(part) else ""


def _is_file(part: Part) -> bool:
    disposition = part.get("content-disposition")
    if not disposition:
        return bool(part.parameters.get("name")) and part.type != "text/html"
    return _is_attached(part) or bool(parse_parameters(disposition)[1].get("filename"))


def _is_attached(part: Part) -> bool:
    return parse_parameters(part.get("content-disposition"))[0] == "attachment"


def _text(part: Part, notes: list[str]) -> tuple[str, str]:
    """The text of a part, and the one that earlier builds read, as ``Body`` has them."""
    text = _decoded(part, notes)
    if part.type == "text/html":
        written = html_with_marks(text)
        text = written.marked
        if looks.shown(text).strip():
            notes.append(FROM_HTML)
        if written.hid:
            notes.append(looks.HID)
        return _told(_cleaned(text), notes)
    if part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, part.parameters.get("delsp", "").lower() == "yes")
    text = _cleaned(text)
    return text, text


def _told(marked: str, notes: list[str]) -> tuple[str, str]:
    """A text with marks as it is recorded, and as earlier builds read it."""
    seen, of_looks = looks.told(marked)
    notes += of_looks
    before = looks.earlier(marked) or seen
    return _BLANKS.sub("\n\n", seen).strip("\n") if looks.HID in of_looks else seen, before


def _cleaned(text: str) -> str:
    return without_controls(text.removeprefix("\ufeff"))


def _decoded(part: Part, notes: list[str]) -> str:
    """A part as it was written, with ``\\n`` line ends."""
    content = content_of(part, notes, as_text=True)
    charset = part.parameters.get("charset", "")
    if part.type == "text/html":
        charset = charset_in_html(content, charset)
    text, note = decode(content, charset)
    if note:
        notes.append(note)
    return _in_lines(text)


def _in_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _file_name(part: Part) -> str:
    _, parameters = parse_parameters(part.get("content-disposition"))
    return parameters.get("filename") or part.parameters.get("name") or ""


def _attachment(part: Part, number: int, notes: list[str]) -> Attachment:
    content = content_of(part, notes)
    # A path in a name was put there by a careless program, or by somebody with bad intentions.
    name = _UNSAFE.sub("_", re.split(r"[/\\]", _file_name(part))[-1]).strip(" .")
    if not name and part.type == "message/rfc822":
        name = f"message-{number}.eml"
    if not name:
        extension = _EXTENSIONS.get(part.type) or _TYPES.guess_extension(part.type) or ".bin"
        name = f"attachment-{number}{extension}"
    return Attachment(name[-200:], part.type, content)
