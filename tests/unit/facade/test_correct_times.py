"""Times that were read in a wrong zone are put right by reading the files again."""

from __future__ import annotations

import pytest

import threadwell
from threadwell.encounters.superseded import RETIMED
from threadwell.facade import importing
from threadwell.facade.importing import OtherChoice
from threadwell.intake.choices import Choices

PEOPLE = """kind,id,family,given,phone,chat
organization,clinic,Clinic,,+1 207-555-0100,whatsapp:Clinic
patient,ana,Prado,Ana,+1 207-555-0111,whatsapp:Ana
"""
CHAT = """3/5/24, 11:30 PM - Ana: Late
3/20/24, 9:05 AM - Clinic: Thanks
"""
TABLE = """id,sent,from,to,text
1,2024-03-05T23:30:00,+1 207-555-0111,+1 207-555-0100,Late
2,2024-03-20T09:05:00-04:00,+1 207-555-0100,+1 207-555-0111,Thanks
"""


class Killed(Exception):
    """The end of a process."""


@pytest.fixture(params=["chat", "table"])
def practice(request, tmp_path):
    """A store whose one message without a zone was read in that of London."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    export = tmp_path / ("WhatsApp Chat with Ana.txt" if request.param == "chat" else "m.csv")
    export.write_text(CHAT if request.param == "chat" else TABLE)
    with threadwell.open(tmp_path / "practice.db") as tw:
        people = tmp_path / "people.csv"
        tw.import_messages(export, people=people, zone="Europe/London", policy="inactivity-gap")
        yield tw, export


def sent(tw):
    found = tw.search_resources("Communication", {"part-of:missing": "false", "_sort": "sent"})
    return [one["sent"] for one in found if one["status"] != "entered-in-error"]


def test_another_zone_is_refused_and_the_way_is_told(practice):
    tw, export = practice
    with pytest.raises(OtherChoice, match=r"moves no time .* --correct-times"):
        tw.import_messages(export, zone="America/New_York")
    assert sent(tw)[0] == "2024-03-05T23:30:00Z"


def test_the_files_are_read_again(practice):
    tw, export = practice
    before = tw.search_resources("Encounter")
    report = tw.import_messages(export, zone="America/New_York", correct_times=True)
    assert (report.counts.new, report.counts.known) == (0, 2)
    assert report.retimed == (2 if export.suffix == ".txt" else 1)
    assert sent(tw) == ["2024-03-06T04:30:00Z", "2024-03-20T13:05:00Z"]
    after = [one for one in tw.search_resources("Encounter") if one["status"] == "finished"]
    assert sorted(one["period"]["start"] for one in after) == sent(tw)
    assert len(after) == len(before) == 2
    assert tw.care_zone.key == "America/New_York"
    assert not tw.verify()
    again = tw.import_messages(export)
    assert (again.counts.known, again.retimed, again.superseded) == (2, 0, 0)


def test_each_message_says_that_its_time_was_put_right(practice):
    tw, export = practice
    report = tw.import_messages(export, zone="America/New_York", correct_times=True)
    told = [
        one
        for one in tw.search_resources("Provenance", {"_count": "100"})
        if one["reason"][0]["text"] == RETIMED
    ]
    assert len(told) == report.retimed
    for one in told:
        (source,) = [entity["what"]["reference"] for entity in one["entity"]]
        type_, id_, _, version = source.split("/")
        assert one["target"] == [{"reference": f"{type_}/{id_}"}]
        before = tw.request("GET", f"{type_}/{id_}/_history/{version}")
        assert before["sent"] != tw.read_resource(type_, id_)["sent"]


def test_a_dry_run_tells_of_it_and_changes_nothing(practice):
    tw, export = practice
    before = sent(tw), [one["id"] for one in tw.search_resources("Encounter")]
    report = tw.import_messages(export, zone="America/New_York", correct_times=True, dry_run=True)
    assert report.retimed == (2 if export.suffix == ".txt" else 1)
    assert (sent(tw), [one["id"] for one in tw.search_resources("Encounter")]) == before
    assert tw.care_zone.key == "Europe/London"
    with pytest.raises(OtherChoice):
        tw.import_messages(export, zone="America/New_York")


def test_killed_half_way_it_is_taken_up_again(practice, monkeypatch):
    tw, export = practice

    async def killed(*_arguments, **_options):
        raise Killed

    with monkeypatch.context() as patch:
        # The times are right by then, and the days are not yet cut anew.
        patch.setattr(importing, "_recut", killed)
        with pytest.raises(Killed):
            tw.import_messages(export, zone="America/New_York", correct_times=True)
    with monkeypatch.context() as patch:
        patch.setattr(importing, "import_messages", killed)
        with pytest.raises(Killed):
            tw.import_messages(export, zone="America/New_York", correct_times=True)
    tw.import_messages(export, zone="America/New_York", correct_times=True)
    assert sent(tw) == ["2024-03-06T04:30:00Z", "2024-03-20T13:05:00Z"]
    live = [one for one in tw.search_resources("Encounter") if one["status"] == "finished"]
    assert sorted(one["period"]["start"] for one in live) == sent(tw)
    assert tw.verify() == []
    again = tw.import_messages(export)
    assert (again.counts.known, again.retimed, again.superseded) == (2, 0, 0)


MAIL = """From: ana@example.org
To: clinic@example.org
Subject: Late
Date: Tue, 5 Mar 2024 23:30:00
{id}
Late
"""


@pytest.mark.parametrize("id_", ["", "Message-ID: <late@example.org>\n"])
def test_a_mail_whose_date_names_no_zone(tmp_path, id_):
    people = tmp_path / "people.csv"
    people.write_text(
        "kind,id,family,given,email\norganization,clinic,Clinic,,clinic@example.org\n"
        "patient,ana,Prado,Ana,ana@example.org\n"
    )
    export = tmp_path / "late.eml"
    export.write_text(MAIL.format(id=id_))
    with threadwell.open(tmp_path / "practice.db") as tw:
        tw.import_messages(export, people=people, zone="Europe/London")
        assert sent(tw) == ["2024-03-05T23:30:00Z"]
        report = tw.import_messages(export, zone="America/New_York", correct_times=True)
        assert (report.counts.known, report.retimed) == (1, 1)
        assert sent(tw) == ["2024-03-06T04:30:00Z"]
        assert tw.verify() == []


def test_other_choices_are_still_refused(practice):
    tw, export = practice
    with pytest.raises(OtherChoice, match="policy inactivity-gap, not per-day"):
        tw.import_messages(
            export, zone="America/New_York", policy=Choices().policy, correct_times=True
        )
