"""AccessPolicy resources, as Medplum has them → what they mean for one caller.

``check_policy`` says what is wrong with one; ``compiled`` puts a caller's references in place of
the variables (``%profile``, ``%patient``, and the parameters that an attachment gives). What cannot
be honoured is refused, and never left out in silence: a policy that means less than it says lets
people see too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from threadwell.access.apart import not_about, without
from threadwell.access.policy import CREDENTIALS, WRITING, Entry, Interaction, Policy, ordered
from threadwell.access.standing import own_codes
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import catalogue_of
from threadwell.fhir.search.compartments import COMPARTMENT, OF
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Filter, Query, hangs_on_terminology
from threadwell.fhir.search.references import split_reference

#: Every type.
ANY = "*"
#: What nobody's emergency opens: the record of who saw what.
_NEVER_BROKEN = "AuditEvent"
#: Criteria of one policy, all together.
MAX_ENTRIES = 200

#: Types that Medplum adds to R4's, which its policies name: here those that there are, are an
#: administrator's alone. So an entry of one gives nothing, and takes nothing away.
_MEDPLUMS = frozenset(
    {
        *("AccessPolicy", "Agent", "AsyncJob", "Bot", "BulkDataExport", "ClientApplication"),
        *("DomainConfiguration", "JsonWebKey", "Login", "PasswordChangeRequest", "Project"),
        *("ProjectMembership", "SmartAppLaunch", "User", "UserConfiguration"),
        "UserSecurityRequest",
    }
)
_MEMBERS = frozenset(
    {
        "resourceType",
        "criteria",
        "compartment",
        "readonly",
        "interaction",
        "hiddenFields",
        "readonlyFields",
        "breakGlass",
    }
)
_BYTES = "Binary"
_ALWAYS_SHOWN = frozenset({"resourceType", "id", "meta"})
_VARIABLE = re.compile(r"%([A-Za-z][A-Za-z0-9_-]*)(\.id)?")
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*){0,7}")


class BadPolicy(ValueError):
    """An AccessPolicy that cannot be honoured; the message says where and why."""


def check_policy(policy: Any, bases: frozenset[str] = frozenset()) -> Resource:
    """The AccessPolicy; raises ``BadPolicy`` for what is none, or cannot be honoured.

    ``bases`` are our own, with the search parameters that there are (``catalogue.Home``).
    """
    if not isinstance(policy, dict) or policy.get("resourceType") != "AccessPolicy":
        raise BadPolicy("it is no AccessPolicy: give JSON with that resourceType")
    unknown = set(policy) - {"resourceType", "id", "meta", "name", "resource"}
    if unknown:
        raise BadPolicy(f"AccessPolicy.{min(unknown)[:64]} is not known here")
    name = policy.get("name", "")
    if not isinstance(name, str) or not name.strip():
        raise BadPolicy("AccessPolicy.name must be a text")
    _entries(policy, _Stand(), bases)
    return policy


class Of(NamedTuple):
    """``who`` has the policies, and until when they are as they are (``Policy.lasts``).

    Nothing that is about the patients who are ``apart`` is theirs.
    """

    who: str
    apart: tuple[str, ...] = ()
    lasts: int | None = None


def compiled(
    policies: Sequence[tuple[Resource, Mapping[str, str]]],
    profile: str,
    bases: frozenset[str] = frozenset(),
    of: Of | None = None,
) -> Policy:
    """What policies, each with its parameters, mean for a caller: what any of them allows.

    A parameter is a reference (``Patient/1``) or a text. Raises ``BadPolicy``.
    """
    found: dict[str, list[Entry]] = {}
    broken: dict[str, list[Entry]] = {}
    for policy, parameters in policies:
        variables = {"profile": profile, **parameters}
        for breaks_glass, entry in _entries(policy, variables, bases):
            those = broken if breaks_glass else found
            those.setdefault(entry.type, []).append(entry)
    of = of or Of("")
    bars: tuple[Filter, ...] = ()
    if of.apart:
        found, broken = without(found, of.apart, bases), without(broken, of.apart, bases)
        bars = not_about("Binary", of.apart, bases)
    catalogue = catalogue_of(bases)
    every = [entry for those in (*found.values(), *broken.values()) for entry in those]
    # What needs a look at nothing else is asked first.
    usual = Policy(
        ordered(found),
        profile,
        catalogue=catalogue,
        own=own_codes(every, catalogue),
        bars=bars,
        lasts=of.lasts,
        who=of.who,
    )
    if not broken:
        return usual
    for type_, entries in found.items():
        # In an emergency nothing is written, whatever else they may do.
        reads = [replace(one, interactions=one.interactions - WRITING) for one in entries]
        broken.setdefault(type_, []).extend(reads)
    # What was shown in one is not asked for again by the usual policy.
    glass = replace(usual, entries=ordered(broken), who="")
    return replace(usual, glass=glass)


def variables_of(policy: Resource, bases: frozenset[str] = frozenset()) -> set[str]:
    """The parameters that an attachment of the policy has to give."""
    stand = _Stand()
    _entries(policy, stand, bases)
    return stand.asked - {"profile"}


class _Stand(dict[str, str]):
    """Has some value for every variable: a policy is looked at before it is attached."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - there is always one
        self.asked.add(name)
        return "Patient/0"


def _entries(
    policy: Resource, variables: Mapping[str, str], bases: frozenset[str] = frozenset()
) -> list[tuple[bool, Entry]]:
    """The entries, each with whether it holds for who breaks the glass alone."""
    given = policy.get("resource")
    if not isinstance(given, list) or not given:
        raise BadPolicy("AccessPolicy.resource must name a type at least")
    if len(given) > MAX_ENTRIES:
        raise BadPolicy(f"AccessPolicy.resource has more than {MAX_ENTRIES} entries")
    return [
        (one.get("breakGlass", False), entry)
        for at, one in enumerate(given)
        for entry in _entry(one, f"AccessPolicy.resource[{at}]", variables, bases)
    ]


def _entry(
    given: Any, path: str, variables: Mapping[str, str], bases: frozenset[str]
) -> Iterator[Entry]:
    if not isinstance(given, dict):
        raise BadPolicy(f"{path} must be an object")
    if unknown := set(given) - _MEMBERS:
        name = min(unknown)[:64]
        raise BadPolicy(f"{path}.{name} cannot be honoured here, so the policy is refused")
    type_ = given.get("resourceType")
    if not isinstance(type_, str):
        raise BadPolicy(f"{path}.resourceType must be a text")
    if type_ in _MEDPLUMS:
        return
    if type_ != ANY and type_ not in RESOURCE_TYPES:
        raise BadPolicy(f"{path}.resourceType is no type of R4, and not {ANY}")
    interactions = _interactions(given, path)
    types = sorted(RESOURCE_TYPES) if type_ == ANY else [type_]
    if given.get("breakGlass", False):
        if type_ == _NEVER_BROKEN:
            raise BadPolicy(f"{path}.breakGlass: an emergency opens no {type_}")
        types = [one for one in types if one != _NEVER_BROKEN]
    hidden, fixed = (
        _paths(given, name, type_, path) for name in ("hiddenFields", "readonlyFields")
    )
    asked = [
        *_criteria(given, type_, path, variables),
        *_compartment(given, path, variables),
    ]
    matched = False
    refusal = ""
    for one in types:
        try:
            query = parse_query(one, asked, bases=bases)
        except FhirError as error:
            refusal = str(error)
            continue
        if asked and query != Query(one, query.filters):
            refusal = "it may only ask for what a resource matches"
            continue
        if any(map(hangs_on_terminology, query.filters)):
            refusal = "it names its codes, and no value set or hierarchy of them"
            continue
        matched = True
        if one == _BYTES and _of_bytes(hidden):
            continue  # its content comes by other ways than its JSON
        kept = hidden
        if one == "Subscription" and not interactions & WRITING:
            kept = hidden | CREDENTIALS
        may = interactions - WRITING if one == _BYTES and _of_bytes(fixed) else interactions
        yield Entry(one, query.filters, may, kept, kept | fixed)
    if not matched:
        raise BadPolicy(f"{path}.criteria: {refusal}")


def _interactions(given: Mapping[str, Any], path: str) -> frozenset[Interaction]:
    readonly = given.get("readonly", False)
    if not isinstance(readonly, bool):
        raise BadPolicy(f"{path}.readonly must be true or false")
    named = given.get("interaction")
    if named is None:
        found = frozenset(Interaction)
    elif not isinstance(named, list) or not named or not all(map(_is_interaction, named)):
        known = ", ".join(sorted(Interaction))
        raise BadPolicy(f"{path}.interaction must name some of {known}")
    else:
        found = frozenset(map(Interaction, named))
    breaks_glass = given.get("breakGlass", False)
    if not isinstance(breaks_glass, bool):
        raise BadPolicy(f"{path}.breakGlass must be true or false")
    if breaks_glass and named is not None and found & WRITING:
        raise BadPolicy(f"{path}.breakGlass: in an emergency more is read, and nothing written")
    return found - WRITING if readonly or breaks_glass else found


def _is_interaction(named: Any) -> bool:
    return isinstance(named, str) and named in set(Interaction)


def _criteria(
    given: Mapping[str, Any], type_: str, path: str, variables: Mapping[str, str]
) -> list[tuple[str, str]]:
    text = given.get("criteria", "")
    if not isinstance(text, str):
        raise BadPolicy(f"{path}.criteria must be a text")
    if not text:
        return []
    of, mark, query = text.partition("?")
    if of != type_ or not mark or not query:
        raise BadPolicy(f"{path}.criteria must be {type_}? and what to ask for")

    def value(match: re.Match[str]) -> str:
        name, of_id = match[1], match[2]
        known = variables.get(name)
        if known is None and _HEX.match(name):
            return match[0]
        where = f"{path}.criteria: %{name}"
        return _quoted(_told(known, where), id_only=bool(of_id), where=where)

    pairs = parse_qsl(_VARIABLE.sub(value, query).replace("+", "%2B"), keep_blank_values=True)
    if not pairs:
        raise BadPolicy(f"{path}.criteria asks for nothing")
    return pairs


def _compartment(
    given: Mapping[str, Any], path: str, variables: Mapping[str, str]
) -> list[tuple[str, str]]:
    """What ``compartment`` asks for, as Medplum's policies have it: a Reference, or a variable."""
    if "compartment" not in given:
        return []
    where = f"{path}.compartment"
    to = given["compartment"]
    text = to.get("reference") if isinstance(to, dict) else None
    if not isinstance(text, str) or not text or set(to) - {"reference", "type", "display"}:
        raise BadPolicy(f"{where} must be a reference")
    match = _VARIABLE.fullmatch(text)
    if match is not None and not match[2]:
        text = _told(variables.get(match[1]), f"{where}: {text}")
    type_, _ = split_reference(text)
    if type_ not in OF:
        raise BadPolicy(f"{where} must be of {', '.join(OF)}")
    return [(COMPARTMENT, text)]


def _told(known: str | None, where: str) -> str:
    if known is None:
        raise BadPolicy(f"{where} is given by no parameter")
    return known


def _quoted(value: str, *, id_only: bool, where: str) -> str:
    type_, id_ = split_reference(value)
    if id_only and not type_:
        raise BadPolicy(f"{where}.id is that of a reference")
    text = id_ if id_only else value
    if not text:
        raise BadPolicy(f"{where} is empty")
    # It is one value, whatever stands in it.
    return quote(re.sub(r"([\\,|$])", r"\\\1", text), safe="/")


def _of_bytes(paths: Iterable[str]) -> bool:
    """Whether paths lead to the content of a Binary, which its JSON does not have in the store."""
    return any(path.partition(".")[0] == "data" for path in paths)


def _paths(given: Mapping[str, Any], name: str, type_: str, path: str) -> frozenset[str]:
    found = given.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadPolicy(f"{path}.{name} must be a list of elements")
    for one in found:
        root = one.partition(".")[0]
        if not _PATH.fullmatch(one) or root in _ALWAYS_SHOWN:
            raise BadPolicy(f"{path}.{name} cannot have {one[:64]!r}")
        if type_ == _BYTES and _of_bytes([one]):
            told = "leave the type out, or make the entry readonly"
            raise BadPolicy(f"{path}.{name}: a Binary is its data: {told}")
        if type_ != ANY and all(root not in e.json_names() for e in elements(type_)):
            raise BadPolicy(f"{path}.{name}: {type_} has no element {root[:64]!r}")
    return frozenset(found)
