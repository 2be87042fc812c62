"""What one member of a resource puts into the index.

A practice's people, statuses and media come again with every message: what such a member puts in
is remembered by what it holds, and costs one look the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from threadwell.fhir.json import encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import Member
from threadwell.fhir.search.fold import searched_forms
from threadwell.fhir.search.measured import in_common
from threadwell.fhir.search.references import localised_value, own, parse_absolute
from threadwell.fhir.search.times import date_range
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
from threadwell.stores.sql.compounds import part_forms
from threadwell.stores.sql.keys import (
    Keys,
    Scope,
    below,
    of_code,
    of_identifier,
    of_measured,
    of_numbers,
    of_plain,
    of_present,
    of_reference,
    of_system,
    of_token,
    of_url,
    of_width,
)
from threadwell.stores.sql.ranges import HIGHEST, number_kind, number_place, width

#: The bit of ``present`` that stands for no parameter.
ABSOLUTE = 1 << 64
#: The types of members that come again.
_REMEMBERED = frozenset({"Reference", "CodeableConcept", "Coding", "boolean", "code"})
#: The types of members that are dates of one form.
_DATES = frozenset({"date", "dateTime", "instant"})
#: What references lead to that come again: people, and what they work for.
_PEOPLE = frozenset(
    (
        *("CareTeam", "Device", "Group", "HealthcareService", "Location", "Organization"),
        *("Patient", "Practitioner", "PractitionerRole", "RelatedPerson"),
    )
)
#: The members of an identifier that is found by its system and value alone.
_PLAIN_IDENTIFIER = frozenset({"use", "system", "value"})
#: What is remembered of a member at a time, each of no more letters than this.
MOST, _SHORT = 4_096, 500


#: Keys at the natural time, and keys at the time of the last update.
Places: TypeAlias = tuple[list[int], list[int]]


class MemberEntries:
    """What members put in: ``places`` are keys at the natural time, ``placed`` (key, sort),
    ``texts`` (key, folded text); ``present`` has the bits of the parameters with a value, and
    ``ABSOLUTE`` where what a URL refers to hangs on the bases; ``natural`` is the earliest time,
    ``HIGHEST`` where there is none, ``parts`` are the forms in compounds, by parameter. Some of it
    may be there twice. ``compounds`` are the keys in compounds of these parts alone, by what tells
    which compounds, as far as anybody has asked for them.
    """

    __slots__ = ("compounds", "natural", "parts", "placed", "places", "present", "texts")

    def __init__(self) -> None:
        self.places: list[int] = []
        self.placed: list[tuple[int, int]] = []
        self.texts: list[tuple[int, str]] = []
        self.present = 0
        self.natural = HIGHEST
        self.parts: dict[str, list[str]] = {}
        self.compounds: dict[int, Places] | None = None

    def add(self, other: MemberEntries, *, parts: bool = True) -> None:
        """Put all of the other one in; without ``parts`` these are left out."""
        self.present |= other.present
        self.places += other.places
        if other.texts:
            self.texts += other.texts
        if parts and other.parts:
            for param, forms in other.parts.items():
                self.parts.setdefault(param, []).extend(forms)
        if other.placed:
            self.placed += other.placed
            self.natural = min(self.natural, other.natural)


class Param:
    """A parameter of a type in a project.

    ``bit`` stands for it in ``present``; ``natural`` where its dates say when the resource
    happened; ``part`` where compounds are made of it; ``told`` where a list tells which resources
    have a value, as it has no bit. ``bases`` are those that are our own, and ``targets`` the types
    that its references may lead to. It ``is_date`` where its values are dates.
    """

    __slots__ = (
        *("_bases", "_dates", "_key", "_present", "_put", "_systems"),
        *("bit", "code", "is_date", "is_plain", "natural", "part", "people", "scope"),
    )

    def __init__(
        self,
        keys: Keys,
        bases: frozenset[str],
        code: str,
        scope: Scope,
        bit: int,
        *,
        natural: bool,
        part: bool,
        told: bool = False,
        targets: Sequence[str] = (),
        is_date: bool = False,
    ) -> None:
        self._bases = bases
        self.code = code
        self.scope = scope
        self.bit = bit
        self.natural = natural
        self.part = part
        self.is_date = is_date
        #: Whether it leads to people and to nothing else.
        self.people = bool(targets) and _PEOPLE.issuperset(targets)
        #: Whether a value has but its own entries.
        self.is_plain = not (part or told)
        self._key = keys.key
        self._dates: dict[str, int] = {}
        self._systems: dict[str, int] = {}
        self._present = keys.key(scope + of_present()) if told else None
        self._put: Mapping[type, Callable[[Any, MemberEntries], None]] = {
            TokenValue: self._token,
            ReferenceValue: self._reference,
            DateValue: self._date,
            NumberValue: self._number,
            QuantityValue: self._quantity,
            StringValue: self._string,
            UriValue: self._uri,
            CompositeValue: self._composite,
        }

    def put(self, values: Iterable[IndexValue], into: MemberEntries) -> None:
        """Put what it finds in a member into the index; at least one value."""
        into.present |= self.bit
        if self._present is not None:
            into.places.append(self._present)
        for value in values:
            self._put[value.__class__](value, into)
        if self.part:
            into.parts.setdefault(self.code, []).extend(self.forms(values))

    def forms(self, values: Iterable[IndexValue]) -> list[str]:
        """Their forms in compounds."""
        return [f for value in values for f in part_forms(localised_value(value, self._bases))]

    def _token(self, value: TokenValue, into: MemberEntries) -> None:
        system, code, text = value
        self.put_token(system, code, into)
        if text:
            self._text(searched_forms(text), into)

    def put_token(self, system: str, code: str, into: MemberEntries) -> None:
        """Put a token in: its ``_token_forms``, most with the system of those before."""
        key, scope = self._key, self.scope
        if code:
            into.places.append(key(scope + of_code(code)))
        if system:
            if code:
                into.places.append(key(scope + of_token(system, code)))
            known = self._systems.get(system)
            if known is None:
                known = key(scope + of_system(system))
                if len(system) <= _SHORT:
                    if len(self._systems) >= MOST:
                        self._systems.clear()
                    self._systems[system] = known
            into.places.append(known)

    def _reference(self, value: ReferenceValue, into: MemberEntries) -> None:
        if value.url:
            absolute = parse_absolute(value.url)
            if absolute:
                into.present |= ABSOLUTE
                value = own(value, self._bases)
                if absolute.base not in self._bases:
                    project = self.scope.partition("\0")[0]
                    into.places.append(self._key(below(project, absolute.base)))
        into.places += [self._key(self.scope + form) for form in _reference_forms(value)]

    def _date(self, value: DateValue, into: MemberEntries) -> None:
        self.put_date(value.low, value.high, into)

    def put_date(self, low: int, high: int, into: MemberEntries) -> None:
        """Put a date in, from one moment to another."""
        name = width(low, high).name
        key = self._dates.get(name)
        if key is None:
            key = self._dates[name] = self._key(self.scope + of_width(name))
        into.placed.append((key, low))
        if self.natural and low < into.natural:
            into.natural = low

    def _number(self, value: NumberValue | QuantityValue, into: MemberEntries) -> None:
        form = of_numbers(number_kind(value))
        into.placed.append((self._key(self.scope + form), number_place(value.low)))

    def _quantity(self, value: QuantityValue, into: MemberEntries) -> None:
        self._number(value, into)
        if (same := in_common(value)) is not None:
            form = of_measured(number_kind(same), same.code)
            into.placed.append((self._key(self.scope + form), number_place(same.low)))

    def _string(self, value: StringValue, into: MemberEntries) -> None:
        self._text(searched_forms(value.text, parted=value.parted), into)

    def _text(self, forms: Iterable[str], into: MemberEntries) -> None:
        key = self._key(self.scope)
        into.texts += [(key, form) for form in forms]

    def _uri(self, value: UriValue, into: MemberEntries) -> None:
        into.places.append(self._key(self.scope + of_url(value.uri)))
        into.texts.append((self._key(self.scope), value.uri))

    def _composite(self, value: CompositeValue, into: MemberEntries) -> None:
        # By its first part; the others are asked of the resource itself.
        for first in value.components[0]:
            if isinstance(first, TokenValue):
                into.places += [self._key(self.scope + form) for form in _token_forms(first)]
            elif isinstance(first, ReferenceValue):
                self._reference(first, into)


class Finder:
    """Finds what a member of a type puts into the index, for one project."""

    __slots__ = ("_known", "_names", "_one", "_params", "_takes", "again", "each", "repeats")

    def __init__(
        self, member: Member, params: Mapping[str, Param], *, remembers: bool = True
    ) -> None:
        #: Whether it is asked for the items of the member one by one.
        self.each = member.each
        self._takes = [(params[code], take, whole) for code, take, whole in member.takes]
        self._params = [param for param, _, _ in self._takes]
        self._names = member.names
        #: Whether it is remembered what elements of it put in.
        self.repeats = remembers and member.type in _REMEMBERED
        #: Whether it holds the same in most resources of a thread (``Together``).
        self.again = self.repeats and (
            member.type != "Reference" or all(param.people for param in self._params)
        )
        self._known: dict[Any, MemberEntries] = {}
        self._one = self._chosen(member)

    def _chosen(self, member: Member) -> Callable[[Any, Resource, MemberEntries], None]:
        """What gathers of the member, or of an item of it."""
        plain = all(param.is_plain for param in self._params)
        if self.repeats:
            return self._of_remembered
        if member.type == "Identifier" and len(self._params) == 1 and plain:
            return self._of_identifier
        if member.type in _DATES and plain and all(param.is_date for param in self._params):
            return self._of_date
        return self._of_named if self._names else self._find

    def gather(self, element: Any, resource: Resource, into: MemberEntries) -> None:
        """Gather what the member puts in."""
        if self.each:
            for item in element:
                if item is not None:  # a primitive that has an extension only
                    self._one(item, resource, into)
        elif element is not None:
            self._one(element, resource, into)

    def remembered(self, element: Any, resource: Resource) -> MemberEntries:
        """What the member, or the item of it, puts in if it ``repeats``. It is shared."""
        form = element if element.__class__ is not dict else _form(element)
        found = self._known.get(form)
        if found is None:
            found = MemberEntries()
            self._find(element, resource, found)
            if form.__class__ is bool or 0 < len(form) <= _SHORT:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[form] = found
        return found

    def _of_remembered(self, element: Any, resource: Resource, into: MemberEntries) -> None:
        into.add(self.remembered(element, resource))

    def _of_identifier(self, element: Any, resource: Resource, into: MemberEntries) -> None:
        """Most resources have some, each with a value of its own."""
        if not _PLAIN_IDENTIFIER.issuperset(element):
            self._find(element, resource, into)
            return
        param = self._params[0]
        into.present |= param.bit
        param.put_token(element.get("system", ""), element.get("value", ""), into)

    def _of_date(self, element: Any, _: Resource, into: MemberEntries) -> None:
        found = date_range(element)
        if found is not None:
            for param in self._params:
                into.present |= param.bit
                param.put_date(*found, into)

    def _of_named(self, element: Any, resource: Resource, into: MemberEntries) -> None:
        if not self._names.isdisjoint(element):
            self._find(element, resource, into)

    def _find(self, element: Any, resource: Resource, into: MemberEntries) -> None:
        for param, take, whole in self._takes:
            values: list[IndexValue] = []
            take(resource if whole else element, values)
            if values:
                param.put(values, into)


def _form(element: dict[str, Any]) -> Any:
    """What stands for the element: the same for no other; empty where nothing does."""
    if len(element) == 1 and "reference" in element:  # Most references say nothing else.
        return element["reference"]
    try:
        return encode(element)
    except UnicodeEncodeError:  # half of a character
        return ""


def _token_forms(value: TokenValue) -> tuple[str, ...]:
    system, code, _ = value
    if not system:
        return (of_code(code),) if code else ()
    if not code:
        return (of_system(system),)
    return of_code(code), of_token(system, code), of_system(system)


def _reference_forms(value: ReferenceValue) -> Sequence[str]:
    if value.identifier is not None:
        forms = [of_identifier(form) for form in _token_forms(value.identifier)]
        forms.extend(_reference_forms(value._replace(identifier=None)))
        return forms
    if not value.url:
        return (of_reference(value.type, value.id),) if value.id else ()
    forms = [of_url(value.url)]
    if value.canonical:
        url, version = value.url, value.version
        forms.append(of_url(f"{url}|{version}") if version else of_plain(url))
    if value.id:
        forms.append(of_reference(value.type, value.id))
    return forms
