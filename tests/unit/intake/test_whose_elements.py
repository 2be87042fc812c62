"""Which elements follow from the messages, and which are anybody's to change: what
docs/encounters.md says, what the code decides, and what an import does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from threadwell.encounters.merge import DECIDED
from threadwell.fhir.validation import validate

PAGE = Path(__file__).resolve().parents[3] / "docs" / "encounters.md"
MOTHER = "+12125550122"
SOMEBODY = {"reference": "Practitioner/somebody"}
WORDS = {"text": "theirs"}
LONG_AGO = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
OF_ANY: dict[str, Any] = {
    "identifier": [{"system": "https://example.org/numbers", "value": "1"}],
    "extension": [{"url": "https://example.org/extension", "valueString": "theirs"}],
    "language": "de",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "basedOn": [{"reference": "ServiceRequest/theirs"}],
    "priority": WORDS,
    "reasonCode": [WORDS],
    "reasonReference": [{"reference": "Condition/theirs"}],
    "subject": {"reference": "Patient/leo"},
}
#: Another value of each element.
OTHERS: dict[str, dict[str, Any]] = {
    "Communication": {
        **OF_ANY,
        "about": [{"reference": "Condition/theirs"}],
        "category": [WORDS],
        "encounter": {"reference": "Encounter/theirs"},
        "inResponseTo": [{"reference": "Communication/theirs"}],
        "instantiatesCanonical": ["https://example.org/plan"],
        "instantiatesUri": ["https://example.org/plan"],
        "medium": [WORDS],
        "note": [{"text": "theirs", "time": "2020-01-01"}],
        "priority": "urgent",
        "received": "2020-01-01T00:00:00Z",
        "recipient": [SOMEBODY],
        "sender": SOMEBODY,
        "sent": "2020-01-01T00:00:00Z",
        "status": "stopped",
        "statusReason": WORDS,
        "topic": WORDS,
    },
    "Encounter": {
        **OF_ANY,
        "account": [{"reference": "Account/theirs"}],
        "appointment": [{"reference": "Appointment/theirs"}],
        "class": {"code": "AMB"},
        "classHistory": [{"class": {"code": "AMB"}, "period": LONG_AGO}],
        "diagnosis": [{"condition": {"reference": "Condition/theirs"}}],
        "episodeOfCare": [{"reference": "EpisodeOfCare/theirs"}],
        "hospitalization": {"admitSource": WORDS},
        "length": {"value": 1},
        "location": [{"location": {"reference": "Location/theirs"}}],
        "participant": [{"individual": SOMEBODY}],
        "partOf": {"reference": "Encounter/theirs"},
        "period": LONG_AGO,
        "serviceProvider": {"reference": "Organization/theirs"},
        "serviceType": WORDS,
        "status": "onleave",
        "statusHistory": [{"status": "planned", "period": LONG_AGO}],
        "type": [WORDS],
    },
}
TYPES = {
    "thread header": "Communication",
    "session encounter": "Encounter",
    "medical encounter": "Encounter",
}


def told(row: str) -> list[set[str]]:
    """The elements in the cells of a row of the page's table: put back, both, kept."""
    section = PAGE.read_text("utf-8").partition("### Whose each element is")[2]
    (cells,) = re.findall(rf"^\| {row} \|(.*)\|$", section.partition("\n#")[0], re.MULTILINE)
    return [set(re.findall(r"`(\w+)`", cell)) for cell in cells.split("|")]


def written(practice, sms):
    """A mother's messages about two children, and what came out of them, by kind."""
    practice.mother_of("Leo", "Mia", phone=MOTHER)
    practice.take(
        sms("a", "08:00", "Leo coughs. Mia sleeps", phone=MOTHER),
        sms("b", "08:20", "ok", phone=MOTHER, out=True),
    )
    (header,) = [one for one in practice.live("Communication") if "partOf" not in one]
    (session,) = [one for one in practice.live("Encounter") if "partOf" not in one]
    medical = [one for one in practice.live("Encounter") if "partOf" in one]
    mias = next(one for one in medical if one["subject"]["reference"] == "Patient/mia")
    return {"thread header": header, "session encounter": session, "medical encounter": mias}


def after(practice, sms, kind, name, how):
    """What becomes of another value of an element: the element before, as changed, and then."""
    before = written(practice, sms)[kind]
    type_, id_ = before["resourceType"], before["id"]
    value = OTHERS[type_][name]
    if name in ("identifier", "recipient", "participant"):
        value = [*before.get(name, ()), *value]
    rest = {key: one for key, one in before.items() if key not in ("id", "resourceType")}
    practice.put(type_, id_, **(rest | {name: value}))
    practice.take(*how(sms))
    return before.get(name), value, now(practice, before).get(name)


HOW = {
    "no message": lambda sms: (),
    "a message between": lambda sms: (sms("c", "08:10", "hello", phone=MOTHER),),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, type_ in TYPES.items() for name in OTHERS[type_]],
)
def test_what_becomes_of_a_change(practice, sms, kind, name, how):
    back, both, _ = told(kind)
    was, value, found = after(practice, sms, kind, name, HOW[how])
    if name in back or name == "status":
        assert found == was
    elif name in both and name != "subject":
        assert found[-1] == value[-1]
    else:
        assert found == value


@pytest.mark.parametrize(("kind", "type_"), TYPES.items())
def test_the_page_says_what_the_code_decides(kind, type_):
    back, both, kept = told(kind)
    assert back | both == set(DECIDED[type_])
    assert not back & both
    assert kept == OTHERS[type_].keys() - back - both


@pytest.mark.parametrize("kind", ["session encounter", "medical encounter"])
def test_whom_the_messages_name_comes_back(practice, sms, kind):
    before = written(practice, sms)[kind]
    without(practice, before, "participant")
    assert now(practice, before)["participant"] == before["participant"]


def test_whom_somebody_takes_off_a_header_stays_off(practice, sms):
    header = written(practice, sms)["thread header"]
    without(practice, header, "recipient")
    assert "recipient" not in now(practice, header)
    assert validate(now(practice, header)) == []


def test_a_header_is_closed_by_its_status(practice, sms):
    practice.now = int(datetime(2024, 4, 10, 12, tzinfo=UTC).timestamp() * 1000)
    header = written(practice, sms)["thread header"]
    assert header["status"] == "in-progress"
    without(practice, header, status="completed")
    assert now(practice, header)["status"] == "completed"


def without(practice, resource, *names, **more):
    """Write a resource without some elements, as somebody else would, and import nothing."""
    left = {key: one for key, one in resource.items() if key not in ("id", "resourceType", *names)}
    practice.put(resource["resourceType"], resource["id"], **(left | more))
    practice.take()


def now(practice, resource):
    """A resource as it is by now."""
    (found,) = [
        one for one in practice.all(resource["resourceType"]) if one["id"] == resource["id"]
    ]
    return found


@pytest.mark.parametrize(
    ("name", "value", "lasts"),
    [
        ("inResponseTo", [{"reference": "Communication/theirs"}], False),
        ("sender", SOMEBODY, False),
        ("topic", WORDS, True),
        ("category", [WORDS], True),
        ("priority", "urgent", True),
    ],
)
def test_what_becomes_of_a_change_to_a_message(practice, sms, name, value, lasts):
    written(practice, sms)
    message = next(one for one in practice.live("Communication") if "partOf" in one)
    changed = {**message["sender"], **value} if name == "sender" else value
    without(practice, message, **{name: changed})
    assert now(practice, message).get(name) == (changed if lasts else message.get(name))
