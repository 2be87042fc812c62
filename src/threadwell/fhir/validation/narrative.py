"""The XHTML of a narrative: well-formed, plain, and saying something (FHIR R4 §2.4.0)."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from threadwell.fhir.definitions.constraints import constraint
from threadwell.fhir.validation.problem import Problem, wrong_type

NAMESPACE = "http://www.w3.org/1999/xhtml"

_element = re.compile(
    "a|abbr|acronym|address|area|b|bdo|big|blockquote|br|caption|cite|code|col|colgroup|dd|dfn|div"
    "|dl|dt|em|h[1-6]|hr|i|img|kbd|li|map|ol|p|pre|q|samp|small|span|strong|sub|sup|table|tbody|td"
    "|tfoot|th|thead|tr|tt|ul|var"
).fullmatch
#: Attributes that HTML 4 has for text, lists and tables.
_common = re.compile(
    "abbr|accesskey|align|axis|char|charoff|class|colspan|dir|headers|id|lang|rowspan|scope|span"
    "|style|tabindex|title|valign|width|xml:lang|xml:space"
).fullmatch
_OWN = {
    "a": {"charset", "coords", "href", "hreflang", "name", "rel", "rev", "shape", "type"},
    "area": {"alt", "coords", "href", "nohref", "shape"},
    "blockquote": {"cite"},
    "img": {"alt", "border", "height", "ismap", "longdesc", "src", "usemap"},
    "map": {"name"},
    "q": {"cite"},
    "table": {"border", "cellpadding", "cellspacing", "frame", "rules", "summary"},
    "td": {"nowrap"},
    "th": {"nowrap"},
}
_LINKS = ("href", "src", "longdesc", "cite")
#: What browsers drop from a link before they follow it.
_DROPPED = dict.fromkeys(range(0x21))
#: The white space of XML: a no-break space is none.
_WHITE = " \t\r\n"
_ACTIVE = ("javascript:", "vbscript:")

#: A name longer than this is cut off in a message.
_MAX_NAME = 32


def check_xhtml(value: Any) -> list[Problem] | None:
    """The problems of a narrative's ``div``."""
    if not isinstance(value, str):
        return wrong_type("string", value)
    if not value.lstrip().startswith("<div"):
        # Nothing may stand before it, least of all a document type with entities of its own.
        return [Problem("value", "Invalid xhtml format: a narrative begins with <div")]
    reader = _Reader()
    try:
        reader.read(value)
    except expat.ExpatError as error:
        return [Problem("value", f"Invalid xhtml format: {expat.ErrorString(error.code)}")]
    except UnicodeEncodeError:
        return [Problem("value", "Invalid xhtml format")]
    return reader.problems or None


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._depth = 0
        self._says_something = False
        self._odd = ""
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def read(self, text: str) -> None:
        self._parser.Parse(text, True)
        if self._odd:
            told = constraint("Narrative.div", "txt-1").text
            self.problems.append(Problem("invariant", f"{told}: {self._odd}"))
        if not self._says_something:
            self.problems.append(Problem("invariant", constraint("Narrative.div", "txt-2").text))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and (name != "div" or attributes.get("xmlns") != NAMESPACE):
            text = f"Invalid xhtml format: a narrative is a div of the namespace {NAMESPACE}"
            self.problems.append(Problem("value", text))
        self._depth += 1
        self._says_something = self._says_something or name == "img"
        if not _element(name):
            self._odd = self._odd or f"no {name[:_MAX_NAME]}"
        for attribute, value in attributes.items():
            if (attribute == "xmlns" and value == NAMESPACE) or attribute.startswith("xmlns:"):
                continue
            if not _common(attribute) and attribute not in _OWN.get(name, ()):
                self._odd = self._odd or f"no {attribute[:_MAX_NAME]} of {name[:_MAX_NAME]}"
            if attribute in _LINKS and value.translate(_DROPPED).lower().startswith(_ACTIVE):
                self._odd = self._odd or f"no script in {attribute}"

    def _end(self, _: str) -> None:
        self._depth -= 1

    def _text(self, text: str) -> None:
        self._says_something = self._says_something or text.strip(_WHITE) != ""
