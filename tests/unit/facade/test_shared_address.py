"""A shared phone, from the file to the record, by Python and by the command, on both stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main

PHONE, OFFICE = "+12125550181", "+12125550100"
PEOPLE = f"""kind,id,family,given,phone,patient,relationship
organization,office,Elm Lane,,{OFFICE},,
patient,liv,Berg,Liv,{PHONE},,
patient,odd,Berg,Odd,{PHONE},,
patient,siv,Berg,Siv,,,
related-person,tor,Berg,Tor,{PHONE},siv,father
"""
MESSAGES = f"""id,sent,from,to,text,thread
1,2024-04-10T08:00:00Z,{PHONE},{OFFICE},My knee hurts,a
2,2024-04-10T09:00:00Z,{OFFICE},{PHONE},Come at ten,a
3,2024-04-10T10:00:00Z,{PHONE},{OFFICE},A rash again,b
"""


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store of each kind, with the messages of the phone in it."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "messages.csv").write_text(MESSAGES)
    url = f"sqlite:///{tmp_path}/store.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    with threadwell.open(url) as tw:
        report = tw.import_messages(
            tmp_path / "messages.csv", people=tmp_path / "people.csv", zone="UTC"
        )
    assert (report.counts.quarantined, report.reviews) == (3, 1)
    return url


def record(tw: threadwell.Threadwell) -> list[tuple[str, str]]:
    """Of each message, in the order of time: who is on the patients' side, and whom it is about."""
    names = {
        f"{type_}/{one['id']}": one["name"][0]["given"][0]
        for type_ in ("Patient", "RelatedPerson")
        for one in tw.search_all(type_)
    }
    children = tw.search_resources(
        "Communication", {"part-of:missing": "false", "_sort": "sent", "_count": "100"}
    )
    out = []
    for child in children:
        ends = [one.get("reference", "") for one in (child["sender"], *child["recipient"])]
        (user,) = [one for one in ends if not one.startswith("Organization/")]
        subject = child.get("subject", {}).get("reference", "")
        out.append((names.get(user, ""), names.get(subject, "")))
    return out


def test_one_question_is_answered_for_all_and_for_less(store: str) -> None:
    with threadwell.open(store) as tw:
        (question,) = tw.reviews()
        assert (question.number, question.addresses) == (3, (PHONE,))
        who = {one.name: one.patient for one in question.candidates}
        assert set(who) == {"Liv Berg", "Odd Berg", "Tor Berg"}
        third = tw.quarantine()[-1].task
        tw.answer_review(third, [who["Tor Berg"]], holds_for="thread")
        report = tw.answer_review(question.task, [who["Odd Berg"]])
        assert (report.answers, report.replayed) == (1, 2)
        assert record(tw) == [("Odd", "Odd"), ("Odd", "Odd"), ("Tor", "Siv")]
        tw.answer_review(question.task, [who["Liv Berg"], who["Odd Berg"]])
        assert record(tw) == [("", ""), ("", ""), ("Tor", "Siv")]
        assert tw.quarantine() == []
        assert tw.verify() == []
        before = record(tw)
        tw.recut(policy="per-thread")
        assert record(tw) == before
        with pytest.raises(threadwell.intake.BadAnswer, match="does not have that address"):
            tw.answer_review(question.task, ["Patient/nobody"])


def test_the_command_lists_it_once_and_answers_it(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*argv: str) -> str:
        assert main([*argv, "--store", store]) == 0
        return capsys.readouterr().out

    listed = run("reviews")
    assert "3 messages" in listed
    assert "1 question;" in listed
    assert listed.count("threadwell answer") == 1
    question: dict[str, Any] = json.loads(run("reviews", "--format", "json"))[0]
    liv = next(one["patient"] for one in question["candidates"] if one["name"] == "Liv Berg")
    held = json.loads(run("quarantine", "--format", "json"))
    assert [one["shared"] for one in held] == [[PHONE]] * 3
    said = run("answer", held[0]["task"], liv.partition("/")[2], "--for", "message")
    assert "1 message placed that had been quarantined, 1 answer taken" in said
    said = json.loads(run("answer", question["task"], liv, "--format", "json"))
    assert (said["replayed"], said["answers"]) == (2, 1)
    assert "Nothing is to be reviewed." in run("reviews")
    assert main(["answer", question["task"], "Patient/siv", "--store", store]) == 1
    assert "does not have that address" in capsys.readouterr().err


def test_the_command_takes_names_and_tells_those_of_references(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with threadwell.open(store) as tw:
        (question,) = tw.reviews()
        ids = {one.name: one.patient for one in question.candidates}

    def refused(*argv: str) -> str:
        assert main(["answer", *argv, "--store", store]) == 1
        return capsys.readouterr().err

    said = refused(question.task, "Nora Lie")
    assert f"does not name Nora Lie: give a name, or the reference ({ids['Liv Berg']} is" in said
    said = refused(question.task, "berg")
    assert said.startswith("threadwell: 3 of those have that name: give the reference of one (")
    assert f"{ids['Tor Berg']} is Tor Berg" in said
    said = refused(question.task, "Patient/siv")
    assert f"it belongs to {', '.join(sorted(ids.values()))} (" in said
    assert f"{ids['Odd Berg']} is Odd Berg" in said
    assert "`threadwell reviews` shows the questions" in refused("cef6243d", ids["Odd Berg"])
    assert main(["answer", question.task, "liv berg", "--store", store]) == 0
    with threadwell.open(store) as tw:
        assert record(tw) == [("Liv", "Liv")] * 2 + [("Liv", "Liv")]
