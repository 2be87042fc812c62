"""What the index holds of one version of one resource.

It follows from the resource alone, so what is to be removed when a version is superseded is
found by reading the old body again: no list of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

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
from threadwell.stores.sqlite.compounds import compounds
from threadwell.stores.sqlite.keys import (
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
from threadwell.stores.sqlite.ranges import number_kind, number_place, width

#: The version of what this module makes; a database of another one is indexed anew when opened.
INDEX_VERSION = 1

#: The parameter codes of a type beyond this many are not in ``present``.
PRESENT_BITS = 63


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
    values = extract(resource)
    natural = natural_time(type_, values)
    key = keys.key
    postings = {
        (key(every(project, type_)), natural),
        (key(every_updated(project, type_)), updated * 1000),
    }
    texts: set[tuple[int, str]] = set()
    present = 0
    bits = present_bits(type_)
    for param, found in values.items():
        if not found:
            continue
        present |= bits.get(param, 0)
        under = scope(project, type_, param)
        for value in found:
            if type(value) is TokenValue:
                postings.update([(key(under + form), natural) for form in _token_forms(value)])
                if value.text:
                    texts.add((key(under), fold(value.text)))
            elif type(value) is ReferenceValue:
                postings.update([(key(under + form), natural) for form in _reference_forms(value)])
            else:
                for form, place in _ordered_forms(value, natural):
                    postings.add((key(under + form), place))
                if isinstance(value, StringValue | UriValue):
                    texts.add((key(under), _text(value)))
    for compound in compounds(type_):
        place = updated * 1000 if compound.updated else natural
        under = scope(project, type_, compound.name)
        postings.update([(key(under + form), place) for form in compound.forms(values)])
    return Entries(postings, texts, present, natural)


def entries_of_body(keys: Keys, project: str, body: bytes, updated: int) -> Entries:
    """The entries of a stored version."""
    return entries(keys, project, decode(body), updated)


@cache
def present_bits(type_: str) -> dict[str, int]:
    """The bit of each parameter of a type in ``present``."""
    codes = sorted(search_parameters(type_))[:PRESENT_BITS]
    return {code: 1 << position for position, code in enumerate(codes)}


def _token_forms(value: TokenValue) -> Iterator[str]:
    if value.system:
        yield of_system(value.system)
    if value.code:
        yield of_code(value.code)
        if value.system:
            yield of_token(value.system, value.code)


def _reference_forms(value: ReferenceValue) -> Iterator[str]:
    if value.id:
        yield of_reference(value.type, value.id)
    if value.url:
        yield of_url(value.url)
    if value.identifier:
        for form in _token_forms(value.identifier):
            yield of_identifier(form)


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
