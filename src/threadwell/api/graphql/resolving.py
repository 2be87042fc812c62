"""The values of one field for all the resources and elements that it is asked of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from graphql import FieldNode

from threadwell.access.view import View
from threadwell.api.graphql.connections import connection
from threadwell.api.graphql.fetching import Fetching
from threadwell.api.graphql.navigating import narrowed
from threadwell.api.graphql.schema import OFFSET, REFERENCE
from threadwell.api.graphql.steps import Change, Member, Read, Search, Step, Target
from threadwell.api.graphql.writing import Writing
from threadwell.fhir.outcome import FhirError, invalid, not_found
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Total
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.stores.contract import Key

#: Where a value is in the answer: the place of what it is in, and its name or position there.
Path: TypeAlias = "tuple[Path, str | int] | None"


class Item(NamedTuple):
    """A value with its place, and the resource of the store that it is in (none is empty)."""

    value: Any
    path: Path
    root: Resource


class Told(NamedTuple):
    """What could not be found, by which field, and where."""

    error: FhirError
    node: FieldNode
    path: Path


class Resolving:
    """Finds values; ``told`` is what could not be found."""

    def __init__(self, fetching: Fetching, writing: Writing) -> None:
        self._fetching = fetching
        self._writing = writing
        self.told: list[Told] = []

    async def values(
        self,
        step: Step,
        arguments: dict[str, Any],
        node: FieldNode,
        key: str,
        items: Sequence[Item],
    ) -> list[Item]:
        """The value of a field for each item, in their order."""
        paths: list[Path] = [(item.path, key) for item in items]
        try:
            match step:
                case Member():
                    return _members(step, arguments, items, paths)
                case Target():
                    return await self._targets(arguments, node, items, paths)
                case Read():
                    found: Any = await self._read(step, arguments)
                case Search(reverse=True):
                    return await self._referring(step, arguments, items, paths)
                case Search():
                    found = await self._search(step, arguments, node)
                case Change():
                    found = await self._writing.write(step, arguments)
        except FhirError as error:
            if any(issue.code == "too-costly" for issue in error.issues):
                raise
            self.tell(error, node, key, items)
            return [Item(None, path, {}) for path in paths]
        return [Item(found, path, root_of(found)) for path in paths]

    def tell(self, error: FhirError, node: FieldNode, key: str, items: Sequence[Item]) -> None:
        """A field could not be found, for none of the items: the first is told."""
        self.told += [Told(error, node, (item.path, key)) for item in items[:1]]

    @property
    def _view(self) -> View:
        return self._fetching.context.view

    async def _read(self, step: Read, arguments: dict[str, Any]) -> Resource:
        self._view.check(step.type, "read")
        key = Key(step.type, arguments["id"])
        found = (await self._fetching.resources([key]))[key]
        if found is None:
            raise not_found()
        return found

    async def _search(self, step: Search, arguments: dict[str, Any], node: FieldNode) -> Any:
        self._view.check(step.type, "search")
        query = self._fetching.query(step.type, arguments)
        if not step.pages:
            return (await self._fetching.search(query)).resources
        if query.after is not None and query.offset:
            raise invalid("_cursor and _offset both say where the page begins")
        if _names(node, "count"):
            query = replace(query, total=Total.ACCURATE)
        return connection(await self._fetching.search(query), arguments.get(OFFSET) or 0)

    async def _referring(
        self, step: Search, arguments: dict[str, Any], items: Sequence[Item], paths: list[Path]
    ) -> list[Item]:
        self._view.check(step.type, "search")
        query = self._fetching.query(step.type, arguments)
        # What is contained in another resource is referred to by nothing else.
        keys = [_key_of(item.value) if item.value is item.root else None for item in items]
        wanted = [key for key in keys if key is not None]
        found = await self._fetching.referring(query, arguments[REFERENCE], wanted)
        return [
            Item(None if key is None else found[key], path, {})
            for key, path in zip(keys, paths, strict=True)
        ]

    async def _targets(
        self, arguments: dict[str, Any], node: FieldNode, items: Sequence[Item], paths: list[Path]
    ) -> list[Item]:
        only = arguments.get("type")
        keys = [self._key(item.value.get("reference")) for item in items]
        read = await self._fetching.resources(key for key in keys if key is not None)
        out: list[Item] = []
        for item, key, path in zip(items, keys, paths, strict=True):
            text = item.value.get("reference")
            if key is not None:
                found = read[key]
                root = found or {}
            else:
                found, root = _contained(item.root, text), item.root
            if found is None and text and not arguments.get("optional"):
                self.told.append(Told(not_found(), node, path))
            if found is not None and only and found.get("resourceType") != only:
                found = None
            out.append(Item(found, path, root))
        return out

    def _key(self, text: Any) -> Key | None:
        """What a reference leads to, of our own."""
        if not isinstance(text, str):
            return None
        absolute = parse_absolute(text)
        if absolute is not None:
            is_ours = absolute.base in self._fetching.context.bases
            return Key(absolute.type, absolute.id) if is_ours else None
        type_, id_ = split_reference(text)
        return Key(type_, id_) if type_ else None


def _members(
    step: Member, arguments: dict[str, Any], items: Sequence[Item], paths: list[Path]
) -> list[Item]:
    values = [item.value.get(step.name) for item in items]
    if step.many and any(value is not None for value in arguments.values()):
        values = [value and narrowed(value, step.type, arguments) for value in values]
    return [
        # What a connection has on its edges is a resource of its own.
        Item(value, path, item.root or root_of(value))
        for value, item, path in zip(values, items, paths, strict=True)
    ]


def root_of(value: Any) -> Resource:
    """The value, if it is a resource."""
    return value if isinstance(value, dict) and "resourceType" in value else {}


def _key_of(value: Resource) -> Key:
    return Key(value["resourceType"], value["id"])


def _contained(root: Resource, text: Any) -> Resource | None:
    if not isinstance(text, str) or not text.startswith("#"):
        return None
    if text == "#":
        return root or None
    inside = root.get("contained") or ()
    return next((one for one in inside if one.get("id") == text[1:]), None)


def _names(node: FieldNode, name: str) -> bool:
    """Is it asked for anywhere in the field? A fragment may ask for anything."""
    selections = node.selection_set.selections if node.selection_set else ()
    return any(not isinstance(one, FieldNode) or one.name.value == name for one in selections)
