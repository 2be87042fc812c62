"""Which of somebody's grants hold now, by their days and by the age of patients.

The age that a practice has chosen is kept beside its policies, and read with them. A patient is
looked at where a grant hangs on an age, and at no other time; so a birth date that is put right
holds for the next request, as does the day itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import msgspec

from threadwell.access.of_age import BadAge, day_of_age, parse_age, patients, stood_for
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import split_reference
from threadwell.intake.care_zone import care_zone
from threadwell.stores.contract import Key, Store, Stored

POLICY = "access-policy"
#: Patients who became one, and what they became, that are followed.
_MERGES = 5
#: Versions of patients that are remembered, with what is looked at of them.
_MOST = 10_000
_BORN: dict[tuple[str, str, bytes], _Born] = {}


class Grant(msgspec.Struct, frozen=True):
    """A policy by its id, with what its variables stand for: a reference, or a text.

    ``until`` is when it ends, in milliseconds since 1970 UTC; 0 for never. ``age`` is the age in
    years that it hangs on, 0 for the one that the practice has chosen. One ``from_age`` begins on
    the day on which the patient is of that age; another, of somebody who stands for the patient,
    ends on it.
    """

    policy: str
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    until: int = 0
    age: int = 0
    from_age: bool = False


class Held(NamedTuple):
    """A grant and whether it ``holds`` now.

    ``begins`` and ``ends`` are the days that the age gives it, in the care time zone, each ``None``
    where the age gives it none. ``unknown``: it hangs on an age, and there is no age or no birth
    date.
    """

    grant: Grant
    holds: bool
    begins: date | None = None
    ends: date | None = None
    unknown: bool = False


class Holding(NamedTuple):
    """What somebody's grants are now.

    ``apart`` are the patients who are of age, and whom the others are not about any more. What
    ``hangs`` on an age may change without anything being told.
    """

    grants: tuple[Held, ...]
    apart: tuple[str, ...] = ()
    hangs: bool = False


class _Born(NamedTuple):
    birth_date: str
    became: str


def age_name(project: str) -> str:
    """The name under which the age is kept; no policy has such a one (``project/id``)."""
    return f"{project}#of-age"


def read_age(kept: bytes | None) -> int:
    """The years, 0 for none."""
    return int(kept) if kept else 0


async def chosen_age(store: Store, project: str) -> int:
    """The age in years that a practice has chosen; 0 for none."""
    return read_age(await store.get_private(POLICY, age_name(project)))


async def keep_age(store: Store, project: str, years: int) -> None:
    """Choose an age in years, 0 for none; raises ``BadAge``."""
    if years:
        parse_age(str(years))
    kept = str(years).encode() if years else None
    await store.put_private(POLICY, age_name(project), kept)


def may_hang(profile: str, grants: Iterable[Grant]) -> bool:
    """Whether any of somebody's grants hangs on an age, where one is chosen."""
    return any(_whom(one, profile) for one in grants)


def check_grant(grant: Grant, profile: str, chosen: int) -> None:
    """Raise ``BadAge`` for a grant that says of an age what cannot be meant."""
    if grant.age:
        parse_age(str(grant.age))
    if not (grant.age or grant.from_age):
        return
    if not _whom(grant, profile):
        raise BadAge("it names no patient whose age it could hang on: --with patient=Patient/…")
    if not (grant.age or chosen):
        raise BadAge("no age is chosen: `threadwell policy age 18`, or --age with the grant")


async def holding(
    store: Store, project: str, profile: str, grants: Sequence[Grant], chosen: int, now: int
) -> Holding:
    """What grants are ``now``, in milliseconds; ``chosen`` is the age of the practice."""
    whom = [_whom(one, profile) if one.age or chosen or one.from_age else [] for one in grants]
    if not any(whom):
        return Holding(tuple([Held(one, not one.until or now < one.until) for one in grants]))
    known = await _born(store, project, {who for some in whom for who in some})
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(await care_zone(store)).date()
    held: list[Held] = []
    of_age, stay = set[str](), set[str]()
    for grant, some in zip(grants, whom, strict=True):
        one, gone = _held(grant, some, grant.age or chosen, known, today, now)
        held.append(one)
        of_age.update(gone)
        if one.holds and some and not gone:
            stay.update(known_as for who in some for known_as, _ in known[who])
    return Holding(tuple(held), tuple(sorted(of_age - stay)), hangs=True)


def _whom(grant: Grant, profile: str) -> list[str]:
    if grant.from_age:
        mine = [profile] if profile.startswith("Patient/") else []
        return patients(grant.parameters) or mine
    return stood_for(grant.policy, profile, grant.parameters, own=bool(grant.age))


def _held(
    grant: Grant,
    whom: Sequence[str],
    years: int,
    known: Mapping[str, Sequence[tuple[str, str]]],
    today: date,
    now: int,
) -> tuple[Held, set[str]]:
    """The grant as it is, and those for whom it stands no more, being of age."""
    lasts = not grant.until or now < grant.until
    if not whom:
        return Held(grant, lasts), set()
    last = grant.from_age
    days = {
        who: [day_of_age(born, years, last=last) for _, born in known[who]] if years else [None]
        for who in whom
    }
    every = [day for some in days.values() for day in some]
    sure = [day for day in every if day is not None]
    unknown = len(sure) < len(every)
    if grant.from_age:
        begins = max(sure) if not unknown else None
        holds = lasts and begins is not None and begins <= today
        return Held(grant, holds, begins=begins, unknown=unknown), set()
    if grant.until and not grant.age and lasts:
        # Its own day is what somebody has decided for this patient.
        return Held(grant, True), set()
    gone = {
        known_as
        for who, some in days.items()
        if any(day is None or day <= today for day in some)
        for known_as, _ in known[who]
    }
    ends = min(sure) if sure else None
    return Held(grant, lasts and not gone, ends=ends, unknown=unknown), gone


async def _born(
    store: Store, project: str, whom: Iterable[str]
) -> dict[str, list[tuple[str, str]]]:
    """Patients and whom they were merged into, each with its birth date, ``""`` if unknown."""
    out: dict[str, list[tuple[str, str]]] = {who: [] for who in whom}
    asked = {who: who for who in out}
    for _ in range(_MERGES):
        keys = {now: Key(*split_reference(now)) for now in asked.values()}
        found = await store.read_many(project, list(keys.values()))
        further: dict[str, str] = {}
        for who, now in asked.items():
            born = _look(found.get(keys[now]))
            if born.became and born.became != now:
                further[who] = born.became
                # Whoever was merged has the birth date of whom they became.
                out[who].append((now, ""))
            else:
                out[who].append((now, born.birth_date))
        if not further:
            break
        asked = further
    return {who: _as_last(some) for who, some in out.items()}


def _as_last(some: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, some[-1][1]) for name, _ in some]


def _look(stored: Stored | None) -> _Born:
    if stored is None or stored.deleted:
        return _Born("", "")
    place = stored.id, stored.version_id, stored.body
    born = _BORN.get(place)
    if born is None:
        body: Resource = decode(stored.body)
        born = _Born(body.get("birthDate", ""), _became(body.get("link", ())))
        if len(_BORN) >= _MOST:
            _BORN.clear()
        _BORN[place] = born
    return born


def _became(links: Iterable[Mapping[str, Any]]) -> str:
    for link in links:
        reference = link.get("other", {}).get("reference", "")
        if link.get("type") == "replaced-by" and reference.startswith("Patient/"):
            return str(reference)
    return ""
