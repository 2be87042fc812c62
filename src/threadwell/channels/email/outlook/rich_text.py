"""The text of a mail that Outlook keeps as compressed rich text only (MS-OXRTFCP)."""

from __future__ import annotations

import re

from threadwell.messages.looks import HIDDEN, LOWERED, RAISED, STRUCK, mark

#: The header field of a mail made of an item that has its text with marks, in base64.
MARKED = "X-Threadwell-Looks"

_HEIGHTS = RAISED | LOWERED
#: Control words that say how the words behind them look (Rich Text Format 1.9.1, Font properties).
_LOOKS = re.compile(r"\\(?:super|sub|strike|striked1|deleted|up|dn|v)(?![a-z])")
_TOKEN = re.compile(r"\\(?:([a-z]{1,32})(-?[0-9]{1,10})? ?|'[0-9a-fA-F]{2}|[^a-z])|([{}])")
_STRUCK = frozenset(("strike", "striked", "deleted"))
#: The number behind a word that ends it.
_OFF = "0"


def rich_text(content: bytes, *, if_looks: bool = False) -> str:
    """The words of a compressed RTF, with marks (``messages/looks.py``) where they look otherwise.

    ``""`` where it cannot be read, or, with ``if_looks``, has nothing of the kind. Words that a
    revision has deleted are struck.
    """
    from compressed_rtf import decompress  # here, as few mails have nothing else
    from striprtf.striprtf import remove_pict_groups, rtf_to_text

    try:
        plain = decompress(content).decode("latin-1")
        if _LOOKS.search(plain):
            plain = _marked(str(remove_pict_groups(plain)))  # type: ignore[no-untyped-call]
        elif if_looks:
            return ""
        text = str(rtf_to_text(plain, errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, LookupError, OverflowError):
        return ""
    # RTF writes a letter beyond U+FFFF as two halves, and so they come.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.strip("\0")


def _marked(rtf: str) -> str:
    """An RTF with marks among its words; a mark stands where a word of control or a group ends."""
    out: list[str] = []
    groups: list[int] = []
    look, end = 0, 0
    for token in _TOKEN.finditer(rtf):
        word, number, brace = token.groups()
        before = look
        if brace == "{":
            groups.append(look)
        elif brace:
            look = groups.pop() if groups else 0
        elif word:
            look = _look(look, word, number)
        if look != before:
            out += [rtf[end : token.end()], mark(look)]
            end = token.end()
    return "".join([*out, rtf[end:]])


def _look(look: int, word: str, number: str | None) -> int:
    if word in _STRUCK:
        return look & ~STRUCK if number == _OFF else look | STRUCK
    if word == "v":
        return look & ~HIDDEN if number == _OFF else look | HIDDEN
    if word in ("super", "up"):
        return look & ~_HEIGHTS | (0 if number == _OFF else RAISED)
    if word in ("sub", "dn"):
        return look & ~_HEIGHTS | (0 if number == _OFF else LOWERED)
    if word == "nosupersub":
        return look & ~_HEIGHTS
    return 0 if word == "plain" else look
