"""JSON Patch on a resource (RFC 6902; FHIR R4 http.html#patch)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from threadwell.fhir.json import MAX_DEPTH
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.fhir.resource import Resource

#: What the ``copy`` operations of one patch may copy: characters of text and members together.
#: A few hundred bytes of them could otherwise double a resource until no machine holds it.
MAX_COPIED = 4 * 1024 * 1024


def apply_patch(resource: Resource, operations: Any) -> Resource:
    """The resource after all of ``operations``; ``resource`` itself is not changed.

    Strict as RFC 6902, but for one thing: ``add`` at ``/note/-`` makes the list ``note`` where
    there is none. Raises ``FhirError`` 400, and then none of the operations holds, for a patch that
    is malformed, does not fit, or changes ``resourceType`` or ``id``; or whose outcome would be
    nested deeper than ``MAX_DEPTH`` levels, or hold more than ``MAX_COPIED`` of copies.
    """
    if not isinstance(operations, list):
        raise invalid("Patch body must be an array")
    document: Any = _copy(resource)
    copied = 0
    for operation in operations:
        if not isinstance(operation, dict):
            raise invalid("Patch operation must be an object")
        op = operation.get("op")
        apply = _OPERATIONS.get(op) if isinstance(op, str) else None
        if apply is None:
            raise invalid("Patch op must be add, remove, replace, move, copy or test")
        if op == "copy":
            copied += _size(_get(document, _pointer(operation, "from")))
            if copied > MAX_COPIED:
                raise invalid("Patch copies too much")
        document = apply(document, operation)
    if not isinstance(document, dict):
        raise invalid("Patch must leave a resource")
    for name in ("resourceType", "id"):
        if document.get(name) != resource.get(name):
            raise invalid(f"Patch must not change {name}", name)
    return document


def check_operations(value: Any, where: str = "") -> list[Any]:
    """``value`` if it is a list; raises 400 otherwise. ``where`` it stands is FHIRPath."""
    if not isinstance(value, list):
        raise invalid("Patch body must be an array", where)
    return value


def _add(document: Any, operation: Resource) -> Any:
    return _put(document, _pointer(operation, "path"), _copy(_value(operation)))


def _remove(document: Any, operation: Resource) -> Any:
    parent, key = _find(document, _pointer(operation, "path"))
    del parent[key]
    return document


def _replace(document: Any, operation: Resource) -> Any:
    value, tokens = _copy(_value(operation)), _pointer(operation, "path")
    if not tokens:
        return value
    _check_depth(value, len(tokens))
    parent, key = _find(document, tokens)
    parent[key] = value
    return document


def _move(document: Any, operation: Resource) -> Any:
    source, target = _pointer(operation, "from"), _pointer(operation, "path")
    if target == source:
        _get(document, source)
        return document
    if target[: len(source)] == source:
        raise invalid(f"Cannot move {_path(source)} into itself")
    parent, key = _find(document, source)
    value = parent[key]
    del parent[key]
    return _put(document, target, value)


def _copy_operation(document: Any, operation: Resource) -> Any:
    value = _copy(_get(document, _pointer(operation, "from")))
    return _put(document, _pointer(operation, "path"), value)


def _test(document: Any, operation: Resource) -> Any:
    tokens = _pointer(operation, "path")
    if not _equal(_get(document, tokens), _value(operation)):
        raise invalid(f"Test failed at {_path(tokens)}")
    return document


def _put(document: Any, tokens: list[str], value: Any) -> Any:
    """The document with ``value`` added."""
    if not tokens:
        return value
    _check_depth(value, len(tokens))
    *above, last = tokens
    if last == "-" and above:
        holder = _get(document, above[:-1])
        if isinstance(holder, dict) and above[-1] not in holder:
            holder[above[-1]] = [value]
            return document
    parent = _get(document, above)
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent), tokens), value)
    else:
        raise _absent(tokens)
    return document


def _find(document: Any, tokens: list[str]) -> tuple[Any, str | int]:
    """The object or list that holds what is there, and its place in it."""
    if not tokens:
        raise invalid("Patch must leave a resource")
    parent, last = _get(document, tokens[:-1]), tokens[-1]
    if isinstance(parent, dict) and last in parent:
        return parent, last
    if isinstance(parent, list):
        return parent, _index(last, len(parent) - 1, tokens)
    raise _absent(tokens)


def _get(document: Any, tokens: list[str]) -> Any:
    for depth, token in enumerate(tokens, 1):
        if isinstance(document, dict) and token in document:
            document = document[token]
        elif isinstance(document, list):
            document = document[_index(token, len(document) - 1, tokens[:depth])]
        else:
            raise _absent(tokens[:depth])
    return document


def _index(part: str, greatest: int, tokens: list[str]) -> int:
    """The place in a list; RFC 6901 §4 has no leading zeros and no other digits than ASCII's."""
    if not (part.isascii() and part.isdigit()) or (len(part) > 1 and part[0] == "0"):
        raise invalid(f"Not a place in a list: {_path(tokens)}")
    if len(part) > 9 or int(part) > greatest:
        raise _absent(tokens)
    return int(part)


def _pointer(operation: Resource, member: str) -> list[str]:
    """The parts of a JSON Pointer (RFC 6901)."""
    pointer = operation.get(member)
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise invalid(f"Patch {member} must be a JSON Pointer")
    tokens = pointer.split("/")[1:]
    if "~" not in pointer:
        return tokens
    if "~" in pointer.replace("~0", "").replace("~1", ""):
        raise invalid(f"Patch {member} must be a JSON Pointer")
    return [token.replace("~1", "/").replace("~0", "~") for token in tokens]


def _value(operation: Resource) -> Any:
    if "value" not in operation:
        raise invalid(f"Patch {operation['op']} must have a value")
    return operation["value"]


def _absent(tokens: list[str]) -> FhirError:
    return invalid(f"Value required at path: {_path(tokens)}")


def _path(tokens: list[str]) -> str:
    return "".join(f"/{token.replace('~', '~0').replace('/', '~1')}" for token in tokens) or "/"


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


_Operation: TypeAlias = Callable[[Any, Resource], Any]
_OPERATIONS: dict[str, _Operation] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy_operation,
    "test": _test,
}
