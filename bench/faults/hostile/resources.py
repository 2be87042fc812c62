"""Resources of any type by R4's definitions, some of them sound, some damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from threadwell.fhir.definitions import load
from threadwell.fhir.definitions.structures import Element, elements, primitive

Json = dict[str, Any]
#: A server hangs up on what is larger than it takes.
_LARGEST = 8_000_000

_STRINGS = (
    "Ann",
    "x",
    " ",
    "",
    "\x00",
    "\u202e",
    "é" * 300,
    "<script>x</script>",
    "a" * 4000,
    "\ud800",
)
_SOUND: dict[str, Sequence[Any]] = {
    "boolean": (True, False),
    "integer": (0, 1, -5, 2147483647),
    "unsignedInt": (0, 7),
    "positiveInt": (1, 7),
    "decimal": (1.5, 0, 1e3, -2.25),
    "date": ("2024", "2024-05", "2024-05-13"),
    "dateTime": ("2024", "2024-05-13", "2024-05-13T10:00:00Z", "2024-05-13T10:00:00.5+02:00"),
    "instant": ("2024-05-13T10:00:00Z", "2024-05-13T10:00:00.123456-04:00"),
    "time": ("10:00:00", "23:59:59.5"),
    "code": ("active", "completed", "final", "en", "a"),
    "id": ("a1", "x-2"),
    "oid": ("urn:oid:1.2.3",),
    "uuid": ("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",),
    "base64Binary": ("aGVsbG8=", ""),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">x</div>',),
    "uri": ("http://example.org/a", "urn:oid:1.2"),
    "url": ("http://example.org/a",),
    "canonical": ("http://example.org/a|1", "http://hl7.org/fhir/ValueSet/event-status"),
    "string": ("Ann", "x", "Good morning", "李"),
    "markdown": ("*a*", "# b"),
}
_ODD: Sequence[Any] = (
    *(
        None,
        True,
        0,
        -1,
        2**31,
        2**63,
        2**70,
        1e308,
        -0.0,
        10**400,
        "",
        " ",
        [],
        {},
        [[]],
        [None],
        {"": 1},
    ),
    *(
        {"resourceType": "Patient"},
        {"reference": "Patient/1"},
        {"extension": []},
        ["a", 1, {}],
        *_STRINGS,
    ),
)


def resource(chance: Random, type_: str, references: Sequence[str]) -> Json:
    """A resource with what it must have, and some of what it may have."""
    return {"resourceType": type_, **_fill(chance, type_, references, 0)}


def _fill(chance: Random, type_: str, references: Sequence[str], depth: int) -> Json:
    made: Json = {}
    few = (0.25, 0.15, 0.08, 0.04)[min(depth, 3)]
    for element in elements(type_):
        if element.name in ("id", "contained", "implicitRules") and chance.random() < 0.95:
            continue
        if not element.required and (depth > 5 or chance.random() > few):
            continue
        name, kind = chance.choice(list(element.json_names().items()))
        made[name] = (
            [
                _value(chance, element, kind, references, depth)
                for _ in range(chance.choice((1, 1, 2)))
            ]
            if element.many
            else _value(chance, element, kind, references, depth)
        )
    return made


def _value(
    chance: Random, element: Element, kind: str, references: Sequence[str], depth: int
) -> Any:
    if chance.random() < 0.003:
        return deepcopy(chance.choice(_ODD))
    if kind == "Reference":
        return {"reference": _target(chance, element.types.get(kind, ()), references)}
    if kind in ("Resource", "DomainResource"):
        return {"resourceType": "Basic", "id": "c1", "code": {"text": "x"}}
    if primitive(kind):
        codes = load("value_sets").get(element.value_set)
        if (
            codes
            and kind == "code"
            and (known := [code for some in codes.values() for code in some])
        ):
            return chance.choice(known)
        return chance.choice(_SOUND.get(kind, _SOUND["string"]))
    return _fill(chance, kind, references, depth + 1)


def _target(chance: Random, types: Sequence[str], references: Sequence[str]) -> str:
    fitting = [one for one in references if not types or one.partition("/")[0] in types]
    return chance.choice(fitting or ["Patient/none"])


def damaged(chance: Random, body: Any) -> Any:
    """The same with a few places changed: left out, doubled, of another type, deeper, longer."""
    body = json.loads(json.dumps(body))
    for _ in range(chance.choice((1, 1, 2, 5))):
        holder = body
        while True:
            inner = list(holder.values()) if isinstance(holder, dict) else list(holder)
            inner = [one for one in inner if isinstance(one, dict | list) and one]
            if not inner or chance.random() < 0.35:
                break
            holder = chance.choice(inner)
        if holder:
            chance.choice(_DAMAGE)(chance, holder)
    return body


def _key(chance: Random, holder: Any) -> Any:
    return chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))


def _replace(chance: Random, holder: Any) -> None:
    holder[_key(chance, holder)] = deepcopy(chance.choice(_ODD))


def _remove(chance: Random, holder: Any) -> None:
    del holder[_key(chance, holder)]


def _wrap(chance: Random, holder: Any) -> None:
    key = _key(chance, holder)
    for _ in range(chance.choice((1, 3, 60, 150))):
        holder[key] = [holder[key]] if chance.random() < 0.5 else {"extension": [holder[key]]}


def _many(chance: Random, holder: Any) -> None:
    key = _key(chance, holder)
    holder[key] = [holder[key]] * chance.choice((2, 20, 200))


def _rename(chance: Random, holder: Any) -> None:
    if isinstance(holder, dict):
        key = _key(chance, holder)
        holder[
            chance.choice((f"_{key}", f"{key}x", key.upper(), "", "__proto__", "\x00", "id", "é"))
        ] = holder[key]


def _extend(chance: Random, holder: Any) -> None:
    if isinstance(holder, dict):
        url = chance.choice(("http://example.org/x", "", "x", None, 5))
        holder["extension"] = [{"url": url, "valueString": "x", "valueInteger": 1}] * chance.choice(
            (1, 300)
        )


_DAMAGE: Sequence[Callable[[Random, Any], None]] = (
    _replace,
    _replace,
    _remove,
    _wrap,
    _many,
    _rename,
    _extend,
)


def encoded(chance: Random, body: Any) -> bytes:
    """JSON of it; now and then such as only some writers make, or none."""
    text = json.dumps(body, ensure_ascii=chance.random() < 0.7)
    made = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        made = chance.choice(_TEXTS)(chance, made)
    return made[:_LARGEST]


_TEXTS: Sequence[Callable[[Random, bytes], bytes]] = (
    lambda chance, made: made[: chance.randint(0, len(made))],
    lambda _, made: made + b"}",
    lambda _, made: b"\xef\xbb\xbf" + made,
    lambda _, made: made.replace(b'"', b"'", 3),
    lambda _, made: made.replace(b":", b":NaN,", 1),
    lambda _, made: made.replace(b"{", b'{"id":"a","id":"b",', 1),
    lambda _, made: made.decode("utf-8", "replace").encode("utf-16"),
    lambda chance, _: b"[" * chance.choice((10, 3000, 100_000)),
    lambda _, made: made.replace(b"1", b"1" * 5000, 1),
    lambda chance, _: chance.randbytes(40),
)
