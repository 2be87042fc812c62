"""A dry run shows what the same run would do, and does none of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.encounters import codes

SAMPLE = Path(__file__).resolve().parents[3] / "sample"
HEAD = "sent,from,to,text\n"
PEOPLE = "kind,id,family,given,phone\npatient,lena,Prado,Lena,+12075550111\n"


def row(time: str, text: str = "hello") -> str:
    return f"2025-03-{time},+12075550111,+12075550100,{text}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(PEOPLE)
    return tmp_path


def take(tw: threadwell.Threadwell, *rows: str, **options: Any) -> threadwell.Report:
    Path("messages.csv").write_text(HEAD + "".join(rows))
    return tw.import_messages("messages.csv", people="people.csv", zone="UTC", **options)


def everything(tw: threadwell.Threadwell) -> list[tuple[str, str]]:
    """What is in the store, and in which version."""
    types = ("Patient", "Encounter", "Communication", "Task", "Binary", "Provenance")
    return sorted(
        (f"{type_}/{one['id']}", one["meta"]["versionId"])
        for type_ in types
        for one in tw.search_all(type_)
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_it_shows_is_what_comes_of_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "x.db")
    store = url if kind == "sqlite" else request.getfixturevalue("postgres_url")
    options = {"people": SAMPLE / "people.csv", "zone": "America/New_York"}
    with threadwell.open(store) as tw:
        tried = tw.import_messages(SAMPLE, dry_run=True, **options).outcome
        assert everything(tw) == []
        done = tw.import_messages(SAMPLE, **options)
        assert tried is not None
        assert done.outcome is None
        assert len(tried.made) == done.sessions == len(tw.sessions())
        real = {one.id: one for one in tw.sessions()}
        for one in tried.made:
            other = real[one.id]
            for name in ("status", "patients", "names", "topic", "channels", "start", "messages"):
                assert getattr(one, name) == getattr(other, name), name
            assert one.to_review == other.to_review
            assert one.why == tw.why(one.id)
            assert {why.patient for why in one.why} == set(one.patients)
        assert {why.basis for one in tried.made for why in one.why} >= {"named", "address"}
        assert (tried.changed, tried.superseded, tried.unchanged) == ((), (), 0)
        held = [(one.reason, one.text, one.channel, one.sent) for one in tw.quarantine()]
        assert sorted((o.reason, o.text, o.channel, o.sent) for o in tried.held) == sorted(held)
        again = tw.import_messages(SAMPLE, dry_run=True, **options).outcome
        assert again is not None
        assert (again.made, again.changed, again.superseded) == ((), (), ())
        assert again.unchanged == len(real)


def test_late_messages_change_and_supersede(here: Path) -> None:
    first = [row("08T08:00:00"), row("08T18:00:00"), row("10T08:00:00")]
    late = [row("08T13:00:00"), row("10T08:30:00"), row("12T09:00:00")]
    gap = {"policy": "inactivity-gap", "gap": "6h"}
    with threadwell.open(":memory:") as tw:
        take(tw, *first, **gap)
        before, there = {one.id for one in tw.sessions()}, everything(tw)
        tried = take(tw, *first, *late, dry_run=True).outcome
        assert everything(tw) == there
        take(tw, *first, *late)
        after = {one.id for one in tw.sessions()}
    assert tried is not None
    assert {one.id for one in tried.made} == after - before
    assert {one.id for one in tried.superseded} == before - after
    assert [one.messages for one in tried.changed] == [2, 1]
    assert {one.id for one in tried.changed} == before & after
    assert tried.unchanged == 0


def test_a_message_in_the_middle_changes_its_session(here: Path) -> None:
    with threadwell.open(":memory:") as tw:
        take(tw, row("08T08:00:00"), row("08T09:00:00"))
        tried = take(tw, row("08T08:30:00"), dry_run=True).outcome
    assert tried is not None
    assert [(one.messages, one.names) for one in tried.changed] == [(1, ("Lena Prado",))]


@pytest.mark.parametrize("billed", [False, True])
def test_a_new_cut_is_shown_and_not_made(here: Path, billed: bool) -> None:
    rows = [row("08T08:00:00"), row("08T23:30:00"), row("10T08:00:00"), row("12T08:00:00")]
    with threadwell.open(":memory:") as tw:
        take(tw, *rows)
        if billed:
            last = tw.sessions()[0]
            tag = {"system": codes.BILLED["system"], "code": codes.BILLED["code"]}
            patch = [{"op": "add", "path": "/meta/tag", "value": [tag]}]
            tw.patch_resource("Encounter", last.id, patch)
        before, there = {one.id for one in tw.sessions()}, everything(tw)
        tried = tw.recut(policy="inactivity-gap", gap="12h", dry_run=True).outcome
        assert everything(tw) == there
        tw.recut(policy="inactivity-gap", gap="12h")
        after = {one.id for one in tw.sessions()}
    assert tried is not None
    assert {one.id for one in tried.made} == after - before
    assert {one.id for one in tried.superseded} == before - after
    assert tried.changed == ()
    assert (tried.unchanged, tried.billed) == ((1, 1) if billed else (0, 0))
    assert sum(one.messages for one in tried.made) == (3 if billed else 4)
    assert sum(one.messages for one in tried.superseded) == (3 if billed else 4)
    assert {one.channels for one in tried.superseded} == {("table",)}
    assert {one.status for one in tried.superseded} == {"finished"}


def test_a_new_cut_that_changes_nothing_says_so(here: Path) -> None:
    with threadwell.open(":memory:") as tw:
        take(tw, row("08T08:00:00"), row("10T08:00:00"))
        tried = tw.recut(dry_run=True).outcome
    assert tried is not None
    assert (tried.made, tried.changed, tried.superseded, tried.unchanged) == ((), (), (), 2)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_a_person_has_said_is_a_reason(
    kind: str, here: Path, request: pytest.FixtureRequest
) -> None:
    store = "x.db" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    Path("people.csv").write_text(PEOPLE + "patient,tom,Prado,Tom,\n")
    rows = [row("08T08:00:00"), row("08T09:00:00", "thanks"), row("10T08:00:00")]
    with threadwell.open(store) as tw:
        take(tw, *rows)
        later, first = tw.sessions()
        tom = tw.find_patients("Tom")[0]
        assert [(w.basis, w.messages) for w in tw.why(first.id)] == [("address", 2)]
        tw.about(f"Encounter/{first.id}", [tom.id])
        said = tw.why(first.id)
        assert [(w.name, w.basis, w.by, w.messages) for w in said] == [
            ("Tom Prado", "session", "a person", 2)
        ]
        tried = take(tw, row("08T08:30:00"), dry_run=True).outcome
        assert tried is not None
        # What comes to it goes where the session has gone.
        assert [one.why for one in tried.changed] == [(replace(said[0], messages=3),)]
        anew = tw.recut(policy="per-thread", dry_run=True).outcome
        assert anew is not None
        (one,) = anew.made
        assert {(w.name, w.basis, w.by, w.messages) for w in one.why} == {
            ("Lena Prado", "address", "", 1),
            ("Tom Prado", "session", "a person", 2),
        }
        assert {why for old in anew.superseded for why in old.why} == set()
        tw.about(f"Encounter/{later.id}", [])
        assert [(w.patient, w.basis) for w in tw.why(later.id)] == [("", "session")]


def test_what_no_import_has_made_has_no_reason(here: Path) -> None:
    with threadwell.open(":memory:") as tw:
        take(tw, row("08T08:00:00"))
        lena = tw.find_patients("Lena")[0]
        made = tw.create_resource(
            {
                "resourceType": "Encounter",
                "status": "finished",
                "class": codes.VIRTUAL,
                "subject": {"reference": f"Patient/{lena.id}"},
            }
        )
        assert tw.why(made["id"]) == ()
        assert tw.why("none") == ()
        (imported,) = [one.id for one in tw.sessions() if one.id != made["id"]]
        assert [one.name for one in tw.why(f"Encounter/{imported}")] == ["Lena Prado"]
