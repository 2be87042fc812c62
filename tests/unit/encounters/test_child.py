"""A message as a child Communication."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from threadwell.encounters.child import child, contents, files_of, relink
from threadwell.encounters.codes import ANSWERED, has_role
from threadwell.encounters.people import addresses_of
from threadwell.encounters.placed import Link
from threadwell.encounters.said import new_text_of, said, said_in
from threadwell.fhir.json import decode, encode
from threadwell.fhir.validation import validate
from threadwell.messages import Address, AddressKind, Attachment, Message

ANA = Address(AddressKind.EMAIL, "ana@example.org", "Ana")
SISTER = Address(AddressKind.EMAIL, "sister@example.org", "Eva")
OFFICE = Address(AddressKind.EMAIL, "office@example.org")
LINK = Link("header", "Patient/ana", "Patient/ana", ("Practitioner/alice", ""), "")


def message(**elements) -> Message:
    given = {
        "channel": "email",
        "external_id": "a@example.org",
        "sender": ANA,
        "recipients": (OFFICE, SISTER),
        "sent": datetime(2024, 4, 10, 9, tzinfo=UTC),
        "text": "May I travel?",
        "new_text": "May I travel?",
        "medium": "EMAILWRIT",
    }
    return Message(**(given | elements))


def valid(resource):
    """What a reader of the stored bytes gets; it has to be valid R4."""
    assert validate(resource) == []
    return decode(encode(resource))


def test_everything_that_is_known_is_told():
    found = valid(
        child(
            message(
                subject="Travel",
                received=datetime(2024, 4, 10, 9, 0, 1, 500_000, tzinfo=UTC),
                references=("y@x", "z@x"),
                in_reply_to="y@x",
                notes=("the zone is not known",),
            ),
            "child",
            LINK._replace(reply="y"),
        )
    )
    assert [(one["value"], has_role(one, ANSWERED)) for one in found["identifier"]] == [
        ("a@example.org", False),
        ("y@x", True),
        ("z@x", False),
    ]
    assert found["partOf"] == [{"reference": "Communication/header"}]
    assert found["inResponseTo"] == [{"reference": "Communication/y"}]
    assert (found["sent"], found["received"]) == (
        "2024-04-10T09:00:00Z",
        "2024-04-10T09:00:01.500000Z",
    )
    assert found["sender"]["reference"] == "Patient/ana"
    assert [one.get("reference", one.get("display")) for one in found["recipient"]] == [
        "Practitioner/alice",
        "Eva",
    ]
    assert found["topic"] == {"text": "Travel"}
    assert found["note"] == [{"text": "the zone is not known"}]
    assert "encounter" not in found


PAYLOADS = [
    pytest.param({}, [{"contentString": "May I travel?"}], id="text"),
    pytest.param({"text": " \n", "new_text": ""}, None, id="nothing at all"),
    pytest.param(
        {"text": "a\x00b\x0b\ud800c", "new_text": "a\x00b\x0b\ud800c"},
        [{"contentString": "abc"}],
        id="characters that FHIR forbids",
    ),
    pytest.param(
        {"text": "x" * 250_001, "new_text": "x" * 250_001},
        [{"contentString": "x" * 250_000}, {"contentString": "x"}],
        id="more than a string may hold",
    ),
]


@pytest.mark.parametrize(("elements", "expected"), PAYLOADS)
def test_payload(elements, expected):
    found = valid(child(message(**elements), "child", LINK))
    if expected is None:
        assert "contentString" not in found["payload"][0]
        assert found["note"] == [{"text": "the message is empty"}]
    else:
        assert found["payload"] == expected


def test_the_new_part_of_a_text_is_kept_beside_the_whole():
    found = valid(child(message(text="Yes.\n> May I?", new_text="Yes."), "child", LINK))
    assert found["payload"][0]["contentString"] == "Yes.\n> May I?"
    assert new_text_of(found) == "Yes."
    assert new_text_of(valid(child(message(), "child", LINK))) == "May I travel?"


def test_attachments_are_binaries_that_belong_to_the_child():
    attached = message(
        attachments=(
            Attachment("x-ray.png", "image/png", b"\x89PNG"),
            Attachment("", " ", b""),
            Attachment("lost.pdf", "application/pdf", None, "is not in the export"),
        )
    )
    files = files_of(attached)
    found = valid(child(attached, "child", LINK, files))
    made = list(contents(attached, "child", files))
    urls = [part["contentAttachment"].get("url") for part in found["payload"][1:]]
    assert urls == [f"Binary/{made[0].id}", f"Binary/{made[1].id}", None]
    assert [one.content for one in made] == [b"\x89PNG", b""]
    assert [one.resource["contentType"] for one in made] == [
        "image/png",
        "application/octet-stream",
    ]
    assert all(
        one.resource["securityContext"] == {"reference": "Communication/child"}
        and validate(one.resource) == []
        for one in made
    )
    assert found["payload"][1]["contentAttachment"]["hash"] == "Tv/aEsJhHi5P628NNC/raFzNgls="
    assert found["note"] == [{"text": "a file of it is not in the export"}]


def test_a_person_with_two_addresses_is_one_recipient():
    link = LINK._replace(recipients=("Practitioner/alice", "Practitioner/alice"))
    (found,) = valid(child(message(), "child", link))["recipient"]
    assert [one.value for one in addresses_of(found)] == [
        "office@example.org",
        "sister@example.org",
    ]


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"text": "", "new_text": ""},
        {"text": "a\x00b\n> c", "new_text": "a\x00b", "subject": "Travel"},
        {"text": "x" * 250_001, "new_text": "x"},
        {"references": ("y@x", "z@x"), "in_reply_to": "z@x", "notes": ("no text", "odd")},
        {
            "wall": datetime.fromisoformat("2024-04-10T05:00"),
            "received": datetime(2024, 4, 10, 10, tzinfo=UTC),
        },
        {
            "attachments": (
                Attachment("x-ray.png", "image/png", b"\x89PNG"),
                Attachment("", " ", None, "was left out of the export"),
            )
        },
    ],
)
@pytest.mark.parametrize("apart", ["", "f00d"])
def test_what_is_stored_says_what_was_read(elements, apart):
    read = message(**elements, apart=apart)
    assert said_in(valid(child(read, "child", LINK, files_of(read))), "") == said(read)


def test_relink_changes_nothing_but_the_links():
    stored = child(message(), "child", LINK) | {"note": [{"text": "seen"}], "id": "child"}
    link = Link("other", "", "RelatedPerson/eva", ("Practitioner/alice", ""), "z")
    found = valid(relink(stored, link, ANA, (OFFICE, SISTER._replace(display=""))))
    again = child(message(), "child", link) | {"note": [{"text": "seen"}], "id": "child"}
    assert found == again
