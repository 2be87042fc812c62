"""One ``name=value`` of a query as a ``Filter``: modifiers, chains and ``_has`` (FHIR R4 §3.1.1.4).

A name is ``code``, ``code:modifier``, a chain ``code.name`` or ``code:Type.name``, or
``_has:Type:code:name``; a chain may go on for as long as it names references.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.search.catalogue import R4, Catalogue
from threadwell.fhir.search.compartments import (
    COMPARTMENT,
    compartment_filter,
    parse_compartments,
)
from threadwell.fhir.search.field import Field, Unknown, field, has_field
from threadwell.fhir.search.fold import searched
from threadwell.fhir.search.query import (
    ChainFilter,
    CompartmentFilter,
    CompositeFilter,
    ConceptFilter,
    DateFilter,
    Filter,
    HasFilter,
    IdentifierFilter,
    IdFilter,
    MissingFilter,
    NumberFilter,
    OtherFilter,
    QuantityFilter,
    ReferenceFilter,
    Relation,
    StringFilter,
    TextFilter,
    TokenFilter,
    UriFilter,
    within,
)
from threadwell.fhir.search.references import split_reference
from threadwell.fhir.search.sought import StringMode, UriMode
from threadwell.fhir.search.terms import (
    Reading,
    bad,
    concept,
    date,
    is_escaped_rightly,
    is_named,
    number,
    of_type_match,
    quantity,
    reference,
    split,
    token,
    unescape,
)

#: Every link of a chain is a search of its own in each type it may lead to, and the types
#: multiply: longer and wider chains are refused.
MAX_LINKS = 8
MAX_BREADTH = 200


def parse_filter(type_: str, name: str, value: str, reading: Reading) -> Filter:
    """The filter of a search of ``type_``; raises ``FhirError`` 400 that names the parameter."""
    return _filter(type_, name, value, reading, Chain())


def alternatives(filter_: Filter) -> int:
    """How many values a filter compares with one by one; one for those that are looked up."""
    match filter_:
        case StringFilter() | TextFilter():
            return len(filter_.texts)
        case UriFilter():
            return len(filter_.uris)
        case DateFilter() | NumberFilter() | QuantityFilter() | CompositeFilter():
            return len(filter_.matches)
        case ChainFilter():
            return max(map(alternatives, filter_.filters))
        case HasFilter() | OtherFilter():
            return alternatives(filter_.filter)
        case _ if parts := within(filter_):
            return sum(map(alternatives, parts))
        case _:
            return 1


def looked_up(type_: str, filter_: Filter, catalogue: Catalogue = R4) -> int:
    """How many values a filter of ``type_`` looks up, all at once: tokens, ids and references, one
    without its type in each that it may have.
    """
    match filter_:
        case TokenFilter() | IdentifierFilter() | ConceptFilter():
            return len(filter_.matches)
        case ReferenceFilter():
            bare = sum([not (match.type or match.url) for match in filter_.matches])
            targets = field(type_, filter_.param, catalogue).targets if bare else ()
            types = len(targets or RESOURCE_TYPES) if bare else 1
            return len(filter_.matches) + bare * (types - 1)
        case IdFilter():
            return len(filter_.ids)
        case CompartmentFilter():
            return len(filter_.ids) + sum(len(link.matches) for link in filter_.links)
        case ChainFilter():
            pairs = zip(filter_.types, filter_.filters, strict=True)
            return sum([looked_up(*pair, catalogue) for pair in pairs])
        case HasFilter():
            return looked_up(filter_.type, filter_.filter, catalogue)
        case OtherFilter(inner):
            return looked_up(type_, inner, catalogue)
        case _:
            return sum([looked_up(type_, one, catalogue) for one in within(filter_)])


def reference_field(type_: str, code: str, catalogue: Catalogue = R4) -> Field:
    """The reference parameter ``code`` of a type; raises ``FhirError`` 400 if it has none."""
    found = field(type_, code, catalogue)
    if found.type != "reference":
        raise invalid(f"Search parameter {code} of {type_} is not a reference")
    return found


class TooFar(FhirError):
    """A chain is longer, or wider, than it may be."""

    def __init__(self, text: str) -> None:
        super().__init__(400, [Issue("invalid", text)])


@dataclass(frozen=True, slots=True)
class Chain:
    """How far a chain has come, and to how many combinations of types."""

    links: int = 0
    breadth: int = 1

    def then(self, types: int) -> Chain:
        """One link further, which may lead to so many types; raises ``TooFar``."""
        if self.links == MAX_LINKS:
            raise TooFar(f"A chain has more than {MAX_LINKS} links")
        if self.breadth * types > MAX_BREADTH:
            raise TooFar("A chain may lead to too many types: name one (subject:Patient.name)")
        return Chain(self.links + 1, self.breadth * types)


def _filter(type_: str, name: str, value: str, reading: Reading, chain: Chain) -> Filter:
    if name.startswith("_has:"):
        return _has(type_, name, value, reading, chain)
    head, dot, rest = name.partition(".")
    if dot:
        return _links(type_, head, rest, value, reading, chain)
    code, _, modifier = name.partition(":")
    if code == COMPARTMENT:
        return _compartment(type_, modifier, value)
    found = field(type_, code, reading.catalogue)
    if not value:
        raise bad(found, "a value")
    if not is_escaped_rightly(value):
        raise bad(found, "a backslash before , | $ or another backslash only")
    if modifier == "missing":
        return _missing(found, value)
    if code == "_id":
        return _id(found, modifier, value)
    return _READERS[found.type](found, modifier, value, reading)


def _compartment(type_: str, modifier: str, value: str) -> CompartmentFilter:
    if modifier not in {"", "not"}:
        raise invalid(f"Search parameter {COMPARTMENT} has no modifier but :not")
    compartments = parse_compartments(split(value, ","))
    return compartment_filter(type_, compartments, negate=modifier == "not")


def _has(type_: str, name: str, value: str, reading: Reading, chain: Chain) -> Filter:
    parts = name.split(":", 3)
    if len(parts) < 4 or parts[1] not in RESOURCE_TYPES:
        raise invalid("Invalid _has: expected _has:Type:reference:parameter")
    _, source, code, rest = parts
    if type_ not in reference_field(source, code, reading.catalogue).targets:
        raise invalid(f"Search parameter {code} of {source} does not refer to {type_}")
    return HasFilter(source, code, _filter(source, rest, value, reading, chain.then(1)))


def _links(
    type_: str, head: str, rest: str, value: str, reading: Reading, chain: Chain
) -> ChainFilter:
    code, colon, only = head.partition(":")
    targets = reference_field(type_, code, reading.catalogue).targets
    if colon:
        if only not in targets:
            raise invalid(f"Search parameter {code} does not refer to a type {only}")
        targets = (only,)
    if not rest.startswith("_has:"):
        asked = code_of(rest)
        targets = tuple([t for t in targets if _is_asked(t, asked, reading.catalogue)])
    further = chain.then(len(targets))
    filters: dict[str, Filter] = {}
    refusal: FhirError | None = None
    for target in targets:
        try:
            filters[target] = _filter(target, rest, value, reading, further)
        except TooFar:
            raise
        except FhirError as error:  # a namesake in another type may take other values
            refusal = error
    if not filters:
        raise refusal or Unknown(f"{head}.{rest}")
    return ChainFilter(code, tuple(filters), tuple(filters.values()))


def _is_asked(type_: str, code: str, catalogue: Catalogue) -> bool:
    return code == COMPARTMENT or has_field(type_, code, catalogue)


def code_of(name: str) -> str:
    """The parameter that the first part of a name is."""
    return name.partition(".")[0].partition(":")[0]


def _missing(found: Field, value: str) -> MissingFilter:
    if value not in {"true", "false"}:
        raise bad(found, "true or false for :missing")
    return MissingFilter(found.code, value == "true")


def _id(found: Field, modifier: str, value: str) -> IdFilter:
    if modifier not in {"", "not"}:
        raise _no_modifier(found, modifier)
    ids = tuple(unescape(part) for part in split(value, ","))
    return IdFilter(ids, negate=modifier == "not")


def _token(found: Field, modifier: str, value: str, _: Reading) -> Filter:
    if modifier == "text":
        return TextFilter(found.code, _refuse_empty(found, _texts(found, value)))
    parts = split(value, ",")
    if modifier in ("in", "not-in"):
        value_sets = tuple([_value_set(found, unescape(part)) for part in parts])
        return ConceptFilter(found.code, Relation.IN, value_sets, negate=modifier == "not-in")
    if modifier == "of-type" and "Identifier" in found.element_types:
        return TokenFilter(found.code, tuple([of_type_match(found, part) for part in parts]))
    if modifier not in ("", "not", *_HIERARCHY):
        raise _no_modifier(found, modifier)
    if modifier in _HIERARCHY:
        concepts = tuple([concept(found, part) for part in parts])
        return ConceptFilter(found.code, Relation(modifier), matches=concepts)
    matches = tuple([token(found, part) for part in parts])
    return TokenFilter(found.code, matches, negate=modifier == "not")


def _value_set(found: Field, text: str) -> str:
    type_, id_ = split_reference(text)
    if type_ == "ValueSet":
        return f"ValueSet/{id_}"
    if ":" not in text or type_:
        raise bad(found, "the url of a value set, or ValueSet/id")
    return text


def _reference(found: Field, modifier: str, value: str, reading: Reading) -> Filter:
    parts = split(value, ",")
    if modifier == "identifier":
        return IdentifierFilter(found.code, tuple(token(found, part) for part in parts))
    type_ = modifier if modifier in RESOURCE_TYPES else ""
    if modifier not in {"", "not", type_}:
        raise _no_modifier(found, modifier)
    if type_ and type_ not in found.targets:
        raise invalid(f"Search parameter {found.name} does not refer to a type {type_}")
    matches = tuple([reference(found, part, reading, type_) for part in parts])
    return ReferenceFilter(found.code, matches, modifier == "not", is_named(found))


def _string(found: Field, modifier: str, value: str, _: Reading) -> Filter:
    mode = _STRING_MODES.get(modifier)
    if mode is None:
        raise _no_modifier(found, modifier)
    texts = _texts(found, value)
    if mode is not StringMode.EXACT:
        _refuse_empty(found, texts)
    return StringFilter(found.code, texts, mode)


def _uri(found: Field, modifier: str, value: str, _: Reading) -> Filter:
    mode = _URI_MODES.get(modifier)
    if mode is None:
        raise _no_modifier(found, modifier)
    return UriFilter(found.code, _texts(found, value), mode)


def _texts(found: Field, value: str) -> tuple[str, ...]:
    texts = tuple([unescape(part) for part in split(value, ",")])
    if not all(texts):
        raise bad(found, "a text in every place of the list")
    return texts


def _refuse_empty(found: Field, texts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(searched, texts)):
        raise bad(found, "a text of more than accents and punctuation")
    return texts


def _date(found: Field, modifier: str, value: str, reading: Reading) -> Filter:
    _refuse(found, modifier)
    return DateFilter(found.code, tuple([date(found, p, reading) for p in split(value, ",")]))


def _number(found: Field, modifier: str, value: str, _: Reading) -> Filter:
    _refuse(found, modifier)
    return NumberFilter(found.code, tuple([number(found, part) for part in split(value, ",")]))


def _quantity(found: Field, modifier: str, value: str, _: Reading) -> Filter:
    _refuse(found, modifier)
    return QuantityFilter(found.code, tuple([quantity(found, part) for part in split(value, ",")]))


def _composite(found: Field, modifier: str, value: str, reading: Reading) -> Filter:
    _refuse(found, modifier)
    matches = []
    for alternative in split(value, ","):
        parts = split(alternative, "$")
        if len(parts) != len(found.components):
            raise bad(found, f"{len(found.components)} values with $ between them")
        matches.append(
            tuple(
                _READERS[component.type](component, "", part, reading)
                for component, part in zip(found.components, parts, strict=True)
            )
        )
    return CompositeFilter(found.code, tuple(matches))


def _refuse(found: Field, modifier: str) -> None:
    if modifier:
        raise _no_modifier(found, modifier)


def _no_modifier(found: Field, modifier: str) -> FhirError:
    known = modifier if modifier.replace("-", "").isalpha() else "given"
    return invalid(f"Search parameter {found.name} has no modifier :{known}")


_HIERARCHY = frozenset({"above", "below"})
_STRING_MODES = {
    "": StringMode.STARTS,
    "exact": StringMode.EXACT,
    "contains": StringMode.CONTAINS,
}
_URI_MODES = {"": UriMode.EXACT, "below": UriMode.BELOW, "above": UriMode.ABOVE}

_Reader: TypeAlias = Callable[[Field, str, str, Reading], Filter]
_READERS: dict[str, _Reader] = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "uri": _uri,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "composite": _composite,
}
