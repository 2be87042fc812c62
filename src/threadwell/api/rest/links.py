"""References within a bundle: what its entries call each other → where they are stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from threadwell.api.rest.entries import Entry, within
from threadwell.api.rest.targets import Target
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import invalid
from threadwell.stores.contract import Key

#: Where a link leads; ``None`` for one that is to stay as it is.
Lead: TypeAlias = Callable[[str], str | None]

#: Members that hold a uri, a url, an oid or a uuid (§3.1.0.11.2); canonicals are left alone.
_LINK = re.compile(r"reference|ur[il]|.*(?:Ur[il]|Oid|Uuid)")
_ATTRIBUTE = re.compile(r"""((?:href|src)=["'])([^"']+)""")
#: A URL as a FHIR server's resources have them: its base, and ``Type/id``.
_RESTFUL = re.compile(r"(https?://.+/)(([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64})")
#: A link to one version of what it names.
VERSIONED = re.compile(r"(.+)/_history/[A-Za-z0-9\-.]{1,64}")


class Links:
    """Where the links of each entry lead: to other entries, by their ``fullUrl``.

    A link to a version leads to the version that the transaction makes. ``versioned`` tells whether
    there may be any. Raises ``FhirError`` 400 if two of ``targets`` call themselves the same.
    """

    def __init__(self, targets: Sequence[Target], *, versioned: bool = False) -> None:
        #: The resources that some entry refers to by version.
        self.pinned: set[Key] = set()
        self._by_url: dict[str, str] = {}
        self._by_base: dict[str, dict[str, str]] = {}
        versions: dict[str, Target] = {}
        for target in targets:
            name = target.entry.full_url
            if name and target.entry.request.method in ("POST", "PUT", "PATCH"):
                path = f"{target.type}/{target.id}"
                if self._by_url.setdefault(name, path) != path:
                    raise within(target.entry, invalid("Another entry has this fullUrl"))
                base, relative = _parted(name)
                if base:
                    self._by_base.setdefault(base, {})[relative] = path
                versions.setdefault(path, target)
        self._versions = versions if versioned else {}
        if versioned:
            for target in targets:
                self.led(target)

    def led(self, target: Target) -> Any:
        """A copy of what the entry of ``target`` brings, its links led to where they go.

        A relative link means, in an entry that has a RESTful ``fullUrl``, what has that URL on
        the same server (§2.36.4).
        """
        base, _ = _parted(target.entry.full_url)
        links = [of for of in (self._by_url, self._by_base.get(base)) if of]
        if not links:
            return relink(target.entry.resource, None)

        def lead(text: str) -> str | None:
            path = next((of[text] for of in links if text in of), None)
            if path is None and self._versions and (parts := VERSIONED.fullmatch(text)):
                path = next((of[parts[1]] for of in links if parts[1] in of), None)
                return path and self._pin(path)
            return path

        return relink_entry(target.entry, lead)

    def _pin(self, path: str) -> str:
        target = self._versions[path]
        self.pinned.add(target.key)
        return f"{path}/_history/{target.version_id}"


def relink_entry(entry: Entry, lead: Lead) -> Any:
    """A copy of what the entry brings, with every link led to where it goes."""
    led = relink(entry.resource, lead)
    if entry.request.method != "PATCH":
        return led
    # The value of an operation has the name that its path ends with.
    for operation in led:
        if not isinstance(operation, dict):
            continue
        value, name = operation.get("value"), str(operation.get("path")).rpartition("/")[2]
        if isinstance(value, str) and _LINK.fullmatch(name):
            operation["value"] = _led(value, lead)
    return led


def relink(value: Any, lead: Lead | None) -> Any:
    """A copy of ``value`` with every link led to where it goes.

    Links are references, uris, and the ``href`` and ``src`` of a narrative.
    """
    if isinstance(value, list):
        return [relink(item, lead) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for name, item in value.items():
        if isinstance(item, dict | list):
            out[name] = relink(item, lead)
        elif isinstance(item, str) and lead and _LINK.fullmatch(name):
            out[name] = _led(item, lead)
        elif name == "div" and isinstance(item, str) and lead:
            out[name] = _in_narrative(item, lead)
        else:
            out[name] = item
    return out


def _in_narrative(div: str, lead: Lead) -> str:
    return _ATTRIBUTE.sub(lambda found: found[1] + _led(found[2], lead), div)


def _led(text: str, lead: Lead) -> str:
    # A link may name a place within the resource (#…).
    whole, mark, fragment = text.partition("#")
    to = lead(whole)
    return text if to is None else f"{to}{mark}{fragment}"


def _parted(full_url: str) -> tuple[str, str]:
    found = _RESTFUL.fullmatch(full_url)
    return (found[1], found[2]) if found and found[3] in RESOURCE_TYPES else ("", "")
