"""Content-Type and Content-Disposition with their parameters (RFC 2045 §5.1, RFC 2231)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from threadwell.channels.email.charsets import decode
from threadwell.channels.email.words import header_text

# Some programs leave the semicolon out.
_PARAMETER = re.compile(r'(?:;|(?<![\s;])\s)\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_ESCAPE = re.compile(r"\\(.)")
_CONTINUED = re.compile(r"([^*]+)\*(\d{1,9})?(\*)?")

#: Longer values hardly come twice, and need not be remembered.
_REMEMBERED_LENGTH = 200


def parse_parameters(value: str) -> tuple[str, Mapping[str, str]]:
    """The first word of the value in lower case, and its parameters by lower-case name.

    The first of two equal names counts. Values are decoded: RFC 2231, and also RFC 2047, which
    is not allowed there and common. A value without quotes may hold anything but ``;``.
    """
    return _remembered(value) if len(value) <= _REMEMBERED_LENGTH else _parsed(value)


def _parsed(value: str) -> tuple[str, Mapping[str, str]]:
    main = "".join(value.partition(";")[0].split()[:1]).lower()
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, raw in _PARAMETER.findall(value):
        text = _unquoted(raw)
        name = name.lower()
        continued = _CONTINUED.fullmatch(name) if "*" in name else None
        if continued:
            encoded = bool(continued[3]) or continued[2] is None
            pieces.setdefault(continued[1], {})[int(continued[2] or 0)] = (encoded, text)
        else:
            plain.setdefault(name, header_text(text))
    for name, numbered in pieces.items():
        plain[name] = _joined(numbered)
    return main, plain


_remembered = lru_cache(maxsize=2048)(_parsed)


def _unquoted(raw: str) -> str:
    raw = raw.strip()
    if raw.startswith('"'):
        inner = raw[1:-1] if len(raw) > 1 and raw.endswith('"') else raw[1:]
        return _ESCAPE.sub(r"\1", inner) if "\\" in inner else inner
    return raw


def _joined(numbered: dict[int, tuple[bool, str]]) -> str:
    """The pieces ``name*0*``, ``name*1`` … of one value (RFC 2231 §3-4)."""
    charset, content = "", bytearray()
    for at, (_, (encoded, text)) in enumerate(sorted(numbered.items())):
        if encoded and at == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "surrogateescape")
        content += unquote_to_bytes(raw) if encoded else raw
    return decode(bytes(content), charset)[0]
