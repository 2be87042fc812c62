"""Bytes to text, whatever the sender claims the charset to be."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

#: What the text was read with in the end, where that is not what it claims.
NOT_AS_CLAIMED = "text is not in the charset that it names; characters may be wrong"
NO_CHARSET = "text names no charset and is not in UTF-8; characters may be wrong"
UNKNOWN_CHARSET = "text names a charset that is not known; characters may be wrong"

# Mail programs name the smaller, older charset and write the larger one.
_LARGER = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso2022_jp": "iso2022_jp_ext",
    "tis-620": "cp874",
    "iso8859-11": "cp874",
}
_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "x-mac-roman": "mac-roman",
    "utf8mb4": "utf-8",
    "cp-850": "cp850",
}
#: Claims that say nothing: what the bytes look like decides.
_NO_CLAIM = frozenset({"", "ascii", "us-ascii", "unknown-8bit", "x-unknown", "default", "binary"})
#: ISO-2022-JP (RFC 1468) switches its alphabets by these; old programs send it without a claim.
_JAPANESE = re.compile(rb"\x1b(?:\$[@B]|\([BJ])")
# Where HTML names its charset (HTML 4.01 §5.2.2, and HTML 5), within what a browser looks at.
_META = re.compile(
    rb"<meta\s[^>]{0,400}?\bcharset\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]{1,40})", re.IGNORECASE
)
_META_WITHIN = 4096
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NO_CONTROLS = {code: None for code in range(128) if _CONTROLS.match(chr(code))}


def decode(content: bytes, claimed: str = "") -> tuple[str, str]:
    """The text and a note (``""`` where nothing was in doubt). Never fails.

    Without a claim the bytes are UTF-8 if they can be, else Windows-1252.
    """
    claim = claimed.strip().strip("\"'").lower()
    if claim in _NO_CLAIM and b"\x1b" in content and _JAPANESE.search(content):
        claim = "iso-2022-jp"
    if content.isascii() and not _stateful(claim):
        return content.decode("ascii"), ""
    if claim in _NO_CLAIM:
        text = _utf8(content)
        if text is not None:
            return text, ""
        return _guess(content), "" if claim else NO_CHARSET
    codec = _codec(claim)
    if codec is None:
        return _guess(content), UNKNOWN_CHARSET
    try:
        return content.decode(codec), ""
    except UnicodeError:
        return _mostly(content, codec), NOT_AS_CLAIMED


def charset_in_html(content: bytes, claimed: str) -> str:
    """The charset of HTML: the one that its part claims, or else its own ``<meta>``."""
    if claimed.strip().strip("\"'").lower() not in _NO_CLAIM:
        return claimed
    found = _META.search(content, 0, _META_WITHIN)
    return found[1].decode("ascii") if found else claimed


def without_controls(text: str) -> str:
    """The text without what no FHIR string may hold: controls (R4 §2.24.0.1), half characters."""
    return text.translate(_NO_CONTROLS) if text.isascii() else _CONTROLS.sub("", text)


@lru_cache(maxsize=256)
def _codec(name: str) -> str | None:
    """Python's codec for a charset's name, the larger sibling where senders mix them up."""
    try:
        info = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):
        return None
    if not info._is_text_encoding:
        return None
    return _LARGER.get(info.name, info.name)


@lru_cache(maxsize=256)
def _stateful(claimed: str) -> bool:
    """Whether bytes below 128 may mean something else than ASCII in that charset."""
    return claimed.startswith(("iso-2022", "utf-7", "utf-16", "utf-32", "utf16", "hz", "cp037"))


def _utf8(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _guess(content: bytes) -> str:
    text = _utf8(content)
    return _mostly(content, "utf-8") if text is None else text


def _mostly(content: bytes, codec: str) -> str:
    """Text of which some bytes do not fit: by ``codec`` if most of the odd bytes do."""
    text = content.decode(codec, "replace")
    bad = text.count("\ufffd")
    good = sum(1 for char in text if char > "\x7f") - bad
    if good > bad:
        return text
    found = _utf8(content)
    return content.decode("cp1252", "replace") if found is None else found
