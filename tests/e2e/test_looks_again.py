"""A mail that a store has without looks is read again with them, as an earlier build read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import threadwell
from threadwell.messages import looks

PEOPLE = (
    "kind,id,family,given,phone,email\n"
    "organization,clinic,Clinic,,,care@clinic.example\n"
    "patient,ana,Prado,Ana,,ana@example.org\n"
)
HEAD = (
    "From: {who}@example.org\nTo: care@clinic.example\nMessage-ID: <{id}@example.org>\n"
    "Date: Wed, 10 Apr 2024 10:00:00 +0000\nSubject: Dose\n"
    "Content-Type: text/{kind}; charset=utf-8\n\n{text}\n"
)


@pytest.fixture
def store(new_store: Callable[[], str]) -> str:
    return new_store()


def take(url: str, folder: Path, *mails: tuple[str, str, str], who: str = "ana") -> list[int]:
    """Import mails (id, kind, text): how many are new, known, held, and completed."""
    people = folder / "people.csv"
    people.write_text(PEOPLE)
    for at, (id_, kind, text) in enumerate(mails):
        mail = HEAD.format(who=who, id=id_, kind=kind, text=text)
        (folder / f"{at}.eml").write_text(mail)
    files = [folder / f"{at}.eml" for at in range(len(mails))]
    with threadwell.open(url) as tw:
        report = tw.import_messages(files, people=people, zone="America/New_York")
    counts = report.counts
    return [counts.new, counts.known, counts.quarantined, report.completed]


def stored(url: str) -> dict[str, tuple[str, list[str]]]:
    """The text and the notes of each message, by its id."""
    with threadwell.open(url) as tw:
        every = tw.search_all("Communication", {"part-of:missing": "false"})
        return {
            one["id"]: (
                one["payload"][0]["contentString"],
                [note["text"] for note in one.get("note", ())],
            )
            for one in every
        }


def test_looks_complete_what_is_there(store: str, tmp_path: Path) -> None:
    assert take(store, tmp_path, ("1", "plain", "Take 10 mg 51/2 mg")) == [1, 0, 0, 0]
    (id_,) = stored(store)
    html = ("1", "html", "Take <s>10 mg</s> 5<sup>1</sup>/<sub>2</sub> mg")
    assert take(store, tmp_path, html) == [0, 1, 0, 1]
    text, notes = "Take ~~10 mg~~ 5\u202f¹/₂ mg", ["text taken from HTML", looks.NOTE]
    assert stored(store) == {id_: (text, notes)}
    for mail in (html, ("1", "plain", "Take 10 mg 51/2 mg")):
        assert take(store, tmp_path, mail) == [0, 1, 0, 0]
    assert stored(store) == {id_: (text, notes)}


def test_words_that_nobody_saw_stay_where_they_are(store: str, tmp_path: Path) -> None:
    plain, html = "Preview 1\n\nTake 10 mg", "<p hidden>Preview 1</p><p>Take <s>10 mg</s></p>"
    assert take(store, tmp_path, ("1", "plain", plain)) == [1, 0, 0, 0]
    before = stored(store)
    assert take(store, tmp_path, ("1", "html", html)) == [0, 1, 0, 1]
    (id_,) = before
    assert stored(store) == {id_: (plain, ["text taken from HTML"])}
    assert take(store, tmp_path, ("1", "html", html)) == [0, 1, 0, 0]
    assert take(store, tmp_path, ("2", "html", html)) == [1, 0, 0, 0]
    notes = ["text taken from HTML", looks.NOTE, looks.HID]
    assert [*stored(store).values()][-1] == ("Take ~~10 mg~~", notes)
    assert take(store, tmp_path, ("2", "html", html)) == [0, 1, 0, 0]


def test_what_waits_is_known_too(store: str, tmp_path: Path) -> None:
    """With signs, with words that nobody saw, and with signs that somebody has typed."""
    plain = [
        ("1", "plain", "Take 10 mg"),
        ("2", "plain", "Preview\n\nTake 5 mg"),
        ("3", "plain", "10 mg to the m²"),
    ]
    html = [
        ("3", "html", "<s>10 mg</s> to the m²"),
        ("1", "html", "<p>Take <s>10 mg</s></p>"),
        ("2", "html", "<p hidden>Preview</p><p>Take 5 mg</p>"),
    ]
    for mails in (plain, html, plain, html):
        assert take(store, tmp_path, *mails, who="bo")[:3] == [0, 0, 3]
        with threadwell.open(store) as tw:
            assert len(tw.quarantine()) == 3


def test_messages_of_one_id_stay_what_they_are(store: str, tmp_path: Path) -> None:
    plain = [("1", "plain", "One 10 mg to the m²"), ("1", "plain", "Two 109/L of it all")]
    html = [
        ("1", "html", "One <s>10 mg</s> to the m²"),
        ("1", "html", "Two 10<sup>9</sup>/L of it all"),
    ]
    assert take(store, tmp_path, *plain) == [2, 0, 0, 0]
    before = stored(store)
    assert take(store, tmp_path, *html) == [0, 2, 0, 2]
    texts = {"One 10 mg to the m²": "One ~~10 mg~~ to the m²"}
    texts["Two 109/L of it all"] = "Two 10⁹/L of it all"
    after = {id_: text for id_, (text, _) in stored(store).items()}
    assert after == {id_: texts[text] for id_, (text, _) in before.items()}
    for mails in (html, plain):
        assert take(store, tmp_path, *mails) == [0, 2, 0, 0]
    assert after == {id_: text for id_, (text, _) in stored(store).items()}
