"""What the index leaves in doubt, asked of the resource itself."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.match import Subject, matches, values_match
from threadwell.fhir.search.query import Filter, within
from threadwell.fhir.search.values import IndexValues
from threadwell.fhir.search.within import searched_values

#: Versions that are known at a time.
_MOST = 2_000


class Doubts(NamedTuple):
    """Filters of a search of ``type``, which may be an inner one; none leave no doubt.

    ``bases`` are our own. ``known`` is what is known of versions, where it is worth remembering.
    """

    type: str
    filters: tuple[Filter, ...]
    bases: frozenset[str]
    known: dict[str, bool] | None = None

    def hold_of(self, version_id: str, body: bytes) -> bool:
        """The same as ``hold``, of a version that may be known."""
        known = self.known
        if known is None:
            return self.hold(body)
        found = known.get(version_id)
        if found is None:
            if len(known) >= _MOST:
                known.clear()
            found = known[version_id] = self.hold(body)
        return found

    def hold(self, body: bytes) -> bool:
        """Whether all filters hold for a resource, or for one and the same that it contains."""
        resource = decode(body)
        return any(
            self.hold_for(values, resource)
            for values in searched_values(self.type, resource, self.bases)
        )

    def hold_for(self, values: IndexValues, resource: Resource) -> bool:
        """Whether all filters hold for something of those values in a resource."""
        return all(
            matches(doubt, _Alone(self.type, values, resource))
            if within(doubt)
            else values_match(doubt, values.get(doubt.param, ()))  # type: ignore[union-attr]
            for doubt in self.filters
        )


class _Alone(NamedTuple):
    """A resource as search sees it, without any other."""

    type: str
    values: IndexValues
    resource: Resource

    @property
    def id(self) -> str:
        return str(self.resource.get("id", ""))

    @property
    def updated(self) -> int:
        text: str = self.resource["meta"]["lastUpdated"]
        return round(datetime.fromisoformat(text).timestamp() * 1000)

    def referred(self, param: str) -> tuple[Subject, ...]:  # noqa: ARG002 - links are looked up
        return ()

    def referring(self, type_: str, param: str) -> tuple[Subject, ...]:  # noqa: ARG002
        return ()


#: Nothing is in doubt.
SURE = Doubts("", (), frozenset())
