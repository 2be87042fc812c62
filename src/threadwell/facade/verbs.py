"""FHIR's verbs as method calls. Each takes the way of a request to the API, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from threadwell.facade.opened import Opened
from threadwell.facade.wanted import Parameters, operations_of, path_of, search_path, type_of
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.resource import Resource

if TYPE_CHECKING:
    from threadwell.bulk.expunging import Expunged

#: How many matches ``search_all`` asks for at once.
_AT_ONCE = 200


class Verbs(Opened):
    """Refused requests raise ``OperationOutcomeError``; arguments of a wrong kind ``TypeError``."""

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Any FHIR request; the parsed body of its answer, ``None`` where it has none.

        For example::

            tw.request("GET", "Patient/123/_history")
            tw.request("POST", "", bundle)
        """
        if not isinstance(method, str) or not isinstance(path, str):
            raise TypeError('a request is a method and a path: tw.request("GET", "Patient/123")')
        from threadwell.facade.request import send

        async def asked() -> Any:
            return await send(await self._context(), method, path, body, headers)

        return self._loop.call(asked())

    def create_resource(self, resource: Resource, *, if_none_exist: str = "") -> Resource:
        """Create the resource; returns it with the id, version and time that it was given.

        For example::

            tw.create_resource({"resourceType": "Patient", "name": [{"family": "Prado"}]})

        With ``if_none_exist`` (``identifier=system|value``) a resource that is found so is
        returned as it is (FHIR R4 §3.1.0.8.1).
        """
        headers = {"If-None-Exist": if_none_exist} if if_none_exist else None
        return self._resource("POST", type_of(resource), resource, headers)

    def read_resource(self, type_: str, id_: str) -> Resource:
        """The current version: ``tw.read_resource("Patient", "123")``.

        One that is not there is an ``OperationOutcomeError`` of status 404, a deleted one of 410.
        """
        return self._resource("GET", path_of(type_, id_))

    def update_resource(self, resource: Resource, *, if_match: str = "") -> Resource:
        """Replace the resource of that type and id; returns the new version.

        For example::

            patient["active"] = False
            tw.update_resource(patient, if_match=patient["meta"]["versionId"])

        With ``if_match`` only while that version is the current one, else 412.
        """
        path = path_of(type_of(resource), resource.get("id"))
        return self._resource("PUT", path, resource, _if_match(if_match))

    def patch_resource(
        self, type_: str, id_: str, operations: Sequence[Mapping[str, Any]], *, if_match: str = ""
    ) -> Resource:
        """Change a resource by JSON Patch (RFC 6902); returns the new version.

        For example::

            link = {"op": "add", "path": "/encounter", "value": {"reference": "Encounter/123"}}
            tw.patch_resource("Communication", header_id, [link])
        """
        body = operations_of(operations)
        return self._resource("PATCH", path_of(type_, id_), body, _if_match(if_match))

    def delete_resource(self, type_: str, id_: str) -> None:
        """Delete a resource, also one deleted before: ``tw.delete_resource("Task", "123")``."""
        self.request("DELETE", path_of(type_, id_))

    def expunge(
        self, resource: str, *, everything: bool = False, only_count: bool = False
    ) -> Expunged:
        """Remove a resource for good, with all its versions: ``tw.expunge("Task/123")``.

        With ``everything`` a Patient with all that is about them and about nobody else. What was
        removed, by type, and what is left that names the patient. With ``only_count`` it
        is what would be, and nothing is changed. Raises ``NotThere`` where there is no such
        resource.
        """
        from threadwell.bulk.expunging import Expunging, NotThere
        from threadwell.stores.contract import Key

        type_, _, id_ = resource.partition("/")
        if type_ not in RESOURCE_TYPES or not id_:
            raise NotThere(resource)
        if everything and type_ != "Patient":
            raise ValueError(f"everything is of a Patient: {resource} is none")
        work = Expunging(self._store, self._project, self._trail.clock, "", self._trail.drain)
        key = Key(type_, id_)
        if only_count:
            return self._loop.call(work.would(key, everything=everything))
        return self._loop.call(work.all_of(id_) if everything else work.one(key))

    def search(self, type_: str, parameters: Parameters = None) -> Resource:
        """The ``searchset`` Bundle of a search, by a mapping, pairs or a query string.

        For example::

            tw.search("Encounter", {"class": "http://…/v3-ActCode|VR", "_total": "accurate"})
        """
        return self._resource("GET", search_path(type_, parameters))

    def search_resources(self, type_: str, parameters: Parameters = None) -> list[Resource]:
        """The resources of one page of a search, the included ones last (20, unless ``_count``).

        For example::

            tw.search_resources("Communication", {"part-of": "Communication/123", "_sort": "sent"})

        ``search_all`` goes on beyond the page.
        """
        return [entry["resource"] for entry in _entries(self.search(type_, parameters))]

    def search_all(self, type_: str, parameters: Parameters = None) -> Iterator[Resource]:
        """Everything that a search finds, one after the other, however much it is.

        For example::

            for task in tw.search_all("Task", {"status": "requested"}):
                print(task["id"])

        Pages are read as they are needed. Included resources follow the page of their match, each
        once. ``_count`` is how many matches are read at once, 200 unless it is given.
        """
        path = search_path(type_, parameters)
        if "_count=" not in path:
            path += f"{'&' if '?' in path else '?'}_count={_AT_ONCE}"
        return self._pages(path)

    def _pages(self, path: str) -> Iterator[Resource]:
        included: set[tuple[str, str]] = set()
        while path:
            bundle = self._resource("GET", path)
            for entry in _entries(bundle):
                resource = entry["resource"]
                if (entry.get("search") or {}).get("mode") == "include":
                    key = (resource["resourceType"], resource["id"])
                    if key in included:
                        continue
                    included.add(key)
                yield resource
            links = bundle.get("link") or ()
            path = next((link["url"] for link in links if link["relation"] == "next"), "")

    def _resource(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Resource:
        answer: Resource = self.request(method, path, body, headers)
        return answer


def _entries(bundle: Resource) -> list[Resource]:
    entries: list[Resource] = bundle.get("entry") or []
    return entries


def _if_match(version_id: str) -> dict[str, str] | None:
    return {"If-Match": f'W/"{version_id}"'} if version_id else None
