"""JSON Patch on a resource (RFC 6902; FHIR R4 http.html#patch)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from threadwell.fhir.json import MAX_DEPTH
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.pointer import absent, find, get, index, parse_pointer, written
from threadwell.fhir.resource import Resource

#: Operations of one patch.
MAX_OPERATIONS = 10_000
#: What the ``copy`` operations of one patch may copy: characters of text and members together.
#: A few hundred bytes of them could otherwise double a resource until no machine holds it.
MAX_COPIED = 4 * 1024 * 1024
#: Items of lists that one patch may push aside: a long list is moved whole for each that comes
#: before it.
MAX_SHIFTED = 20_000_000
#: What no patch changes.
_FIXED = ("resourceType", "id")


def apply_patch(resource: Resource, operations: Any, *, own: bool = False) -> Resource:
    """The resource after all of ``operations``; ``resource`` itself is not changed, unless it is
    the caller's ``own`` to be changed.

    Strict as RFC 6902, but for what FHIR's JSON demands, which has no empty list and no empty
    object: ``add`` at ``/note/-`` makes the list ``note`` where there is none, and what ``remove``
    and ``move`` have left empty goes in the end. Raises ``FhirError`` 400, and then none of the
    operations holds, for a patch that is malformed, does not fit, or changes ``resourceType`` or
    ``id``; that would nest deeper than ``MAX_DEPTH`` levels, or is more work than the limits allow.
    """
    check_operations(operations)
    if len(operations) > MAX_OPERATIONS:
        raise too_costly(f"A patch has at most {MAX_OPERATIONS:,} operations")
    patch = Patch(resource, own=own)
    for operation in operations:
        patch.apply(operation)
    return patch.result()


def check_operations(value: Any, where: str = "") -> list[Any]:
    """``value`` if it is a list; raises 400 otherwise. ``where`` it stands is FHIRPath."""
    if not isinstance(value, list):
        raise invalid("Patch body must be an array", where)
    return value


class Patch:
    """A copy of a resource on its way, or the resource itself where it is the caller's ``own``."""

    def __init__(self, resource: Resource, *, own: bool = False) -> None:
        self._before = {name: resource.get(name) for name in _FIXED}
        self._document: Any = resource if own else _copy(resource)
        self._copied = 0
        self._shifted = 0
        #: Objects and lists that something was taken out of, by their identity.
        self._reduced: dict[int, Any] = {}

    @property
    def document(self) -> Any:
        """As it is by now; it may hold empty lists and objects, and is not to be changed."""
        return self._document

    def apply(self, operation: Any) -> None:
        """Do one operation; raises 400 where it cannot be done."""
        if not isinstance(operation, dict):
            raise invalid("Patch operation must be an object")
        op = operation.get("op")
        apply = _OPERATIONS.get(op) if isinstance(op, str) else None
        if apply is None:
            raise invalid("Patch op must be add, remove, replace, move, copy or test")
        apply(self, operation, parse_pointer(operation.get("path"), "path"))

    def result(self) -> Resource:
        """The document, without what was left empty; raises 400 where it is another resource."""
        if any(not one for one in self._reduced.values()):
            self._prune(self._document)
        self.check_same()
        document: Resource = self._document
        return document

    def check_same(self) -> None:
        """Raise 400 unless it is the same resource still, by its type and id."""
        if not isinstance(self._document, dict):
            raise invalid("Patch must leave a resource")
        for name, before in self._before.items():
            if self._document.get(name) != before:
                raise invalid(f"Patch must not change {name}", name)

    def add(self, operation: Resource, path: list[str]) -> None:
        self._put(path, _copy(_value(operation)))

    def remove(self, _: Resource, path: list[str]) -> None:
        self._take(path)

    def replace(self, operation: Resource, path: list[str]) -> None:
        value = _copy(_value(operation))
        _check_depth(value, len(path))
        if not path:
            self._document = value
            return
        parent, key = find(self._document, path)
        parent[key] = value

    def move(self, operation: Resource, path: list[str]) -> None:
        source = parse_pointer(operation.get("from"), "from")
        if path == source:
            get(self._document, source)
        elif path[: len(source)] == source:
            raise invalid(f"Cannot move {written(source)} into itself")
        else:
            self._put(path, self._take(source))

    def copy(self, operation: Resource, path: list[str]) -> None:
        value = get(self._document, parse_pointer(operation.get("from"), "from"))
        self._copied += _size(value)
        if self._copied > MAX_COPIED:
            raise too_costly("Patch copies too much")
        self._put(path, _copy(value))

    def test(self, operation: Resource, path: list[str]) -> None:
        if not _equal(get(self._document, path), _value(operation)):
            raise invalid(f"Test failed at {written(path)}")

    def _take(self, path: list[str]) -> Any:
        parent, key = find(self._document, path)
        if isinstance(parent, list):
            self._shift(len(parent) - key)
        self._reduced[id(parent)] = parent
        return parent.pop(key)

    def _put(self, path: list[str], value: Any) -> None:
        _check_depth(value, len(path))
        if not path:
            self._document = value
            return
        *above, last = path
        if last == "-" and above:
            holder = get(self._document, above[:-1])
            if isinstance(holder, dict) and above[-1] not in holder:
                holder[above[-1]] = [value]
                return
        parent = get(self._document, above)
        if isinstance(parent, dict):
            parent[last] = value
        elif isinstance(parent, list):
            at = len(parent) if last == "-" else index(last, len(parent), path)
            self._shift(len(parent) - at)
            parent.insert(at, value)
        else:
            raise absent(path)

    def _shift(self, items: int) -> None:
        self._shifted += items
        if self._shifted > MAX_SHIFTED:
            raise too_costly("Patch moves too much within lists")

    def _prune(self, value: Any) -> bool:
        """Take out what was left empty; is ``value`` itself?"""
        if not isinstance(value, dict | list):
            return False
        empty = [
            key
            for key, child in (value.items() if isinstance(value, dict) else enumerate(value))
            if self._prune(child)
        ]
        for key in reversed(empty):
            del value[key]
        return not value and (bool(empty) or id(value) in self._reduced)


def _value(operation: Resource) -> Any:
    if "value" not in operation:
        raise invalid(f"Patch {operation['op']} must have a value")
    return operation["value"]


def too_costly(text: str) -> FhirError:
    """400: the patch is more work than it may be."""
    return FhirError(400, [Issue("too-costly", text)])


def _check_depth(value: Any, depth: int) -> None:
    """Raise 400 if what is to stand at ``depth`` would reach deeper than JSON may here."""
    if depth > MAX_DEPTH:
        raise invalid(f"Patch nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            _check_depth(child, depth + 1)


def _size(value: Any) -> int:
    """Characters of text, and members and items, in a value."""
    if isinstance(value, dict):
        return sum(len(name) + _size(member) for name, member in value.items())
    if isinstance(value, list):
        return sum(map(_size, value)) + 1
    return len(value) + 1 if isinstance(value, str) else 1


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON (RFC 6902 §4.6): ``1`` is ``1.0`` and not ``true``."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        return one == other
    return type(one) is type(other) and bool(one == other)


_Operation: TypeAlias = Callable[[Patch, Resource, list[str]], None]
_OPERATIONS: dict[str, _Operation] = {
    "add": Patch.add,
    "remove": Patch.remove,
    "replace": Patch.replace,
    "move": Patch.move,
    "copy": Patch.copy,
    "test": Patch.test,
}
