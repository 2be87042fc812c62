"""The value of a parameter as the JSON of an element (FHIR R4 fhirpatch.html, parameters.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from threadwell.fhir.definitions.structures import Element, elements, primitive
from threadwell.fhir.outcome import invalid

_VALUE = "value"


class Given(NamedTuple):
    """What is to be at an element: the member's ``name`` in JSON and its ``type``, the ``value``,
    and what stands ``beside`` a primitive; ``None`` for none.
    """

    name: str
    type: str
    value: Any
    beside: Any = None


def given_value(part: Mapping[str, Any], element: Element) -> Given:
    """The value of a part, for one item of that element; raises 400 where it has another type.

    It is a ``value[x]``, a ``resource``, or for a type that has no name of its own, its members as
    ``part``s. A primitive may be given as any other: it is looked at with the whole resource.
    """
    names = element.json_names()
    typed = {key.lstrip("_").removeprefix(_VALUE) for key in part if _is_value(key)}
    ways = len(typed) + ("resource" in part) + ("part" in part)
    if ways != 1:
        raise invalid("There must be one value")
    if "part" in part:
        return _composed(part["part"], element)
    if "resource" in part:
        named = [name for name, type_ in names.items() if type_ == "Resource"]
        if not named or not isinstance(part["resource"], dict):
            raise invalid(f"A resource cannot be {element.name}")
        return Given(named[0], "Resource", part["resource"])
    (type_name,) = typed
    value, beside = part.get(f"{_VALUE}{type_name}"), part.get(f"_{_VALUE}{type_name}")
    stem = element.name.removesuffix("[x]")
    name = f"{stem}{type_name}" if element.choice else stem
    type_ = names.get(name, "")
    if not type_ or not _fits(type_, type_name, value, beside):
        raise invalid(f"A value of the type {type_name[:40]} cannot be {element.name}")
    return Given(name, type_, value, beside)


def _is_value(key: str) -> bool:
    rest = key.removeprefix("_").removeprefix(_VALUE)
    return len(rest) < len(key.removeprefix("_")) and rest[:1].isupper()


def _fits(type_: str, type_name: str, value: Any, beside: Any) -> bool:
    """Whether a value said to be of ``type_name`` can be of ``type_``, as far as its form goes."""
    if primitive(type_):
        told = type_name[0].lower() + type_name[1:]
        return (
            primitive(told)
            and not isinstance(value, dict | list)
            and isinstance(beside, dict | None)
            and not value is beside is None
        )
    same = type_ == type_name or (type_, type_name) == ("SimpleQuantity", "Quantity")
    return same and isinstance(value, dict) and beside is None


def _composed(parts: Any, element: Element) -> Given:
    complex_ = [
        (name, type_)
        for name, type_ in element.json_names().items()
        if not primitive(type_) and type_ != "Resource"
    ]
    if len(complex_) != 1:
        raise invalid(f"{element.name} cannot be given by parts")
    ((name, type_),) = complex_
    return Given(name, type_, _object(parts, type_))


def _object(parts: Any, type_: str) -> dict[str, Any]:
    if not isinstance(parts, list) or not parts:
        raise invalid("The parts of a value are a list")
    known = {}
    for element in elements(type_):
        known[element.name] = known[element.name.removesuffix("[x]")] = element
        known.update(dict.fromkeys(element.json_names(), element))
    made: dict[str, Any] = {}
    for part in parts:
        name = part.get("name") if isinstance(part, dict) else None
        found = known.get(name) if isinstance(name, str) else None
        if found is None:
            raise invalid(f"{type_} has no {str(name)[:40]}")
        given = given_value(part, found)
        if found.many:
            _append(made, given)
        elif any(key in made or f"_{key}" in made for key in found.json_names()):
            raise invalid(f"{type_}.{name} is given twice")
        else:
            made.update({} if given.value is None else {given.name: given.value})
            made.update({} if given.beside is None else {f"_{given.name}": given.beside})
    return made


def _append(made: dict[str, Any], given: Given) -> None:
    values = made.setdefault(given.name, [])
    values.append(given.value)
    beside = f"_{given.name}"
    if given.beside is not None or beside in made:
        listed = made.setdefault(beside, [])
        listed += [None] * (len(values) - 1 - len(listed))
        listed.append(given.beside)
