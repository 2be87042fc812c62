"""What the index holds of one version of one resource.

It follows from the resource alone, so what is to be removed when a version is superseded is
found by reading the old body again: no list of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.fold import fold
from threadwell.fhir.search.values import (
    CompositeValue,
    DateValue,
    IndexValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from threadwell.stores.natural import NO_TIME, natural_time
from threadwell.stores.sql.compounds import Compound, compounds
from threadwell.stores.sql.keys import (
    Keys,
    every,
    every_updated,
    of_code,
    of_identifier,
    of_numbers,
    of_reference,
    of_system,
    of_token,
    of_url,
    of_width,
    scope,
)
from threadwell.stores.sql.ranges import number_kind, number_place, width

#: The version of what this module makes; a database of another one is indexed anew when opened.
INDEX_VERSION = 1

#: The parameter codes of a type beyond this many are not in ``present``.
PRESENT_BITS = 63

#: The values of a parameter whose keys are remembered at a time.
_KNOWN = 8_192


@dataclass(frozen=True, slots=True)
class Entries:
    """``postings`` are (key, sort), ``texts`` (key, folded text); ``present`` has a bit for each
    parameter that has a value; ``sort`` is the natural time.
    """

    postings: set[tuple[int, int]] = field(default_factory=set)
    texts: set[tuple[int, str]] = field(default_factory=set)
    present: int = 0
    sort: int = NO_TIME


def entries(keys: Keys, project: str, resource: Resource, updated: int) -> Entries:
    """The entries of a resource that was last updated at ``updated`` milliseconds since 1970."""
    type_ = resource["resourceType"]
    shape = _shape(keys, project, type_)
    values = extract(resource)
    natural = natural_time(type_, values)
    key = keys.key
    changed = updated * 1000
    postings = {(shape.every, natural), (shape.every_updated, changed)}
    add = postings.add
    texts: set[tuple[int, str]] = set()
    present = 0
    for param, found in values.items():
        if not found:
            continue
        under, bit, known = shape.params[param]
        present |= bit
        for value in found:
            if isinstance(value, TokenValue | ReferenceValue):
                for place in known[value]:
                    add((place, natural))
                if isinstance(value, TokenValue) and value.text:
                    texts.add((key(under), fold(value.text)))
            else:
                for form, at in _ordered_forms(value, natural):
                    add((key(under + form), at))
                if isinstance(value, StringValue | UriValue):
                    texts.add((key(under), _text(value)))
    for missing, compounds_without in shape.compounds:
        if not any(param in values for param in missing):
            for under, compound in compounds_without:
                at = changed if compound.updated else natural
                for form in compound.forms(values):
                    add((key(under + form), at))
    return Entries(postings, texts, present, natural)


def entries_of_body(keys: Keys, project: str, body: bytes, updated: int) -> Entries:
    """The entries of a stored version."""
    return entries(keys, project, decode(body), updated)


class _KnownKeys(dict[TokenValue | ReferenceValue, tuple[int, ...]]):
    """The keys of a parameter's values, by value: most values come again and again."""

    def __init__(self, keys: Keys, under: str) -> None:
        super().__init__()
        self._key = keys.key
        self._under = under

    def __missing__(self, value: TokenValue | ReferenceValue) -> tuple[int, ...]:
        forms = _token_forms(value) if isinstance(value, TokenValue) else _reference_forms(value)
        found = tuple([self._key(self._under + form) for form in forms])
        if len(self) >= _KNOWN:
            self.clear()
        self[value] = found
        return found


class _Param(NamedTuple):
    under: str
    bit: int
    known: _KnownKeys


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all resources of a type in a project have in common: keys, or beginnings of keys.

    ``compounds`` are together by the parameters that must be missing.
    """

    every: int
    every_updated: int
    params: dict[str, _Param]
    compounds: tuple[tuple[tuple[str, ...], tuple[tuple[str, Compound], ...]], ...]


@lru_cache(maxsize=512)
def _shape(keys: Keys, project: str, type_: str) -> _Shape:
    bits = present_bits(type_)
    grouped: dict[tuple[str, ...], list[tuple[str, Compound]]] = {}
    for compound in compounds(type_):
        under = scope(project, type_, compound.name)
        grouped.setdefault(compound.missing, []).append((under, compound))
    scopes = {param: scope(project, type_, param) for param in search_parameters(type_)}
    return _Shape(
        keys.key(every(project, type_)),
        keys.key(every_updated(project, type_)),
        {
            param: _Param(under, bits.get(param, 0), _KnownKeys(keys, under))
            for param, under in scopes.items()
        },
        tuple((missing, tuple(group)) for missing, group in grouped.items()),
    )


@cache
def present_bits(type_: str) -> dict[str, int]:
    """The bit of each parameter of a type in ``present``."""
    codes = sorted(search_parameters(type_))[:PRESENT_BITS]
    return {code: 1 << position for position, code in enumerate(codes)}


def _token_forms(value: TokenValue) -> tuple[str, ...]:
    system, code, _ = value
    if not system:
        return (of_code(code),) if code else ()
    if not code:
        return (of_system(system),)
    return of_code(code), of_token(system, code), of_system(system)


def _reference_forms(value: ReferenceValue) -> Sequence[str]:
    if value.identifier is None:
        if value.id:
            return (of_reference(value.type, value.id),)
        return (of_url(value.url),) if value.url else ()
    forms = [of_identifier(form) for form in _token_forms(value.identifier)]
    forms.extend(_reference_forms(value._replace(identifier=None)))
    return forms


def _ordered_forms(value: IndexValue, natural: int) -> Iterator[tuple[str, int]]:
    """Forms with the place that they have in their list."""
    match value:
        case DateValue():
            yield of_width(width(value).name), value.low
        case NumberValue() | QuantityValue():
            yield of_numbers(number_kind(value)), number_place(value.low)
        case UriValue():
            yield of_url(value.uri), natural
        case CompositeValue():
            for first in value.components[0]:
                if isinstance(first, TokenValue):
                    yield from ((form, natural) for form in _token_forms(first))
                elif isinstance(first, ReferenceValue):
                    yield from ((form, natural) for form in _reference_forms(first))
        case _:
            return


def _text(value: StringValue | UriValue) -> str:
    return fold(value.text) if isinstance(value, StringValue) else value.uri
