"""A newer release of the zone data has other days for messages that are stored."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stem
import threadwell
from threadwell.cli import main
from threadwell.intake import OlderZoneData, parse_zone
from threadwell.zones.sources import ZONE_DATA_VARIABLE

PEOPLE = """kind,id,family,given,phone
organization,office,Kestrel Bay Clinic,,+1 250-555-0100
patient,ida,Moreau,Ida,+1 250-555-0111
"""
#: Three evenings and nights in Vancouver; by 2026f clocks stay at seven hours behind UTC.
ROWS = {
    "evening": "2026-11-14T20:00:00Z",
    "night": "2026-11-15T07:30:00Z",
    "morning": "2026-11-15T17:00:00Z",
    "summer": "2026-07-01T06:30:00Z",
}


@pytest.fixture
def older(monkeypatch, older_zones: Path):
    """Go by the release 2025b until it is called: then by the newest."""
    monkeypatch.setenv(ZONE_DATA_VARIABLE, str(older_zones))
    return lambda: monkeypatch.delenv(ZONE_DATA_VARIABLE)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "practice.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def take(store, tmp_path):
    """Import some of the rows."""
    (tmp_path / "people.csv").write_text(PEOPLE)

    def import_(*names: str, **options):
        table = tmp_path / f"{'-'.join(names)}.csv"
        rows = [f"{name},{ROWS[name]},+1 250-555-0111,+1 250-555-0100,{name}" for name in names]
        table.write_text("\n".join(["id,sent,from,to,text", *rows]) + "\n")
        with threadwell.open(store) as tw:
            zone = options.pop("zone", "America/Vancouver")
            return tw.import_messages(table, people=tmp_path / "people.csv", zone=zone, **options)

    return import_


def days(store: str) -> list[tuple[str, int]]:
    """The live sessions: their day, out of the identifier, and how many messages they have."""
    with threadwell.open(store) as tw:
        made = [(tw.read_resource("Encounter", one.id), one.messages) for one in tw.sessions()]
    return sorted((body["identifier"][0]["value"].rpartition("|")[2], n) for body, n in made)


OLD = [("2026-11-14", 2), ("2026-11-15", 1)]
NEW = [("2026-11-14", 1), ("2026-11-15", 2)]


def test_nothing_moves_until_somebody_says_so(older, store, take):
    take("evening", "night", "morning")
    assert days(store) == OLD
    older()
    with threadwell.open(store) as tw:
        report = tw.zones()
        [moved] = report.days.waiting
        assert (str(moved.old), str(moved.new), moved.messages) == ("2026-11-14", "2026-11-15", 1)
        [finding] = tw.verify()
        assert (finding.severity, finding.rule) == ("warning", "zone-data")
        assert finding.resource == moved.encounter
    take("summer")
    assert days(store) == [("2026-06-30", 1), *OLD]


def test_a_late_message_goes_by_the_days_of_its_store(older, store, take):
    take("evening", "morning")
    older()
    take("night")
    assert days(store) == NEW, "nothing would have moved, so the newer rules were taken"


def test_a_late_message_does_not_shuffle_finished_sessions(older, store, take):
    take("night", "morning")
    older()
    take("evening")
    assert days(store) == OLD


def test_a_new_cut_moves_them_and_says_why(older, store, take):
    take("evening", "night", "morning")
    older()
    with threadwell.open(store) as tw:
        tw.recut()
        assert days(store) == NEW
        assert tw.verify() == []
        assert not tw.zones().days.moved
        reasons = {
            reason["text"]
            for one in tw.search_resources("Provenance")
            for reason in one.get("reason", ())
            if one["activity"]["coding"][0]["code"] == "NULLIFY"
        }
    take("evening", "night", "morning")
    assert days(store) == NEW
    assert all("zone data 2025b, now 2026" in text for text in reasons)


def test_the_same_as_if_it_had_been_so_from_the_beginning(older, store, take, tmp_path):
    take("evening", "night", "morning")
    older()
    with threadwell.open(store) as tw:
        tw.recut()
        ours = {one.id for one in tw.sessions()}
    with threadwell.open(tmp_path / "fresh.db") as tw:
        tw.import_messages(
            tmp_path / "evening-night-morning.csv",
            people=tmp_path / "people.csv",
            zone="America/Vancouver",
        )
        assert {one.id for one in tw.sessions()} == ours


def test_a_billed_session_stays(older, store, take):
    take("evening", "night", "morning")
    lock = {"system": "https://threadwell.dev/fhir/CodeSystem/lock", "code": "billed"}
    with threadwell.open(store) as tw:
        [billed] = [one for one in tw.sessions() if one.messages == 2]
        tw.patch_resource(
            "Encounter", billed.id, [{"op": "add", "path": "/meta/tag", "value": [lock]}]
        )
    older()
    with threadwell.open(store) as tw:
        [moved] = tw.zones().days.moved
        assert moved.locked
        assert not tw.zones().days.waiting
        tw.recut()
    assert days(store) == OLD


def test_an_import_by_older_data_is_refused(older, store, take, older_zones, monkeypatch):
    older()
    take("evening")
    monkeypatch.setenv(ZONE_DATA_VARIABLE, str(older_zones))
    with pytest.raises(OlderZoneData, match=r"cut by zone data 2026\w, and here is only 2025b"):
        take("night")
    assert days(store) == [("2026-11-14", 1)]


@pytest.mark.parametrize(
    ("policy", "gap"), [("per-thread", None), ("inactivity-gap", "6h")], ids=lambda x: str(x)
)
def test_sessions_that_are_not_cut_by_days_do_not_wait(older, store, take, policy, gap):
    take("evening", "night", "morning", policy=policy, gap=gap)
    before = days(store)
    older()
    with threadwell.open(store) as tw:
        assert not tw.zones().days.moved
    take("evening")
    assert days(store) == before


def test_what_is_no_zone_of_care_is_a_bad_setting():
    with pytest.raises(threadwell.intake.BadSetting, match="no time zone of a place"):
        parse_zone("localtime")


def test_the_command_lists_what_would_move(older, store, take, capsys):
    take("evening", "night", "morning")
    older()
    assert main(["zones", "--store", store]) == 1
    shown = capsys.readouterr().out
    assert "days cut by 2025b" in shown
    assert "Encounter/" in shown
    assert "1 session would move" in shown
    assert main(["zones", "--store", store, "--format", "json"]) == 1
    [moved] = json.loads(capsys.readouterr().out)["moved"]
    assert (moved["day"], moved["becomes"], moved["messages"]) == ("2026-11-14", "2026-11-15", 1)
    assert main(["recut", "--store", store]) == 0
    assert main(["zones", "--store", store]) == 0
    assert "No session has other days" in capsys.readouterr().out


def test_a_server_says_at_its_start_what_waits(older, take, tmp_path, store):
    take("evening", "night", "morning")
    older()
    command = [sys.executable, "-m", "threadwell", "serve", "--store", store, "--port", "0"]
    with stem.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        lines = []
        for line in server.stdout:
            lines.append(line.decode())
            if "Ctrl-C" in lines[-1]:
                server.terminate()
    assert any(re.search(r"zone data 2026\w has other days for .*Encounter/", one) for one in lines)
