"""A filter in the terms of the index: what can lead a search, and what can check a candidate.

Every condition is necessary for its filter. Where it is not sufficient too (``exact``), the
filter is asked again of the resource itself, by the rules of ``fhir.search.match``.
"""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.search.fold import searched
from threadwell.fhir.search.measured import in_common
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    CompartmentFilter,
    CompositeFilter,
    ConceptFilter,
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
    within,
)
from threadwell.fhir.search.sought import (
    QuantityMatch,
    ReferenceMatch,
    StringMode,
    TokenMatch,
    UriMode,
)
from threadwell.fhir.search.within import inner_type, is_inner, looks_within, plain_type
from threadwell.stores.sql.conditions import (
    Always,
    Condition,
    Lookups,
    Present,
    Stream,
    TextScan,
    TextWay,
    UpdatedWithin,
    ids_of,
    joined,
    terms,
)
from threadwell.stores.sql.keys import (
    Keys,
    every_updated,
    itself,
    of_identifier,
    of_measured,
    of_numbers,
    of_plain,
    of_present,
    of_reference,
    of_url,
    of_width,
    scope,
    token_form,
)
from threadwell.stores.sql.links import forms_of, holds_names
from threadwell.stores.sql.ranges import (
    UPDATED,
    WIDTHS,
    Stretch,
    date_stretches,
    decides,
    number_stretch,
)
from threadwell.stores.sql.shapes import present_bits
from threadwell.stores.unindexed import check_indexed

#: Of numbers: one, or from one to another.
_KINDS = ("point", "range")
#: The filters that compile to what ``Lookups`` find.
_LOOKING_UP = (ChainFilter, CompartmentFilter, HasFilter)


def looks_up(filter_: Filter) -> bool:
    """Whether a filter compiles to what ``Lookups`` find: it knows nothing of what is being
    written.
    """
    return isinstance(filter_, _LOOKING_UP) or any(map(looks_up, within(filter_)))


class Compiler:
    """Compiles the filters of one query; ``lookups`` is for those that are chains."""

    def __init__(
        self, keys: Keys, project: str, type_: str, lookups: Lookups | None = None
    ) -> None:
        self._keys = keys
        self._project = project
        self._type = type_
        self._plain = plain_type(type_)
        self._lookups = lookups
        self._catalogue = keys.bases.of(project).catalogue
        self._found = self._catalogue.found(self._plain)

    def condition(self, filter_: Filter) -> Condition:
        """The filter in the terms of the index; raises ``StoreError`` for a parameter that is not
        in it.
        """
        check_indexed(self._plain, filter_, self._found)
        match filter_:
            case TokenFilter(negate=True) | ReferenceFilter(negate=True) if is_inner(self._type):
                # The list knows the whole alone, which may contain several.
                return Condition(filter_, exact=False)
            case TokenFilter():
                found = [self._token(filter_.param, m) for m in filter_.matches]
                return terms(filter_, found, filter_.negate)
            case ReferenceFilter():
                keys = [k for m in filter_.matches for k in self._reference(filter_.param, m)]
                keys += [self._key(filter_.param, of_reference(*one)) for one in filter_.among]
                return terms(filter_, [(k, True) for k in keys], filter_.negate)
            case ConceptFilter():
                raise AssertionError("stores.naming makes a filter by codes of it")
            case CompartmentFilter():
                return self._compartment(filter_)
            case AllFilter(filters):
                return self._either(EitherFilter((filters,)))
            case EitherFilter():
                return self._either(filter_)
            case NotFilter():
                return Condition(self._resolved(filter_), exact=False)
            case OtherFilter():
                return Condition(filter_, exact=False)
            case IdentifierFilter():
                found = [self._token(filter_.param, m, identifier=True) for m in filter_.matches]
                return terms(filter_, found)
            case CompositeFilter():
                return self._composite(filter_)
            case MissingFilter():
                return self._missing(filter_)
            case IdFilter():
                return ids_of(filter_, filter_.ids, filter_.negate)
            case DateFilter("_lastUpdated"):
                return self._updated(filter_)
            case DateFilter():
                return self._dates(filter_)
            case NumberFilter() | QuantityFilter():
                return self._numbers(filter_)
            case StringFilter() | TextFilter() | UriFilter():
                return self._texts(filter_)
            case ChainFilter():
                return self._chain(filter_)
            case HasFilter():
                assert self._lookups
                ids = self._lookups.referred_ids(
                    filter_.type, filter_.filter, filter_.param, self._type
                )
                return ids_of(filter_, ids)

    def _key(self, param: str, form: str) -> int:
        return self._keys.key(scope(self._project, self._type, param) + form)

    def _token(
        self, param: str, match: TokenMatch, *, identifier: bool = False
    ) -> tuple[int, bool] | None:
        form, exact = token_form(match)
        if form is None:
            return None
        return self._key(param, of_identifier(form) if identifier else form), exact

    def _reference(self, param: str, match: ReferenceMatch) -> list[int]:
        if match.url:
            return [self._key(param, of_plain(match.url) if match.plain else of_url(match.url))]
        types: Iterable[str] = [match.type] if match.type else self._targets(param)
        return [self._key(param, of_reference(type_, match.id)) for type_ in types]

    def _targets(self, param: str) -> Iterable[str]:
        parameter = self._catalogue.found(self._plain).get(param)
        targets = parameter.targets if parameter else ()
        return targets if targets and "Resource" not in targets else sorted(RESOURCE_TYPES)

    def _compartment(self, filter_: CompartmentFilter) -> Condition:
        if not filter_.ids:
            keys = [
                (key, True)
                for link in filter_.links
                for match in link.matches
                for key in self._reference(link.param, match)
            ]
            return terms(filter_, keys, filter_.negate)
        # A resource stands in no list of its own: those that refer are looked up by id as well.
        assert self._lookups or not filter_.links
        referring = [
            target.id
            for link in filter_.links
            for target in (
                self._lookups.targets(self._type, link, named=False) if self._lookups else ()
            )
        ]
        return ids_of(filter_, [*filter_.ids, *referring], filter_.negate)

    def _composite(self, filter_: CompositeFilter) -> Condition:
        keys: list[int] = []
        for parts in filter_.matches:
            match parts[0]:
                case TokenFilter(_, matches, False):
                    found = [self._token(filter_.param, m) for m in matches]
                    if None in found:
                        return Condition(filter_, exact=False)
                    keys.extend(key[0] for key in found if key)
                case ReferenceFilter(_, references, False):
                    for reference in references:
                        keys.extend(self._reference(filter_.param, reference))
                case _:
                    return Condition(filter_, exact=False)
        return Condition(filter_, keys=tuple(dict.fromkeys(keys)), exact=False)

    def _missing(self, filter_: MissingFilter) -> Condition:
        if filter_.param in {"_id", "_lastUpdated"}:
            return Condition(filter_, row=Always(not filter_.missing))
        bit = present_bits(self._type).get(filter_.param)
        if bit is None:
            of = self._catalogue.of(self._plain)
            if of is None or filter_.param not in of.own or is_inner(self._type):
                return Condition(filter_, exact=False)
            key = self._key(filter_.param, of_present())
            return terms(filter_, [(key, True)], negate=filter_.missing)
        return Condition(filter_, row=Present(bit, filter_.missing))

    def _updated(self, filter_: DateFilter) -> Condition:
        key = self._keys.key(every_updated(self._project, self._type))
        stretches = [s for m in filter_.matches for s in date_stretches(m, UPDATED)]
        spans = tuple(joined(stretches))
        return Condition(
            filter_,
            streams=tuple(Stream(key, low, high) for low, high in spans),
            row=UpdatedWithin(spans),
            updated=True,
        )

    def _dates(self, filter_: DateFilter) -> Condition:
        streams: list[Stream] = []
        for kind in WIDTHS:
            key = self._key(filter_.param, of_width(kind.name))
            stretches = [s for m in filter_.matches for s in date_stretches(m, kind)]
            exact = all(decides(m, kind) for m in filter_.matches)
            streams.extend(Stream(key, low, high, exact) for low, high in joined(stretches))
        return Condition(filter_, streams=tuple(streams), exact=False)

    def _numbers(self, filter_: NumberFilter | QuantityFilter) -> Condition:
        by_forms: dict[tuple[str, str], list[Stretch]] = {}
        for match in filter_.matches:
            same = in_common(match) if isinstance(match, QuantityMatch) else None
            if same is None:
                forms, stretch = tuple(map(of_numbers, _KINDS)), number_stretch(match)
            else:
                forms = tuple([of_measured(kind, same.code or "") for kind in _KINDS])
                stretch = number_stretch(same)
            by_forms.setdefault((forms[0], forms[1]), []).append(stretch)
        streams: list[Stream] = []
        for (points, ranges), stretches in by_forms.items():
            key = self._key(filter_.param, points)
            streams += [Stream(key, low, high, exact=False) for low, high in joined(stretches)]
            streams.append(Stream(self._key(filter_.param, ranges), exact=False))
        return Condition(filter_, streams=tuple(streams), exact=False)

    def _texts(self, filter_: StringFilter | TextFilter | UriFilter) -> Condition:
        key = self._key(filter_.param, "")
        if isinstance(filter_, UriFilter):
            if filter_.mode is UriMode.EXACT:
                keys = [(self._key(filter_.param, of_url(uri)), True) for uri in filter_.uris]
                return terms(filter_, keys)
            if filter_.mode is UriMode.BELOW:
                below = tuple(uri.rstrip("/") for uri in filter_.uris)
                return Condition(filter_, text=TextScan(key, TextWay.STARTS, below), exact=False)
            return Condition(filter_, text=TextScan(key, TextWay.ALL), exact=False)
        texts = tuple(searched(text) for text in filter_.texts)
        if isinstance(filter_, TextFilter):
            return Condition(filter_, text=TextScan(key, TextWay.STARTS, texts), exact=all(texts))
        match filter_.mode:
            case StringMode.STARTS:
                return Condition(filter_, text=TextScan(key, TextWay.STARTS, texts))
            case StringMode.CONTAINS:
                return Condition(filter_, text=TextScan(key, TextWay.CONTAINS, texts))
            case StringMode.EXACT | StringMode.EQUAL:
                return Condition(filter_, text=TextScan(key, TextWay.EQUAL, texts), exact=False)
            case StringMode.ENDS:
                return Condition(filter_, text=TextScan(key, TextWay.CONTAINS, texts), exact=False)

    def _either(self, filter_: EitherFilter) -> Condition:
        """What the alternatives come to together; where the lists do not tell, the resource does.

        That is asked without a look at any other, so what links lead to is looked up now.
        """
        resolved = EitherFilter(
            tuple([tuple(map(self._resolved, filters)) for filters in filter_.alternatives])
        )
        exact, ids = True, True
        keys: list[int] | None = []
        found: list[str] = []
        either: list[tuple[Condition, ...]] = []
        for filters in resolved.alternatives:
            conditions = tuple([self.condition(one) for one in filters])
            either.append(conditions)
            alone = len(conditions) == 1
            listed = [c.keys for c in conditions if c.keys is not None and not c.negate]
            if keys is not None and listed:
                keys += listed[0]
                exact = exact and alone and conditions[0].exact
            else:
                keys = None
            ids = ids and alone and conditions[0].ids is not None
            found += conditions[0].ids or () if alone else ()
        if keys is not None and exact:
            return Condition(resolved, keys=tuple(dict.fromkeys(keys)))
        if ids:
            return ids_of(resolved, found)
        # Of several that are contained, one and the same has to match.
        sure = not is_inner(self._type) and all(one.probed for some in either for one in some)
        return Condition(
            resolved,
            keys=None if keys is None else tuple(dict.fromkeys(keys)),
            exact=False,
            either=tuple(either) if sure else None,
        )

    def _resolved(self, filter_: Filter) -> Filter:
        """A filter that holds for the same resources, and looks at nothing but each of them."""
        match filter_:
            case AllFilter(filters):
                return AllFilter(tuple(map(self._resolved, filters)))
            case EitherFilter(alternatives):
                return EitherFilter(
                    tuple([tuple(map(self._resolved, filters)) for filters in alternatives])
                )
            case NotFilter(inner):
                return NotFilter(self._resolved(inner))
            case ChainFilter():
                return self._led(filter_)
            case HasFilter():
                assert self._lookups
                ids = self._lookups.referred_ids(
                    filter_.type, filter_.filter, filter_.param, self._type
                )
                return IdFilter(tuple(ids))
            case _:
                return filter_

    def _led(self, filter_: ChainFilter) -> Filter:
        assert self._lookups
        matches: list[ReferenceMatch] = []
        among: set[tuple[str, str]] = set()
        inside: list[str] = []
        named = holds_names(self._plain, filter_.param, self._catalogue)
        for type_, further in zip(filter_.types, filter_.filters, strict=True):
            for target in self._lookups.targets(type_, further, named=named):
                among.add((target.type, target.id))
                if named and target.name.url:
                    url, version = target.name
                    matches.append(ReferenceMatch("", "", url, plain=True))
                    matches += [ReferenceMatch("", "", f"{url}|{version}")] if version else []
            if looks_within(further):
                inner = inner_type(self._type, filter_.param, type_)
                inside += self._lookups.containing(inner, further)
        led = ReferenceFilter(filter_.param, tuple(dict.fromkeys(matches)), among=frozenset(among))
        return EitherFilter(((led,), (IdFilter(tuple(inside)),))) if inside else led

    def _chain(self, filter_: ChainFilter) -> Condition:
        assert self._lookups
        param, keys = filter_.param, []
        named = holds_names(self._plain, param, self._catalogue)
        for type_, further in zip(filter_.types, filter_.filters, strict=True):
            for target in self._lookups.targets(type_, further, named=named):
                keys += [self._key(param, form) for form in forms_of(target, named=named)]
            if looks_within(further):
                within = inner_type(self._type, param, type_)
                keys += [
                    self._keys.key(itself(self._project, self._type.partition(".")[0], id_))
                    for id_ in self._lookups.containing(within, further)
                ]
        return terms(filter_, [(key, True) for key in keys])
