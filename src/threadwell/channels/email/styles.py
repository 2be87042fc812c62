"""How the elements of an HTML mail look, as far as that says something: hidden, struck, raised."""

from __future__ import annotations

import re

from lxml import etree

from threadwell.messages.looks import HIDDEN, LOWERED, RAISED, STRUCK

_UNSEEN = frozenset(("head", "script", "style", "template", "title", "noscript", "object"))
_HIDDEN = re.compile(r"display\s*+:\s*+none|mso-hide\s*+:\s*+all", re.IGNORECASE)

_WORD = re.compile(r"\w")

_TAGS = {"sup": RAISED, "sub": LOWERED, "s": STRUCK, "strike": STRUCK, "del": STRUCK}
_HEIGHTS = RAISED | LOWERED
_STYLES = re.compile(
    r"text-decoration(?:-line)?\s*+:(?P<lines>[^;]{0,200}+)|"
    r"vertical-align\s*+:\s*+(?P<align>super|sub|baseline)\b|"
    r"visibility\s*+:\s*+(?P<seen>visible|hidden|collapse)|"
    r"mso-text-raise\s*+:\s*+(?P<down>-?)(?P<far>[0-9.]{1,20}+)",
    re.IGNORECASE,
)
#: What words stand in; the height of anything else is where it is drawn.
_INLINE = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em"),
        *("font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span"),
        *("strike", "strong", "sub", "sup", "time", "tt", "u", "var"),
    )
)
#: One of these stands in every HTML that has a word whose look says something.
_ANY = (
    *(b"<sup", b"<sub", b"<strike", b"<del", b"<s>", b"<s ", b"<s\t", b"<s\r", b"<s\n", b"<s/"),
    *(b"line-through", b"mso-text-raise"),
)
_ALIGNED = re.compile(rb"vertical-align\s*+:\s*+su[pb]")


def may_have_looks(html: bytes) -> bool:
    """Whether any element of an HTML may be struck, raised or lowered; it costs little to ask."""
    lower = html.lower()
    # What is not written in bytes of ASCII has zeros.
    if any(one in lower for one in _ANY) or b"\0" in html:
        return True
    return _ALIGNED.search(lower) is not None


def is_unseen(element: etree._Element) -> bool:
    """Whether nobody sees an element, nor what is in it."""
    if element.tag in _UNSEEN:
        return True
    style = element.get("style")
    return bool(style and _HIDDEN.search(style))


def hides_words(element: etree._Element) -> bool:
    """Whether an element says words, and that nobody is to see them."""
    if element.tag in _UNSEEN or not is_unseen(element):
        return False
    return any(_WORD.search(text) for text in element.itertext())


def look_of(element: etree._Element, outer: int) -> int:
    """How the words of an element look that stands in words which look like ``outer``."""
    tag, style = str(element.tag), element.get("style")
    own = _TAGS.get(tag, 0)
    if not (own or style) and element.get("hidden") is None:
        return outer
    height = own & _HEIGHTS or outer & _HEIGHTS
    hidden = outer & HIDDEN if element.get("hidden") is None else HIDDEN
    if style:
        for found in _STYLES.finditer(style):
            if (lines := found["lines"]) is not None:
                own = own & _HEIGHTS | (STRUCK if "line-through" in lines.lower() else 0)
            elif found["seen"]:
                hidden = 0 if found["seen"].lower() == "visible" else HIDDEN
            elif tag not in _INLINE:
                continue
            elif found["far"]:
                moved = LOWERED if found["down"] else RAISED
                height = moved if found["far"].strip("0.") else height
            else:
                height = {"super": RAISED, "sub": LOWERED}.get(found["align"].lower(), 0)
    return outer & STRUCK | own & STRUCK | height | hidden
