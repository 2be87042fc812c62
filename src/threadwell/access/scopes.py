"""SMART's scopes (SMART App Launch 2 §3, and 1): what an app may do of what its caller may.

A scope for resources is ``context/Type.cruds?query``; the forms of version 1 (``.read``,
``.write``, ``.*``) stand for ``rs``, ``cud`` and ``cruds``. Scopes only narrow: each becomes a
limit like the entries of a policy, and what is done must be allowed by an entry and by a scope.

``patient/`` scopes are about what is in the compartment of the patient that the app is opened on,
and the files of their messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from threadwell.access.policy import CREDENTIALS, WRITING, Entry, Interaction, Policy, ordered
from threadwell.access.standing import stands
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search.catalogue import R4
from threadwell.fhir.search.compartments import Compartment, compartment_filter, member_types
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import (
    Filter,
    HasFilter,
    Query,
    ReferenceFilter,
    hangs_on_terminology,
)
from threadwell.fhir.search.references import split_reference
from threadwell.fhir.search.sought import ReferenceMatch

#: Scopes that say something else than what may be done to resources.
PLAIN = frozenset({"openid", "fhirUser", "profile", "offline_access", "launch/patient"})
#: Of the patient that the app is opened on, of what its user may see, of what a system may.
CONTEXTS = ("patient", "user", "system")
#: More of them are cut off: a request that names more is none that somebody would make.
MAX_SCOPES = 100

_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]*)\.(\*|read|write|[a-z]+)(?:\?(.+))?")
_LETTERS = re.compile(r"c?r?u?d?s?")
_WORDS = {"read": "rs", "write": "cud", "*": "cruds"}
_MEANING = {
    "c": (Interaction.CREATE,),
    "r": (Interaction.READ, Interaction.VREAD, Interaction.HISTORY),
    "u": (Interaction.UPDATE,),
    "d": (Interaction.DELETE,),
    "s": (Interaction.SEARCH,),
}
_FILE = "Binary"


class Scope(NamedTuple):
    """A scope for resources; ``type`` may be ``*``, ``letters`` are some of ``cruds``."""

    context: str
    type: str
    letters: str
    query: str = ""

    @property
    def interactions(self) -> frozenset[Interaction]:
        """What may be done by it."""
        return frozenset(one for letter in self.letters for one in _MEANING[letter])

    def within(self, other: Scope) -> bool:
        """Whether all that it allows is allowed by the other."""
        return (
            self.context == other.context
            and other.type in ("*", self.type)
            and set(self.letters) <= set(other.letters)
            and other.query in ("", self.query)
        )


@lru_cache(maxsize=2_000)
def parse_scope(text: str) -> Scope | None:
    """The scope; ``None`` for one that is not about resources, or that cannot be honoured."""
    match = _SCOPE.fullmatch(text)
    if match is None:
        return None
    context, type_, what, query = match[1], match[2], match[3], match[4] or ""
    letters = _WORDS.get(what, what)
    if not letters or not _LETTERS.fullmatch(letters):
        return None
    if type_ != "*" and type_ not in RESOURCE_TYPES:
        return None
    if query and (type_ == "*" or _filters(type_, query) is None):
        return None
    return Scope(context, type_, letters, query)


def is_known(text: str) -> bool:
    """Whether a scope means something here."""
    return text in PLAIN or parse_scope(text) is not None


def granted(asked: Sequence[str], allowed: Sequence[str], contexts: Sequence[str]) -> list[str]:
    """Those of the scopes that are known, of one of these contexts, and within what is allowed.

    Nothing ``allowed`` allows all. The others are left out (RFC 6749 §3.3); where that are all of
    those about resources, there are none at all: whoever asked for little must not get everything.
    """
    found = []
    for text in list(dict.fromkeys(asked))[:MAX_SCOPES]:
        scope = parse_scope(text)
        if scope is None:
            is_granted = text in PLAIN and (not allowed or text in allowed or text == "openid")
        else:
            is_granted = scope.context in contexts and bool(not allowed or within([text], allowed))
        if is_granted:
            found.append(text)
    return [] if about_resources(asked) and not about_resources(found) else found


def about_resources(texts: Iterable[str]) -> list[str]:
    """Those of the scopes that are about resources.

    One that cannot be honoured, or not any more, is a limit as well: nothing is allowed by it.
    """
    return [text for text in texts if text.partition("/")[0] in CONTEXTS]


def within(texts: Iterable[str], most: Iterable[str]) -> list[str]:
    """Those of the scopes about resources that others allow."""
    allowed = [one for text in most if (one := parse_scope(text)) is not None]
    return [
        text
        for text in texts
        if (scope := parse_scope(text)) is not None and any(map(scope.within, allowed))
    ]


def narrowed(
    policy: Policy | None, scopes: Iterable[str], profile: str, patient: str = ""
) -> Policy:
    """What a policy (``None`` allows all) leaves somebody by some scopes.

    ``patient`` is the reference of whom the app is opened on, ``""`` for nobody: then ``patient/``
    scopes allow nothing.
    """
    by_type: dict[str, list[Entry]] = {}
    scopes = tuple(scopes)
    for text in scopes:
        scope = parse_scope(text)
        if scope is None:
            continue
        for type_ in sorted(RESOURCE_TYPES) if scope.type == "*" else [scope.type]:
            filters = _limit(scope, type_, patient)
            if filters is not None:
                can_write = scope.interactions & WRITING
                is_hook = type_ == "Subscription"
                hidden = CREDENTIALS if is_hook and not can_write else frozenset()
                entry = Entry(type_, filters, scope.interactions, hidden, hidden)
                by_type.setdefault(type_, []).append(entry)
    if policy is not None:
        by_type = {
            type_: [
                both
                for one in policy.entries.get(type_, ())
                for other in entries
                # Scopes ask by R4's parameters, of which the store may have left out some.
                if stands(other, R4, policy.catalogue)
                if (both := _both(one, other)) is not None
            ]
            for type_, entries in by_type.items()
        }
    entries = ordered({type_: found for type_, found in by_type.items() if found})
    known = frozenset({patient} if patient else ())
    broken = policy.glass if policy is not None else None
    glass = narrowed(broken, scopes, profile, patient) if broken is not None else None
    if policy is None:
        return Policy(entries, profile, known, glass)
    return replace(policy, entries=entries, known=known, glass=glass)


def _both(one: Entry, other: Entry) -> Entry | None:
    interactions = one.interactions & other.interactions
    if not interactions:
        return None
    further = tuple(filter_ for filter_ in other.filters if filter_ not in one.filters)
    hidden, fixed = one.hidden | other.hidden, one.fixed | other.fixed
    return Entry(one.type, (*one.filters, *further), interactions, hidden, fixed)


def _limit(scope: Scope, type_: str, patient: str) -> tuple[Filter, ...] | None:
    """What a resource must match by a scope; ``None`` where it allows nothing of the type."""
    filters = _filters(type_, scope.query) if scope.query else ()
    if filters is None or scope.context != "patient":
        return filters
    of, id_ = split_reference(patient)
    if of != "Patient" or not id_:
        return None
    if type_ == _FILE:
        refers = ReferenceFilter("subject", (ReferenceMatch(of, id_, ""),))
        return (HasFilter("Communication", "attachment", refers), *filters)
    if type_ not in member_types(of):
        return None
    return (compartment_filter(type_, [Compartment(of, id_)]), *filters)


def _filters(type_: str, query: str) -> tuple[Filter, ...] | None:
    pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    try:
        parsed = parse_query(type_, pairs)
    except FhirError:
        return None
    is_plain = bool(pairs) and parsed == Query(type_, parsed.filters)
    by_terms = any(map(hangs_on_terminology, parsed.filters))
    return parsed.filters if is_plain and not by_terms else None
