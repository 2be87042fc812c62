"""One message has one id, in every export and under every name of its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ANA, Read, call, me, message, page, sound, them

PLACE = "{} - Text - 2026-11-02T15_04_05Z.html"
FIRST = message(them(), "My knee hurts", "2026-11-02T10:04:05.496-05:00")
ANSWER = message(me(), "Since when?", "2026-11-02T10:04:06.001-05:00")
PICTURE = message(them(), "", "2026-11-02T10:05:00.000-05:00", '<img src="x-1-1" />')
THREAD = page(FIRST, ANSWER, PICTURE)


def ids(read: Read, files: dict[str, str]) -> list[str]:
    return [one.external_id for one in sound(read(files))]


ALIKE: dict[str, Callable[[str], tuple[str, str]]] = {
    "a name in the address book": lambda html: (
        PLACE.format("Ana Prado"),
        html.replace('<span class="fn"></span>', '<span class="fn">Ana Prado</span>'),
    ),
    "a copy of the file": lambda html: (PLACE.format(f"{ANA}").replace(".html", " (1).html"), html),
    "another zone of the account": lambda html: (
        PLACE.format(ANA),
        html.replace("T10:04:05.496-05:00", "T07:04:05.496-08:00"),
    ),
    "from the trash": lambda html: (PLACE.format(ANA), html.replace("False", "True")),
    "another label": lambda html: (PLACE.format(ANA), html.replace("#inbox", "#archived")),
    "the placeholder of a picture": lambda html: (
        PLACE.format(ANA),
        html.replace("<q></q>", "<q>MMS Received</q>"),
    ),
    "blanks": lambda html: (PLACE.format(ANA), html.replace("knee hurts", "knee  hurts<br />")),
}


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE)
def test_it_is_the_same_message(
    read: Read, change: Callable[[str], tuple[str, str]], calls: Path
) -> None:
    before = ids(read, {PLACE.format(ANA): THREAD})
    name, html = change(THREAD)
    (calls / PLACE.format(ANA)).unlink()
    assert html != THREAD or name != PLACE.format(ANA)
    assert ids(read, {name: html}) == before


def test_stretches_that_are_cut_in_another_place(read: Read, calls: Path) -> None:
    before = ids(read, {PLACE.format(ANA): THREAD})
    (calls / PLACE.format(ANA)).unlink()
    later = f"{ANA} - Text - 2026-11-02T15_04_06Z.html"
    assert ids(read, {PLACE.format(ANA): page(FIRST), later: page(ANSWER, PICTURE)}) == before


def test_a_page_that_is_there_twice_has_no_more_messages(read: Read) -> None:
    html = page(FIRST, FIRST, ANSWER)
    twice = ids(read, {PLACE.format(ANA): html, PLACE.format("copy"): html})
    assert len(twice) == 6
    assert len(set(twice)) == 3


DIFFERENT = {
    "its millisecond": FIRST.replace(".496", ".497"),
    "its words": FIRST.replace("hurts", "is better"),
    "its sender": FIRST.replace(them(), me()),
    "a file": FIRST.replace("</q>", '</q><div><img src="y" /></div>'),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
def test_it_is_another_message(read: Read, other: str) -> None:
    assert len(set(ids(read, {PLACE.format(ANA): page(FIRST, other)}))) == 2


def test_a_message_to_two_people_at_once_is_two(read: Read) -> None:
    html = page(ANSWER)
    found = ids(read, {PLACE.format(ANA): html, PLACE.format("+12075550122"): html})
    assert len(set(found)) == 2


def test_a_voicemail_is_the_same_with_and_without_its_words(read: Read) -> None:
    name = f"{ANA} - Voicemail - 2026-11-02T15_04_05Z.html"
    sound_ = '<audio src="v.mp3"></audio>'
    words = '<span class="full-text">Please call</span>'
    before = ids(read, {name: call(sound_, labels=("voicemail",))})
    assert ids(read, {name: call(sound_, words, labels=("voicemail",), name="Ana")}) == before
