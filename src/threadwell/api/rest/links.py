"""References within a bundle: what its entries call each other → where they are stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from threadwell.api.rest.entries import Entry, within
from threadwell.api.rest.targets import Target
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.links import Lead, copy, relinked, relinked_patch
from threadwell.fhir.outcome import invalid
from threadwell.stores.contract import Key

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
            return copy(target.entry.resource)

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
    if entry.request.method == "PATCH":
        return relinked_patch(entry.resource, entry.request.path.partition("/")[0], lead)
    return relinked(entry.resource, lead)


def _parted(full_url: str) -> tuple[str, str]:
    found = _RESTFUL.fullmatch(full_url)
    return (found[1], found[2]) if found and found[3] in RESOURCE_TYPES else ("", "")
