"""Times that were read in a wrong zone are put right by reading the files again."""

from __future__ import annotations

import pytest

import threadwell
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


def test_other_choices_are_still_refused(practice):
    tw, export = practice
    with pytest.raises(OtherChoice, match="policy inactivity-gap, not per-day"):
        tw.import_messages(
            export, zone="America/New_York", policy=Choices().policy, correct_times=True
        )
