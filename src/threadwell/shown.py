"""Text that strangers wrote, made fit to be shown: on a terminal, in a log, within JSON.

A name or a subject may hold what steers a terminal, or turns the direction of what follows it.
Every line that a command prints, and every line of the server's log, goes through here.
"""

from __future__ import annotations

import re

#: C0 and C1 controls with DEL, and the two separators that some terminals take for a line's end.
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
#: Marks without a shape of their own: of direction, of nothing, and the letters of hidden tags.
#: The two joiners stay: names and emoji are written with them.
_UNSEEN = r"\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
_UNSEEN += r"\U000e0000-\U000e007f"
#: Halves of a pair, as a file's name that is no UTF-8 has them: no terminal can be sent one.
_HALVES = r"\ud800-\udfff"

_CONTROL = re.compile(f"[{_CONTROLS}]")
_CONTROL_WITHIN = re.compile(f"(?![\t\n])[{_CONTROLS}]")
_NOT_SHOWN = re.compile(f"[{_UNSEEN}]")
_HALF = re.compile(f"[{_HALVES}]")
_IN_JSON = re.compile(f"(?![\t\n])[{_CONTROLS}{_UNSEEN}{_HALVES}]")


def on_a_line(text: str) -> str:
    """``text`` on one line: a space for each control, and no marks that nobody sees."""
    return text if text.isascii() and text.isprintable() else _fit(_CONTROL, text)


def on_lines(text: str) -> str:
    """``text`` with its tabs and line ends, else as ``on_a_line``."""
    return _fit(_CONTROL_WITHIN, text)


def in_json(text: str) -> str:
    """A JSON text in which all of these are escaped: for programs it says what it said."""
    return text if text.isascii() and "\x7f" not in text else _IN_JSON.sub(_escaped, text)


def _fit(controls: re.Pattern[str], text: str) -> str:
    return _HALF.sub("\ufffd", _NOT_SHOWN.sub("", controls.sub(" ", text)))


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
