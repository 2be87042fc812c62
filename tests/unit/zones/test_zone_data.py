"""Which zone data is taken, which names are zones of care, and what two releases differ in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from threadwell import zones
from threadwell.zones.sources import ZONE_DATA_VARIABLE


@pytest.fixture
def older(monkeypatch, older_zones: Path) -> zones.ZoneData:
    monkeypatch.setenv(ZONE_DATA_VARIABLE, str(older_zones))
    return zones.current().data


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("2026f", "2026f"),
        ("# version 2025b", "2025b"),
        ("2026za\n", "2026za"),
        ("# version unknown", None),
        ("12026b", None),
        ("", None),
    ],
)
def test_a_release_is_read_where_it_is_named(text, release):
    found = zones.parse_release(text)
    assert (str(found) if found else None) == release


def test_releases_are_in_the_order_of_time():
    names = ["2026f", "2025za", "2026a", "2025z"]
    assert sorted(names, key=zones.parse_release) == ["2025z", "2025za", "2026a", "2026f"]


def test_the_newer_data_is_taken_whoever_has_it(older, monkeypatch):
    assert str(older.release) == "2025b"
    monkeypatch.delenv(ZONE_DATA_VARIABLE)
    there = [one.data.release for one in (zones.package(), zones.machine()) if one]
    assert zones.current().data.release == max(there)
    assert zones.current().data.release > older.release


def test_data_that_does_not_tell_its_release_is_not_taken(monkeypatch, tmp_path):
    monkeypatch.setenv(ZONE_DATA_VARIABLE, str(tmp_path))
    with pytest.raises(zones.NoZoneData, match=ZONE_DATA_VARIABLE):
        zones.current()


def test_a_machine_without_data_goes_by_the_package(monkeypatch):
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    zones.machine.cache_clear()
    try:
        assert zones.machine() is None
        assert zones.package().data.zone("America/Vancouver").name == "America/Vancouver"
    finally:
        zones.machine.cache_clear()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("localtime", "no time zone of a place"),
        ("posixrules", "no time zone of a place"),
        ("Factory", "no time zone of a place"),
        ("right/America/New_York", "no time zone of a place"),
        ("posix/America/New_York", "no time zone of a place"),
        ("america/chicago", "did you mean America/Chicago?"),
        ("America/New York", "did you mean America/New_York?"),
        ("America", "no IANA time zone"),
        ("Mars/Olympus", "no IANA time zone"),
        ("../America/Chicago", "no IANA time zone"),
        ("tzdata.zi", "no IANA time zone"),
        ("leapseconds", "no IANA time zone"),
        ("", "no IANA time zone"),
    ],
)
def test_what_is_no_care_zone_is_refused(name, said):
    with pytest.raises(zones.UnknownZone) as refused:
        zones.current().data.zone(name)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", ["UTC", "US/Eastern", "Etc/GMT+5", "America/Port-au-Prince"])
def test_names_of_zones_that_are_links_or_offsets_are_zones(name):
    assert zones.current().data.zone(name).info.key == name


def test_a_zone_is_the_same_after_it_was_kept():
    zone = zones.current().data.zone("America/Vancouver")
    kept = zones.kept_zone(zones.encode_zone(zone))
    assert kept == zone
    assert kept.info is zone.info


#: A day that moves; one with two midnights by the older rules and one by the newer; one without
#: midnight by the older rules.
_SPANS = [
    ("America/Vancouver", "2026-11-15T07:30", "2026-11-14", "2026-11-15"),
    ("America/Havana", "2026-11-02T04:30", "2026-11-01", "2026-11-02"),
    ("America/Havana", "2027-03-14T04:30", "2027-03-13", "2027-03-14"),
    ("Africa/Casablanca", "2026-09-20T23:30", "2026-09-21", "2026-09-20"),
]


@pytest.mark.parametrize(("name", "moment", "before", "after"), _SPANS)
def test_moments_that_another_release_puts_on_another_day(older, name, moment, before, after):
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    old, new = older.zone(name), zones.package().data.zone(name)
    [span] = zones.differing(old, new, at, at)
    assert (span.old, span.new) == (date.fromisoformat(before), date.fromisoformat(after))
    assert span.start <= at < span.end


def test_moments_that_both_releases_put_on_one_day(older):
    start, end = datetime(2026, 11, 15, 8, tzinfo=UTC), datetime(2026, 11, 16, 6, 59, tzinfo=UTC)
    old, new = (data.zone("America/Vancouver") for data in (older, zones.package().data))
    assert zones.differing(old, new, start, end) == []
    toronto = [data.zone("America/Toronto") for data in (older, zones.package().data)]
    assert zones.differing(*toronto, datetime(2020, 1, 1, tzinfo=UTC), end) == []
