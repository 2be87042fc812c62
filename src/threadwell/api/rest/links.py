"""References within a transaction: what its entries call each other → where they are stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Members that hold a uri, a url, an oid or a uuid (§3.1.0.11.2); canonicals are left alone.
_LINK = re.compile(r"reference|ur[il]|.*(?:Ur[il]|Oid|Uuid)")
_ATTRIBUTE = re.compile(r"""((?:href|src)=["'])([^"']+)""")


def relink(value: Any, links: Mapping[str, str]) -> Any:
    """A copy of ``value`` with every link to a key of ``links`` led to its value.

    Links are references, uris, and the ``href`` and ``src`` of a narrative.
    """
    if isinstance(value, list):
        return [relink(item, links) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for name, item in value.items():
        if isinstance(item, dict | list):
            out[name] = relink(item, links)
        elif isinstance(item, str) and links and _LINK.fullmatch(name):
            out[name] = _led(item, links)
        elif name == "div" and isinstance(item, str):
            out[name] = _ATTRIBUTE.sub(lambda found: found[1] + _led(found[2], links), item)
        else:
            out[name] = item
    return out


def _led(text: str, links: Mapping[str, str]) -> str:
    # A link may name a place within the resource (#…).
    whole, mark, fragment = text.partition("#")
    return f"{links[whole]}{mark}{fragment}" if whole in links else text
