"""On which day somebody is of an age, and which grants hold then."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from threadwell import zones
from threadwell.access.grants import Grant, Holding, check_grant, holding
from threadwell.access.of_age import BadAge, day_of_age, parse_age
from threadwell.fhir.stamp import stamp
from threadwell.intake.care_zone import keep_care_zone
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write
from threadwell.stores.memory import MemoryStore

LEO, MIA = "Patient/leo", "Patient/mia"
MOTHER = "RelatedPerson/mother"


@pytest.mark.parametrize(
    ("born", "years", "first", "last"),
    [
        ("2008-05-04", 18, "2026-05-04", "2026-05-04"),
        ("2012-12-31", 14, "2026-12-31", "2026-12-31"),
        # Born on a day that the year does not have, and on one that it has.
        ("2008-02-29", 18, "2026-03-01", "2026-03-01"),
        ("2008-02-29", 16, "2024-02-29", "2024-02-29"),
        # Of a date that is not whole, the first and the last day that may be meant.
        ("2008-05", 18, "2026-05-01", "2026-05-31"),
        ("2008-02", 18, "2026-02-01", "2026-03-01"),
        ("2007-02", 18, "2025-02-01", "2025-02-28"),
        ("2008", 18, "2026-01-01", "2026-12-31"),
        ("9999", 1, "9999-12-31", "9999-12-31"),
        ("", 18, None, None),
        ("0000", 18, None, None),
        ("2008-13", 18, None, None),
        ("2009-02-29", 18, None, None),
        ("2008-05-04T00:00:00Z", 18, None, None),
    ],
)
def test_the_day(born: str, years: int, first: str | None, last: str | None) -> None:
    found = day_of_age(born, years), day_of_age(born, years, last=True)
    assert found == tuple(date.fromisoformat(one) if one else None for one in (first, last))


@pytest.mark.parametrize("text", ["0", "26", "-1", "x", "", "1.5", "٣", "9" * 5000])
def test_no_age(text: str) -> None:
    with pytest.raises(BadAge):
        parse_age(text)


def test_ages() -> None:
    assert [parse_age(one) for one in ("1", "12", "25", "none")] == [1, 12, 25, 0]


def held(
    grants: list[Grant],
    at: str,
    *,
    profile: str = MOTHER,
    years: int = 18,
    zone: str = "UTC",
    store: Store | None = None,
    **born: Any,
) -> Holding:
    """What grants are at a time (of UTC, with seconds), of patients of these birth dates."""
    now = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000)

    async def asked() -> Holding:
        there = store or MemoryStore()
        for id_, birth_date in born.items():
            more = birth_date if isinstance(birth_date, dict) else {"birthDate": birth_date}
            await put(there, id_, more)
        await keep_care_zone(there, zones.current().data.zone(zone))
        return await holding(there, DEFAULT_PROJECT, profile, grants, years, now)

    return asyncio.run(asked())


async def put(store: Store, id_: str, more: dict[str, Any]) -> None:
    before = await store.read(DEFAULT_PROJECT, "Patient", id_)
    version = f"{id_}-{0 if before is None else int(before.version_id.rpartition('-')[2]) + 1}"
    stamped, body = stamp({"resourceType": "Patient", **more}, id_, version, 1)
    write = Write("Patient", id_, version, 1, stamped, body, before)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


def for_(*who: str, **more: Any) -> list[Grant]:
    return [Grant("proxy", {"patient": one}, **more) for one in who]


@pytest.mark.parametrize(
    ("zone", "before", "from_"),
    [
        ("UTC", "2026-05-03T23:59:59", "2026-05-04T00:00:00"),
        ("America/New_York", "2026-05-04T03:59:59", "2026-05-04T04:00:00"),
        ("Pacific/Auckland", "2026-05-03T11:59:59", "2026-05-03T12:00:00"),
        ("Asia/Kolkata", "2026-05-03T18:29:59", "2026-05-03T18:30:00"),
    ],
)
def test_midnight_is_that_of_the_care_time_zone(zone: str, before: str, from_: str) -> None:
    mine = [Grant("patient", {}, from_age=True)]
    for at, minor in ((before, True), (from_, False)):
        found = held(for_(LEO), at, zone=zone, leo="2008-05-04")
        assert [one.holds for one in found.grants] == [minor]
        assert found.apart == (() if minor else (LEO,))
        assert found.grants[0].ends == date(2026, 5, 4)
        own = held(mine, at, profile=LEO, zone=zone, leo="2008-05-04")
        assert [one.holds for one in own.grants] == [not minor]
        assert own.grants[0].begins == date(2026, 5, 4)
        assert own.apart == ()


def test_a_day_that_begins_late() -> None:
    """In Beirut the clock went from midnight to one on 29 March 2026."""
    for at, minor in (("2026-03-28T21:59:59", True), ("2026-03-28T22:00:00", False)):
        found = held(for_(LEO), at, zone="Asia/Beirut", leo="2008-03-29")
        assert found.grants[0].holds is minor


MILLISECONDS_2040 = 2_208_988_800_000
DAY = "2026-05-04T12:00:00"


@pytest.mark.parametrize(
    ("grants", "profile", "born", "holds", "apart"),
    [
        # Of a birth date that is not whole neither sees what may not be theirs yet, or any more.
        (for_(LEO), MOTHER, "2008", [False], (LEO,)),
        ([Grant("patient", {}, from_age=True)], LEO, "2008", [False], ()),
        (for_(LEO), MOTHER, "2009", [True], ()),
        ([Grant("patient", {}, from_age=True)], LEO, "2007", [True], ()),
        # Nor of one that is unknown, or of somebody who is not there.
        (for_(LEO), MOTHER, {}, [False], (LEO,)),
        ([Grant("patient", {}, from_age=True)], LEO, {}, [False], ()),
        (for_("Patient/nobody"), MOTHER, "2020", [False], ("Patient/nobody",)),
        # Its own day holds whatever the age, and its own age in place of the practice's.
        (for_(LEO, until=MILLISECONDS_2040), MOTHER, "1990-01-01", [True], ()),
        (for_(LEO, until=1), MOTHER, "2020-01-01", [False], ()),
        (for_(LEO, until=1), MOTHER, "1990-01-01", [False], (LEO,)),
        (for_(LEO, age=14), MOTHER, "2012-05-04", [False], (LEO,)),
        (for_(LEO, age=14), MOTHER, "2012-05-05", [True], ()),
        (for_(LEO, age=21), MOTHER, "2006-01-01", [True], ()),
        (for_(LEO, age=14, until=MILLISECONDS_2040), MOTHER, "2000", [False], (LEO,)),
        ([Grant("patient", {}, age=14, from_age=True)], LEO, "2012-05-04", [True], ()),
        # A second grant that stays keeps the patient in sight.
        (
            [*for_(LEO), Grant("own", {"patient": LEO}, until=MILLISECONDS_2040)],
            MOTHER,
            "1990",
            [False, True],
            (),
        ),
        # Whoever treats the patient, or is the patient, does not stand for them.
        ([Grant("care-team", {"patient": LEO})], "Practitioner/bell", "1990", [True], ()),
        ([Grant("patient", {})], LEO, "1990", [True], ()),
        ([Grant("x", {"patient": LEO})], LEO, "1990", [True], ()),
        # Somebody who stands for them by whatever policy, variable and profile.
        ([Grant("x", {"child": LEO})], MOTHER, "1990", [False], (LEO,)),
        ([Grant("x", {"child": LEO})], "Patient/mother", "1990", [False], (LEO,)),
        (for_(LEO), "ClientApplication/app", "1990", [False], (LEO,)),
    ],
)
def test_what_holds(
    grants: list[Grant], profile: str, born: Any, holds: list[bool], apart: tuple[str, ...]
) -> None:
    found = held(grants, DAY, profile=profile, leo=born)
    assert ([one.holds for one in found.grants], found.apart) == (holds, apart)


def test_of_two_children_one_is_of_age() -> None:
    found = held(for_(LEO, MIA), DAY, leo="2008-05-04", mia="2015")
    assert ([one.holds for one in found.grants], found.apart) == ([False, True], (LEO,))


def test_where_no_age_is_chosen_nothing_is_looked_at() -> None:
    found = held(for_(LEO), DAY, years=0, leo="1990")
    assert ([one.holds for one in found.grants], found.apart, found.hangs) == ([True], (), False)
    # What begins with an age does not, while there is none.
    mine = held([Grant("patient", {}, from_age=True)], DAY, profile=LEO, years=0, leo="1990")
    assert ([one.holds for one in mine.grants], mine.grants[0].unknown) == ([False], True)


def test_a_birth_date_that_is_put_right_and_a_patient_who_is_merged() -> None:
    store = MemoryStore()
    assert held(for_(LEO), DAY, store=store, leo="2010-01-01").grants[0].holds
    assert not held(for_(LEO), DAY, store=store, leo="2001-01-01").grants[0].holds
    assert held(for_(LEO), DAY, store=store, leo="2011-01-01").grants[0].holds
    link = [{"type": "replaced-by", "other": {"reference": "Patient/kept"}}]
    merged = {"birthDate": "2011-01-01", "active": False, "link": link}
    found = held(for_(LEO), DAY, store=store, leo=merged, kept="2008-01-01")
    assert ([one.holds for one in found.grants], found.apart) == ([False], ("Patient/kept", LEO))
    # Two who name each other are no end of looking.
    back = [{"type": "replaced-by", "other": {"reference": LEO}}]
    assert not held(for_(LEO), DAY, store=store, kept={"link": back}).grants[0].holds


@pytest.mark.parametrize(
    ("grant", "profile", "chosen", "why"),
    [
        (Grant("patient", {}, from_age=True), LEO, 0, "no age is chosen"),
        (Grant("participant", {}, from_age=True), "Practitioner/1", 18, "no patient"),
        (Grant("participant", {}, age=16), "Practitioner/1", 18, "no patient"),
        (Grant("proxy", {"patient": LEO}, age=26), MOTHER, 18, "1 to 25"),
    ],
)
def test_what_cannot_be_given(grant: Grant, profile: str, chosen: int, why: str) -> None:
    with pytest.raises(BadAge, match=why):
        check_grant(grant, profile, chosen)
