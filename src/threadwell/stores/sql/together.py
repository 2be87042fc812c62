"""What several members of a resource put into the index together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadwell.fhir.json import encode
from threadwell.fhir.resource import Resource
from threadwell.stores.sql.members import Finder, MemberEntries

#: It is remembered of members that have no more letters than this in all; and of so many sets of
#: them, some 3.5 KB each, and of as many as were before these.
_LONG, _MOST = 2_000, 512


class Together:
    """What the members that come ``again`` put in together.

    The messages of a thread have the same people, status and medium, each in members of its own:
    all of them are looked up at once.
    """

    __slots__ = ("_before", "_finders", "_known")

    def __init__(self, finders: Mapping[str, Finder]) -> None:
        self._finders = finders
        self._known: dict[bytes, MemberEntries] = {}
        #: Those that came last before these: who comes again is remembered on.
        self._before: dict[bytes, MemberEntries] = {}

    def find(self, members: Mapping[str, Any], resource: Resource) -> MemberEntries:
        """What those members put in, given by their names. It is shared: never change it."""
        try:
            form = encode(members)
        except UnicodeEncodeError:  # half of a character
            form = b""
        found = self._known.get(form)
        if found is None:
            found = self._before.get(form)
            if found is None:
                found = MemberEntries()
                for name, element in members.items():
                    self._finders[name].gather(element, resource, found)
            if 0 < len(form) <= _LONG:
                if len(self._known) >= _MOST:
                    self._before, self._known = self._known, {}
                self._known[form] = found
        return found
