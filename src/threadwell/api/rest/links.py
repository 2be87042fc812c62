"""References within a transaction: what its entries call each other → where they are stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from threadwell.api.rest.entries import within
from threadwell.api.rest.targets import Target
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import invalid

#: Members that hold a uri, a url, an oid or a uuid (§3.1.0.11.2); canonicals are left alone.
_LINK = re.compile(r"reference|ur[il]|.*(?:Ur[il]|Oid|Uuid)")
_ATTRIBUTE = re.compile(r"""((?:href|src)=["'])([^"']+)""")
#: A URL as a FHIR server's resources have them: its base, and ``Type/id``.
_RESTFUL = re.compile(r"(https?://.+/)(([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64})")


class Links:
    """Where the links of each entry lead: to other entries, by their ``fullUrl``.

    Raises ``FhirError`` 400 if two of ``targets`` call themselves the same.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self._by_url: dict[str, str] = {}
        self._by_base: dict[str, dict[str, str]] = {}
        for target in targets:
            name = target.entry.full_url
            if name and target.entry.request.method in ("POST", "PUT"):
                path = f"{target.type}/{target.id}"
                if self._by_url.setdefault(name, path) != path:
                    raise within(target.entry, invalid("Another entry has this fullUrl"))
                base, relative = _parted(name)
                if base:
                    self._by_base.setdefault(base, {})[relative] = path

    def led(self, target: Target) -> Any:
        """A copy of what the entry of ``target`` brings, its links led to where they go.

        A relative link means, in an entry that has a RESTful ``fullUrl``, what has that URL on
        the same server (§2.36.4).
        """
        base, _ = _parted(target.entry.full_url)
        links = (self._by_url, self._by_base.get(base, {}))
        return relink(target.entry.resource, *filter(None, links))


def relink(value: Any, *links: Mapping[str, str]) -> Any:
    """A copy of ``value`` with every link to a key of one of ``links`` led to its value.

    Links are references, uris, and the ``href`` and ``src`` of a narrative.
    """
    if isinstance(value, list):
        return [relink(item, *links) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for name, item in value.items():
        if isinstance(item, dict | list):
            out[name] = relink(item, *links)
        elif isinstance(item, str) and links and _LINK.fullmatch(name):
            out[name] = _led(item, links)
        elif name == "div" and isinstance(item, str):
            out[name] = _ATTRIBUTE.sub(lambda found: found[1] + _led(found[2], links), item)
        else:
            out[name] = item
    return out


def _led(text: str, links: Sequence[Mapping[str, str]]) -> str:
    # A link may name a place within the resource (#…).
    whole, mark, fragment = text.partition("#")
    return next((f"{of[whole]}{mark}{fragment}" for of in links if whole in of), text)


def _parted(full_url: str) -> tuple[str, str]:
    found = _RESTFUL.fullmatch(full_url)
    return (found[1], found[2]) if found and found[3] in RESOURCE_TYPES else ("", "")
