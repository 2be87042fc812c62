"""A practice in which all happens that Threadwell writes about: what ``make judge`` looks at.

The sample is imported, and then more than a sample should hold: people of every kind, drafts and
spam, copies that are more or less complete, other messages of one id, strangers, broken files,
billed sessions with late messages, answers, corrections by all ways there are, subjects that
another program has changed, times read in a wrong zone, and rules of a zone that have changed. All
numbers and addresses are made up.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import threadwell
import zone_data
from run_sample import SAMPLE, ZONE
from threadwell.audit.events import PREFIX
from threadwell.encounters.codes import BILLED
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.intake import BadAnswer, BadCorrection
from threadwell.zones.sources import ZONE_DATA_VARIABLE

Resource = dict[str, Any]

#: How the sample is cut, and how it is cut anew.
POLICIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "explicit": ({"opening": ["hi", "hello"], "closing": ["thanks"]}, {"policy": "per-day"}),
    "per-thread": ({}, {"policy": "per-day", "scope": "patient"}),
    "per-day": ({}, {"policy": "per-thread"}),
    "inactivity-gap": ({"gap": "8h"}, {"policy": "per-thread"}),
}

MADE = Path(__file__).resolve().parent / "judge/practice"
PEOPLE = MADE / "people.csv"
_LIDIA = {"name": "Lídia"}

_MAIL = """\
From: {sender}
To: desk@quayside.example.org
Cc: guest@example.com
Date: {date}
Message-ID: <{id}@example.net>
{more}
{body}
"""
_PICTURE = """\
--b
Content-Type: text/plain; charset=utf-8

The rash is back, see the picture.
--b
Content-Type: image/gif
Content-Disposition: attachment; filename="rash.gif"
Content-Transfer-Encoding: base64

R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7
--b--"""
_PARTS = 'Subject: Rash\nContent-Type: multipart/mixed; boundary="b"\n'


def written_under(policy: str) -> Iterator[Resource]:
    """Every version of every resource that is written while the practice goes by that policy."""
    settings, anew = POLICIES[policy]
    with _practice() as (folder, tw):
        people = SAMPLE / "people.csv"
        tw.import_messages(SAMPLE, people=people, zone=ZONE, policy=policy, **settings)
        _live(tw, folder)
        tw.recut(**anew)
        # What was read in New York's zone was written in Chicago's.
        tw.import_messages(MADE / "rows.csv", zone="America/Chicago", correct_times=True)
        tw.replay()
        yield from _versions(tw)


def written_as_clocks_change() -> Iterator[Resource]:
    """The same where a newer release of the zone data moves days, of billed sessions too."""
    if zone_data.find() is None:
        zone_data.install()
    older = zone_data.find()
    assert older is not None, "the older zone data is there"
    with _practice() as (_, tw):
        os.environ[ZONE_DATA_VARIABLE] = str(older)
        try:
            tw.import_messages(MADE / "nights.csv", people=PEOPLE, zone="America/Vancouver")
            _bill(tw, "Hugo")
        finally:
            del os.environ[ZONE_DATA_VARIABLE]
        tw.recut()
        yield from _versions(tw)


@contextmanager
def _practice() -> Iterator[tuple[Path, threadwell.Threadwell]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        threadwell.open(Path(folder) / "judge.db") as tw,
    ):
        yield Path(folder), tw


def _live(tw: threadwell.Threadwell, folder: Path) -> None:
    """What happens in a practice after its first import."""
    edith, lidia = "edith.wren@example.net", "lidia.tarn@example.net"
    mails = {
        "cut.eml": (edith, "04", "rash", "Subject: Rash\n", "The rash is"),
        "draft.eml": (edith, "05", "draft", "Subject: Later\nX-Unsent: 1\n", "I will write"),
        "trash.eml": (edith, "06", "trash", "X-Gmail-Labels: Trash\nSubject: Gone\n", "Thank you"),
        "spam.eml": ("win@example.com", "06", "spam", "X-Gmail-Labels: Spam\n", "You have won"),
        "both.eml": (lidia, "07", "both", "Subject: Both\n", "Hugo and Inês sleep badly."),
        "answer.eml": (lidia, "08", "answer", "In-Reply-To: <both@example.net>\n", "Better now"),
        "whole.eml": (edith, "04", "rash", _PARTS, _PICTURE),
    }
    paths = [MADE / "rows.csv", *(_file(folder, name, _mail(*one)) for name, one in mails.items())]
    paths.append(_file(folder, "torn.xml", "<smses><sms address='+12075550151' date="))
    for path in paths:
        tw.import_messages(path, people=PEOPLE)
    tw.import_messages(MADE / "others.csv")
    # A session that is open still.
    now = datetime.now(UTC).isoformat(timespec="seconds")
    row = f"o,{now},+1 207-555-0151,+1 207-555-0100,it itches\n"
    tw.import_messages(_file(folder, "today.csv", f"id,sent,from,to,text\n{row}"))
    tw.import_messages(MADE / "stranger.csv", unknown="patient")
    _bill(tw, "Edith")
    _bill(tw, "Hugo")
    tw.import_messages(MADE / "late.csv")
    _answer(tw)
    _correct(tw)
    tw.import_messages(MADE / "rows.csv")


def _answer(tw: threadwell.Threadwell) -> None:
    """Answer all questions that take an answer: by one patient, by two, and then by another.

    Who writes at a shared address is answered for all of it, a thread and a message.
    """
    for held, holds_for in zip(tw.search_all("Task"), cycle(("message", "thread")), strict=False):
        for given in ("George", "Olav"):
            with suppress(BadAnswer):
                who = _patient(tw, given)
                tw.answer_review(f"Task/{held['id']}", [who], holds_for=holds_for)
    for number, review in enumerate(tw.reviews()):
        chosen = [one.patient for one in review.candidates][: 1 + number % 2]
        with suppress(BadAnswer):
            tw.answer_review(review.task, chosen)
            if number % 3 == 0:
                tw.answer_review(review.task, [review.candidates[-1].patient])


def _correct(tw: threadwell.Threadwell) -> None:
    """Correct whom sessions, threads and messages are about, in each way that there is."""
    hugo, ines = _patient(tw, "Hugo"), _patient(tw, "Inês")
    both = [{"name": "patient", "valueReference": {"reference": one}} for one in (hugo, ines)]
    ways: tuple[Callable[[Resource], object], ...] = (
        lambda one: tw.about(f"Encounter/{one['id']}", [ines]),
        lambda one: tw.about(f"Encounter/{one['id']}", []),
        lambda one: tw.request(
            "POST",
            f"Encounter/{one['id']}/$about",
            {"resourceType": "Parameters", "parameter": both},
        ),
        lambda one: tw.update_resource({**one, "subject": {"reference": hugo}}),
    )
    # Those of billed sessions stay as they are.
    sessions = _of_lidia(tw, "Encounter", "participant")
    for way, session in zip(cycle(ways), sessions, strict=False):
        with suppress(BadCorrection, threadwell.OperationOutcomeError):
            way(session)
    messages = _of_lidia(tw, "Communication", "sender")
    for patient, message in zip(cycle((hugo, ines)), messages, strict=False):
        with suppress(BadCorrection):
            tw.about(f"Communication/{message['id']}", [patient])


def _of_lidia(tw: threadwell.Threadwell, type_: str, parameter: str) -> list[Resource]:
    """What a mother of two takes part in, without what is superseded or billed."""
    mothers = [f"RelatedPerson/{one['id']}" for one in tw.search_all("RelatedPerson", _LIDIA)]
    found = tw.search_all(type_, {parameter: ",".join(mothers), "status:not": "entered-in-error"})
    return [one for one in found if BILLED not in one["meta"].get("tag", ())]


def _patient(tw: threadwell.Threadwell, given: str) -> str:
    (found,) = tw.search_resources("Patient", {"given": given})
    return f"Patient/{found['id']}"


def _bill(tw: threadwell.Threadwell, given: str) -> None:
    for one in tw.search_resources("Encounter", {"patient.given": given, "_count": 5}):
        if one["status"] == "finished":
            tags = [*one["meta"].get("tag", ()), BILLED]
            tw.update_resource({**one, "meta": {**one["meta"], "tag": tags}})


def _versions(tw: threadwell.Threadwell) -> Iterator[Resource]:
    for type_ in sorted(RESOURCE_TYPES):
        for one in tw.search_all(type_):
            if one["id"].startswith(PREFIX):
                # What the trail tells is of IHE BALP's profiles, whose package is not here.
                continue
            history = tw.request("GET", f"{type_}/{one['id']}/_history?_count=1000")
            yield from (e["resource"] for e in history["entry"] if "resource" in e)


def _mail(sender: str, day: str, id_: str, more: str, body: str) -> str:
    date = f"Tue, {day} Mar 2025 08:00:00 +0000"
    return _MAIL.format(sender=sender, date=date, id=id_, more=more, body=body)


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path
