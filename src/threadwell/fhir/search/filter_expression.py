"""``_filter`` as filters like those of other parameters (FHIR R4 search_filter.html).

What must hold together becomes several filters, so that a store begins with whichever of them finds
least, as with the parameters of any search.
"""

from __future__ import annotations

from collections.abc import Callable

from threadwell.fhir.definitions import load
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.search.field import Field, field, has_field
from threadwell.fhir.search.filter_grammar import (
    Both,
    Either,
    Not,
    Part,
    Term,
    Tree,
    parse_filter_text,
)
from threadwell.fhir.search.filters import Chain, TooFar, code_of, reference_field
from threadwell.fhir.search.fold import searched
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    DateFilter,
    EitherFilter,
    Filter,
    IdFilter,
    MissingFilter,
    NotFilter,
    NumberFilter,
    OtherFilter,
    QuantityFilter,
    ReferenceFilter,
    StringFilter,
    TokenFilter,
    UriFilter,
    parts_of,
)
from threadwell.fhir.search.sought import DateMatch, Prefix, StringMode, UriMode
from threadwell.fhir.search.terms import (
    Reading,
    bad,
    date,
    is_escaped_rightly,
    is_named,
    number,
    quantity,
    reference,
    token,
)

#: The parameter.
FILTER = "_filter"
#: Codes of a value set that are looked up for ``in``.
_MOST_CODES = 500

_ORDERED = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb"})
_TEXT_MODES = {
    "eq": StringMode.EQUAL,
    "co": StringMode.CONTAINS,
    "sw": StringMode.STARTS,
    "ew": StringMode.ENDS,
}


def parse_expression(type_: str, text: str, reading: Reading) -> Filter:
    """The filter that an expression says of resources of a type; raises ``FhirError`` 400 that
    names what cannot be understood, and never a value.
    """
    return _filter(type_, parse_filter_text(text), reading, Chain())


def _filter(type_: str, tree: Tree, reading: Reading, chain: Chain) -> Filter:
    match tree:
        case Both(left, right):
            both = (_filter(type_, one, reading, chain) for one in (left, right))
            return AllFilter(tuple([part for one in both for part in parts_of(one)]))
        case Either(left, right):
            either = [_filter(type_, one, reading, chain) for one in (left, right)]
            return EitherFilter(tuple([some for one in either for some in _alternatives(one)]))
        case Not(inner):
            return NotFilter(_filter(type_, inner, reading, chain))
        case Term(path, operator, value, quoted):
            head, *rest = path
            if rest:
                return _led(type_, head, Term(tuple(rest), operator, value, quoted), reading, chain)
            found = field(type_, head.name, reading.catalogue)
            return _compared(found, operator, value, reading)


def _alternatives(filter_: Filter) -> tuple[tuple[Filter, ...], ...]:
    if isinstance(filter_, EitherFilter):
        return filter_.alternatives
    return (parts_of(filter_),)


def _led(type_: str, head: Part, rest: Term, reading: Reading, chain: Chain) -> Filter:
    """A path through a reference: what it leads to must be all that is asked of it."""
    code, colon, only = head.name.partition(":")
    targets = reference_field(type_, code, reading.catalogue).targets
    if colon:
        if only not in targets:
            raise invalid(f"Search parameter {code} does not refer to a type {only}")
        targets = (only,)
    name = code_of(rest.path[0].name)
    targets = tuple([one for one in targets if has_field(one, name, reading.catalogue)])
    further = chain.then(len(targets))
    found: dict[str, Filter] = {}
    refusal: FhirError | None = None
    asked: Tree = rest if head.within is None else Both(head.within, rest)
    for target in targets:
        try:
            found[target] = _filter(target, asked, reading, further)
        except TooFar:
            raise
        except FhirError as error:  # a namesake in another type may take other values
            refusal = error
    if not found:
        raise refusal or invalid(f"Unknown search parameter: {code}.{name}")
    return ChainFilter(code, tuple(found), tuple(found.values()))


def _compared(found: Field, operator: str, value: str, reading: Reading) -> Filter:
    if not value:
        raise bad(found, "a value")
    if operator == "pr":
        if value not in {"true", "false"}:
            raise bad(found, "true or false for pr")
        return MissingFilter(found.code, value == "false")
    if found.code == "_id":
        if operator not in {"eq", "ne"}:
            raise _no_operator(found, operator)
        return IdFilter((value,), negate=operator == "ne")
    reader = _READERS.get(found.type)
    if reader is None:
        raise _no_operator(found, operator)
    return reader(found, operator, value, reading)


def _string(found: Field, operator: str, value: str, _: Reading) -> Filter:
    if operator == "ne":
        return OtherFilter(_string(found, "eq", value, _))
    mode = _TEXT_MODES.get(operator)
    if mode is None:
        raise _no_operator(found, operator)
    if not searched(value):
        raise bad(found, "a text of more than accents and punctuation")
    return StringFilter(found.code, (value,), mode)


def _token(found: Field, operator: str, value: str, reading: Reading) -> Filter:
    match operator:
        case "eq":
            if not is_escaped_rightly(value):
                raise bad(found, "a backslash before , | $ or another backslash only")
            return TokenFilter(found.code, (token(found, value),))
        case "ne":
            return OtherFilter(_token(found, "eq", value, reading))
        case "in":
            return TokenFilter(found.code, tuple(token(found, one) for one in _codes(found, value)))
        case "ni":
            return OtherFilter(_token(found, "in", value, reading))
        case _:
            raise _no_operator(found, operator)


def _codes(found: Field, url: str) -> list[str]:
    """The codes of a value set that is compiled in: those that R4 requires somewhere."""
    systems = load("value_sets").get(url.partition("|")[0])
    if not systems:
        text = f"{FILTER} knows no such value set for search parameter {found.name}"
        raise FhirError(400, [Issue("not-supported", text)])
    codes = [f"{system}|{code}" for system, some in systems.items() for code in some]
    if len(codes) > _MOST_CODES:
        raise FhirError(400, [Issue("too-costly", "The value set has too many codes to search by")])
    return codes


def _reference(found: Field, operator: str, value: str, reading: Reading) -> Filter:
    if operator == "ne":
        return OtherFilter(_reference(found, "re", value, reading))
    if operator not in {"re", "eq"}:
        raise _no_operator(found, operator)
    return ReferenceFilter(found.code, (reference(found, value, reading),), named=is_named(found))


def _uri(found: Field, operator: str, value: str, _: Reading) -> Filter:
    match operator:
        case "eq":
            return UriFilter(found.code, (value,))
        case "ne":
            return OtherFilter(UriFilter(found.code, (value,)))
        case "sb":
            return UriFilter(found.code, (value,), UriMode.BELOW)
        case "ss":
            return UriFilter(found.code, (value,), UriMode.ABOVE)
        case _:
            raise _no_operator(found, operator)


def _date(found: Field, operator: str, value: str, reading: Reading) -> Filter:
    if operator == "po":
        # Any time in common.
        of = date(found, _bare(found, value), reading)
        return DateFilter(found.code, (DateMatch(Prefix.AP, of.low, of.high),))
    return DateFilter(found.code, (date(found, _prefixed(found, operator, value), reading),))


def _number(found: Field, operator: str, value: str, _: Reading) -> Filter:
    return NumberFilter(found.code, (number(found, _prefixed(found, operator, value)),))


def _quantity(found: Field, operator: str, value: str, _: Reading) -> Filter:
    if not is_escaped_rightly(value):
        raise bad(found, "a backslash before , | $ or another backslash only")
    return QuantityFilter(found.code, (quantity(found, _prefixed(found, operator, value)),))


def _prefixed(found: Field, operator: str, value: str) -> str:
    if operator not in _ORDERED:
        raise _no_operator(found, operator)
    return operator + _bare(found, value)


def _bare(found: Field, value: str) -> str:
    """The value; it is no place for a prefix, which the operator is."""
    if value[:1].isalpha():
        raise bad(found, f"a {found.type}")
    return value


def _no_operator(found: Field, operator: str) -> FhirError:
    text = f"{FILTER} has no operator {operator} for search parameter {found.name}"
    return FhirError(400, [Issue("not-supported", text)])


_READERS: dict[str, Callable[[Field, str, str, Reading], Filter]] = {
    "string": _string,
    "token": _token,
    "reference": _reference,
    "uri": _uri,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
}
