"""What the index holds of one version of one resource.

It follows from the resource alone, so what is to be removed when a version is superseded is
found by reading the old body again: no list of it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
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

#: The values of a parameter whose keys are remembered at a time, of no more letters than this.
_MOST_KNOWN, _SHORT = 8_192, 500

# Tuples, as a test against one takes half the time of that against a union.
_KNOWN_TYPES = (TokenValue, ReferenceValue)
_NUMBER_TYPES = (NumberValue, QuantityValue)
_TEXT_TYPES = (StringValue, UriValue)


class Entries(NamedTuple):
    """``postings`` are (key, sort), ``texts`` (key, folded text); ``present`` has a bit for each
    parameter that has a value; ``sort`` is the natural time.
    """

    postings: AbstractSet[tuple[int, int]] = frozenset()
    texts: AbstractSet[tuple[int, str]] = frozenset()
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
    # Those at the natural time by their keys alone, the others with their place.
    places = [shape.every]
    placed = [(shape.every_updated, changed)]
    texts: list[tuple[int, str]] = []
    present = 0
    for param, found in values.items():
        if not found:
            continue
        under, bit, known = shape.params[param]
        present |= bit
        for value in found:
            if isinstance(value, _KNOWN_TYPES):
                at, text = known[value]
                places += at
                if text:
                    texts.append(text)
            elif isinstance(value, DateValue):
                placed.append((known.of_date(width(value).name), value.low))
            elif isinstance(value, _NUMBER_TYPES):
                form = of_numbers(number_kind(value))
                placed.append((key(under + form), number_place(value.low)))
            else:
                places += [key(under + form) for form in _other_forms(value)]
                if isinstance(value, _TEXT_TYPES):
                    texts.append((key(under), _text(value)))
    for missing, compounds_without in shape.compounds:
        if present & missing:
            continue
        for under, compound in compounds_without:
            forms = [key(under + form) for form in compound.forms(values)]
            if compound.updated:
                placed += [(place, changed) for place in forms]
            else:
                places += forms
    postings = {(place, natural) for place in places}
    postings.update(placed)
    return Entries(postings, set(texts), present, natural)


def entries_of_body(keys: Keys, project: str, body: bytes, updated: int) -> Entries:
    """The entries of a stored version."""
    return entries(keys, project, decode(body), updated)


class _Known(dict[TokenValue | ReferenceValue, tuple[list[int], tuple[int, str] | None]]):
    """The keys of a parameter's values, and their text: most values come again and again."""

    def __init__(self, keys: Keys, under: str) -> None:
        super().__init__()
        self._key = keys.key
        self._under = under
        self._dates: dict[str, int] = {}

    def __missing__(
        self, value: TokenValue | ReferenceValue
    ) -> tuple[list[int], tuple[int, str] | None]:
        forms = _known_forms(value)
        letters = sum(map(len, forms))
        text = None
        if isinstance(value, TokenValue) and value.text:
            text = self._key(self._under), fold(value.text)
            letters += len(value.text)
        found = [self._key(self._under + form) for form in forms], text
        if letters <= _SHORT:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[value] = found
        return found

    def of_date(self, width_: str) -> int:
        """The key of the dates of that width."""
        place = self._dates.get(width_)
        if place is None:
            place = self._dates[width_] = self._key(self._under + of_width(width_))
        return place


class _Param(NamedTuple):
    under: str
    bit: int
    known: _Known


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all resources of a type in a project have in common: keys, or beginnings of keys.

    ``compounds`` are together by the bits of the parameters that must be missing.
    """

    every: int
    every_updated: int
    params: dict[str, _Param]
    compounds: tuple[tuple[int, tuple[tuple[str, Compound], ...]], ...]


@lru_cache(maxsize=512)
def _shape(keys: Keys, project: str, type_: str) -> _Shape:
    bits = present_bits(type_)
    grouped: dict[int, list[tuple[str, Compound]]] = {}
    for compound in compounds(type_):
        under = scope(project, type_, compound.name)
        missing = sum(bits[param] for param in compound.missing)
        grouped.setdefault(missing, []).append((under, compound))
    scopes = {param: scope(project, type_, param) for param in search_parameters(type_)}
    return _Shape(
        keys.key(every(project, type_)),
        keys.key(every_updated(project, type_)),
        {
            param: _Param(under, bits.get(param, 0), _Known(keys, under))
            for param, under in scopes.items()
        },
        tuple((missing, tuple(group)) for missing, group in grouped.items()),
    )


@cache
def present_bits(type_: str) -> dict[str, int]:
    """The bit of each parameter of a type in ``present``."""
    codes = sorted(search_parameters(type_))[:PRESENT_BITS]
    return {code: 1 << position for position, code in enumerate(codes)}


def _known_forms(value: TokenValue | ReferenceValue) -> Sequence[str]:
    return _token_forms(value) if isinstance(value, TokenValue) else _reference_forms(value)


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


def _other_forms(value: IndexValue) -> Sequence[str]:
    match value:
        case UriValue(uri):
            return (of_url(uri),)
        case CompositeValue(components):
            # By its first part; the others are asked of the resource itself.
            return [
                form
                for first in components[0]
                if isinstance(first, TokenValue | ReferenceValue)
                for form in _known_forms(first)
            ]
        case _:
            return ()


def _text(value: StringValue | UriValue) -> str:
    return fold(value.text) if isinstance(value, StringValue) else value.uri
