"""Whether a resource matches a filter, by its index values alone: the reference for every store.

A store may answer in its own language; its answers are these. The rules, where ``v`` is a value
of the resource and ``m`` what the query asks for (FHIR R4 search.html#prefix)::

        a date: v and m are low ≤ t < high      a number or quantity: v is low ≤ x ≤ high
    eq  m.low ≤ v.low and v.high ≤ m.high       m.low ≤ v.low and v.high < m.high
    ne  not eq                                  not eq
    gt  v.high > m.high                         v.high > m.value
    lt  v.low < m.low                           v.low < m.value
    ge  v.high > m.low                          v.high ≥ m.value
    le  v.low < m.high                          v.low ≤ m.value
    sa  v.low ≥ m.high                          v.low > m.value
    eb  v.high ≤ m.low                          v.high < m.value
    ap  v.low < m.high and v.high > m.low       v.low ≤ m.high and v.high ≥ m.low

The range of ``ap`` is widened when the query is parsed. A filter holds if any value matches any of
its alternatives; with ``negate`` it holds if none does, so for a resource without a value too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from threadwell.fhir.quantities.units import UCUM
from threadwell.fhir.search.fold import searched, searched_forms
from threadwell.fhir.search.measured import in_common
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    CompartmentFilter,
    CompositeFilter,
    DateFilter,
    EitherFilter,
    Filter,
    HasFilter,
    IdentifierFilter,
    IdFilter,
    MissingFilter,
    NotFilter,
    NumberFilter,
    OtherFilter,
    QuantityFilter,
    ReferenceFilter,
    StringFilter,
    TextFilter,
    TokenFilter,
    UriFilter,
)
from threadwell.fhir.search.sought import (
    DateMatch,
    NumberMatch,
    Prefix,
    QuantityMatch,
    ReferenceMatch,
    StringMode,
    TokenMatch,
    UriMode,
)
from threadwell.fhir.search.values import (
    DateValue,
    IndexValues,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    TokenValue,
)
from threadwell.fhir.search.within import looks_within


class Subject(Protocol):
    """A resource as search sees it. ``updated`` is in milliseconds since 1970 UTC.

    One that another contains has no id: ``""``.
    """

    @property
    def type(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def updated(self) -> int: ...

    @property
    def values(self) -> IndexValues: ...

    def referred(self, param: str) -> Iterable[Subject]:
        """The current and the contained resources that the references of ``param`` lead to."""
        ...

    def referring(self, type_: str, param: str) -> Iterable[Subject]:
        """The current resources of ``type_`` whose ``param`` refers to this one."""
        ...


def matches(filter_: Filter, subject: Subject) -> bool:
    """Whether the filter holds for the resource."""
    match filter_:
        case AllFilter():
            return all(matches(one, subject) for one in filter_.filters)
        case EitherFilter():
            return any(
                all(matches(one, subject) for one in filters) for filters in filter_.alternatives
            )
        case NotFilter():
            return not matches(filter_.filter, subject)
        case IdFilter():
            return (subject.id in filter_.ids) is not filter_.negate
        case CompartmentFilter():
            belongs = subject.id in filter_.ids or any(
                values_match(link, subject.values.get(link.param, ())) for link in filter_.links
            )
            return belongs is not filter_.negate
        case DateFilter("_lastUpdated"):
            updated = DateValue(subject.updated * 1000, subject.updated * 1000 + 1000)
            return any(date_matches(m, updated) for m in filter_.matches)
        case ChainFilter():
            by_type = dict(zip(filter_.types, filter_.filters, strict=True))
            return any(
                target.type in by_type
                and (bool(target.id) or looks_within(by_type[target.type]))
                and matches(by_type[target.type], target)
                for target in subject.referred(filter_.param)
            )
        case HasFilter():
            return any(
                matches(filter_.filter, source)
                for source in subject.referring(filter_.type, filter_.param)
            )
        case MissingFilter("_id" | "_lastUpdated"):
            return not filter_.missing
        case _:
            return values_match(filter_, subject.values.get(filter_.param, ()))


def values_match(filter_: Filter, values: Iterable[Any]) -> bool:
    """Whether a filter that looks at nothing but its parameter's values holds for these."""
    match filter_:
        case TokenFilter():
            return _any(token_matches, filter_.matches, values) is not filter_.negate
        case ReferenceFilter(among=among) if among:
            found = list(values)
            is_among = any((value.type, value.id) in among for value in found)
            return is_among or _any(reference_matches, filter_.matches, found)
        case ReferenceFilter():
            return _any(reference_matches, filter_.matches, values) is not filter_.negate
        case StringFilter():
            if filter_.mode is StringMode.EXACT:
                return any(v.text in filter_.texts for v in values)
            wanted = [searched(text) for text in filter_.texts]
            if filter_.mode is StringMode.EQUAL:
                return any(form in wanted for v in values for form in searched_forms(v.text))
            if filter_.mode is StringMode.ENDS:
                ends = tuple(wanted)
                return any(f.endswith(ends) for v in values for f in searched_forms(v.text))
            found = [form for v in values for form in searched_forms(v.text, parted=v.parted)]
            if filter_.mode is StringMode.CONTAINS:
                return any(w in f for w in wanted for f in found)
            return any(f.startswith(tuple(wanted)) for f in found)
        case TextFilter():
            beginnings = tuple(searched(text) for text in filter_.texts)
            return any(
                form.startswith(beginnings)
                for v in values
                if v.text
                for form in searched_forms(v.text)
            )
        case IdentifierFilter():
            identifiers = [v.identifier for v in values if v.identifier]
            return _any(token_matches, filter_.matches, identifiers)
        case DateFilter():
            return _any(date_matches, filter_.matches, values)
        case NumberFilter():
            return _any(number_matches, filter_.matches, values)
        case QuantityFilter():
            return _any(quantity_matches, filter_.matches, values)
        case UriFilter():
            return any(
                uri_matches(uri, filter_.mode, v.uri) for uri in filter_.uris for v in values
            )
        case MissingFilter():
            return (not list(values)) is filter_.missing
        case OtherFilter(inner):
            return any(not values_match(inner, [value]) for value in values)
        case CompositeFilter():
            return any(
                all(
                    values_match(part, component)
                    for part, component in zip(parts, value.components, strict=True)
                )
                for parts in filter_.matches
                for value in values
            )
        case _:
            raise TypeError(f"{type(filter_).__name__} looks at more than values")


def token_matches(m: TokenMatch, v: TokenValue) -> bool:
    """Equal codes, in that system if one is asked for; a value without a code has no code."""
    if m.system is not None and m.system != v.system:
        return False
    return m.code is None or (m.code == v.code and bool(v.code))


def reference_matches(m: ReferenceMatch, v: ReferenceValue) -> bool:
    """The same resource; a bare id is that id of any type.

    A canonical is found with its version and without; ``plain``, only if it has none.
    """
    if m.url:
        if m.url == v.url:
            return not m.plain or not v.version
        return v.canonical and bool(v.version) and m.url == f"{v.url}|{v.version}"
    return m.id == v.id and bool(v.id) and m.type in {"", v.type}


def date_matches(m: DateMatch, v: DateValue) -> bool:
    """The date column of the table above."""
    match m.prefix:
        case Prefix.EQ:
            return m.low <= v.low and v.high <= m.high
        case Prefix.NE:
            return not (m.low <= v.low and v.high <= m.high)
        case Prefix.GT:
            return v.high > m.high
        case Prefix.LT:
            return v.low < m.low
        case Prefix.GE:
            return v.high > m.low
        case Prefix.LE:
            return v.low < m.high
        case Prefix.SA:
            return v.low >= m.high
        case Prefix.EB:
            return v.high <= m.low
        case Prefix.AP:
            return v.low < m.high and v.high > m.low


def number_matches(m: NumberMatch | QuantityMatch, v: NumberValue | QuantityValue) -> bool:
    """The number column of the table above."""
    match m.prefix:
        case Prefix.EQ:
            return m.low <= v.low and v.high < m.high
        case Prefix.NE:
            return not (m.low <= v.low and v.high < m.high)
        case Prefix.GT:
            return v.high > m.value
        case Prefix.LT:
            return v.low < m.value
        case Prefix.GE:
            return v.high >= m.value
        case Prefix.LE:
            return v.low <= m.value
        case Prefix.SA:
            return v.low > m.value
        case Prefix.EB:
            return v.high < m.value
        case Prefix.AP:
            return m.low <= v.high and v.low <= m.high


def quantity_matches(m: QuantityMatch, v: QuantityValue) -> bool:
    """The number matches, in the unit that is asked for, or in another that it can be said in."""
    if m.system == v.system == UCUM and m.code != v.code and m.code is not None:
        wanted, found = in_common(m), in_common(v)
        if wanted is None or found is None or wanted.code != found.code:
            return False
        return number_matches(wanted, found)
    if m.system is not None and m.system != v.system:
        return False
    if m.code is not None and m.code != v.code and (m.system is not None or m.code != v.unit):
        return False
    return number_matches(m, v)


def uri_matches(wanted: str, mode: UriMode, uri: str) -> bool:
    """Equal, or one below or above the other at a slash (FHIR R4 search.html#uri)."""
    if wanted == uri:
        return True
    match mode:
        case UriMode.EXACT:
            return False
        case UriMode.BELOW:
            return uri.startswith(f"{wanted.rstrip('/')}/")
        case UriMode.ABOVE:
            return wanted.startswith(f"{uri.rstrip('/')}/")


def _any(
    fits: Callable[[Any, Any], bool], alternatives: Iterable[Any], values: Iterable[Any]
) -> bool:
    found = list(values)
    return any(fits(alternative, value) for alternative in alternatives for value in found)
