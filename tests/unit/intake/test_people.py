"""Whose an address is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from threadwell.encounters.people import Party
from threadwell.intake import verify
from threadwell.intake.people.route import Refusal, Route, route
from threadwell.messages import Address, AddressKind, Message, parse_phone
from threadwell.stores.contract import DEFAULT_PROJECT

A, B, C = (Address(AddressKind.PHONE, f"+1212555010{n}") for n in range(3))
PATIENT = Party(A, ("Patient/ana",))
OTHER = Party(B, ("Patient/bo",))
MOTHER = Party(
    A, related=(("Patient/leo", "RelatedPerson/m1"), ("Patient/mia", "RelatedPerson/m2"))
)
OFFICE = Party(C, practice="Practitioner/alice")


class People:
    def __init__(self, *parties: Party) -> None:
        self.parties = {party.address: party for party in parties}

    def party(self, address: Address) -> Party:
        return self.parties.get(address, Party(address))


def way(sender: Address, *recipients: Address, people: People, strangers: bool = False):
    """The patients of a route, or the reason why there is none."""
    found = route(sender, recipients, people, strangers=strangers)
    if isinstance(found, Refusal):
        return found.reason
    assert isinstance(found, Route)
    return " ".join(patient.removeprefix("Patient/") for patient in found.patients)


STRANGER_A = Party(A, ("Patient/a",), stranger=True)
STRANGER_B = Party(B, ("Patient/b",), stranger=True)


@pytest.mark.parametrize(
    ("expected", "sender", "recipients", "parties"),
    [
        ("ana", A, [C], [PATIENT, OFFICE]),
        ("ana", C, [A], [PATIENT, OFFICE]),
        ("leo mia", A, [C], [MOTHER, OFFICE]),
        ("ana bo", C, [A, B], [PATIENT, OTHER, OFFICE]),
        ("ana", A, [C, B], [PATIENT, OFFICE]),
        ("unknown-sender", B, [A, C], [PATIENT, OFFICE]),
        ("unknown-recipient", C, [B], [OFFICE]),
        ("no-patient", C, [C], [OFFICE]),
        ("shared-address", A, [C], [Party(A, ("Patient/ana", "Patient/eva")), OFFICE]),
        ("shared-address", C, [A], [Party(A, ("Patient/ana", "Patient/eva")), OFFICE]),
        # Alice works here and is a patient herself.
        ("alice", C, [B], [Party(C, ("Patient/alice",), practice="Practitioner/alice")]),
        ("ana", C, [A], [PATIENT, Party(C, ("Patient/alice",), practice="Practitioner/alice")]),
        # Strangers count only where nobody else does.
        ("ana", A, [B], [PATIENT, STRANGER_B]),
        ("a", A, [B], [STRANGER_A, STRANGER_B]),
        ("a b", C, [A, B], [STRANGER_A, STRANGER_B, OFFICE]),
    ],
)
def test_route(expected, sender, recipients, parties):
    assert way(sender, *recipients, people=People(*parties)) == expected


def test_of_two_strangers_none_is_met_first():
    people = People(STRANGER_A, OFFICE)
    assert way(C, A, B, people=people, strangers=True) == "unknown-recipient"
    assert way(C, A, B, people=people) == "a"


@pytest.mark.parametrize(
    ("party", "circle", "subjects", "expected"),
    [
        (PATIENT, ["Patient/ana"], ["Patient/ana"], "Patient/ana"),
        (PATIENT, ["Patient/bo"], ["Patient/bo"], ""),
        (MOTHER, ["Patient/leo", "Patient/mia"], ["Patient/mia"], "RelatedPerson/m2"),
        (MOTHER, ["Patient/leo", "Patient/mia"], [], "RelatedPerson/m1"),
        (MOTHER, ["Patient/mia"], [], "RelatedPerson/m2"),
        (OFFICE, ["Patient/ana"], [], "Practitioner/alice"),
        (
            Party(
                A, related=(("Patient/leo", "RelatedPerson/m"), ("Patient/leo", "RelatedPerson/f"))
            ),
            ["Patient/leo"],
            ["Patient/leo"],
            "",
        ),
    ],
)
def test_voice(party, circle, subjects, expected):
    assert party.voice(circle, subjects) == expected


@pytest.mark.parametrize(
    "written",
    [
        *("+12125550111", "(212) 555-0111", "212-555-0111", "+1 212 555 0111", "2125550111"),
        *("tel:+1-212-555-0111", "whatsapp:+12125550111", "rcs:+12125550111", "0012125550111"),
        *("sip:+12125550111@ims.example.org", "+12125550111/TYPE=PLMN", "212-555-0111 ext. 7"),
        *("+1\u00a0212\u2011555\u20110111", "\u202a+12125550111\u202c", "２１２５５５０１１１"),
    ],
)
def test_phones_are_found_however_they_are_written(practice, sms, written):
    practice.patient("ana", written)
    assert practice.take(sms("a", "08:00")).counts.new == 1


@pytest.mark.parametrize(
    ("kept", "used"),
    [
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+52 55 1234 5678", "+5215512345678"),
        ("+54 9 11 2345-6789", "+541123456789"),
        ("+54 11 2345-6789", "+5491123456789"),
        ("+55 11 8765-4321", "+5511987654321"),
        ("+55 11 98765-4321", "+551187654321"),
        ("011 44 7700 900123", "+447700900123"),
    ],
)
def test_both_forms_of_a_numbering_plan_are_one_address(practice, sms, kept, used):
    practice.patient("far", kept)
    address = parse_phone(used, "US")
    assert address is not None
    assert practice.take(sms("a", "08:00", phone=address.value)).counts.new == 1


def test_a_record_that_is_no_longer_active_is_nobody(practice, sms):
    practice.put("Patient", "twin", active=False, telecom=[{"value": "+12125550111"}])
    practice.take(sms("a", "08:00"))
    assert practice.all("Encounter")[0]["subject"] == {"reference": "Patient/ana"}


def test_the_practice_is_the_organization_with_its_number(practice, sms):
    practice.put("Organization", "clinic", name="Clinic", telecom=[{"value": "+12125550100"}])
    practice.take(sms("a", "08:00"))
    assert practice.all("Encounter")[0]["serviceProvider"] == {"reference": "Organization/clinic"}
    assert len(practice.all("Organization")) == 1


@pytest.mark.parametrize(
    ("circle", "subjects", "voice"),
    [
        ("leo mia", "mia", "RelatedPerson/m2"),
        ("leo mia", "leo mia", "RelatedPerson/m1"),
        ("leo mia", "", "RelatedPerson/m1"),
        ("ana mia", "ana mia", "RelatedPerson/m2"),
        # She belongs to her own children only.
        ("ana leo mia", "ana", ""),
        ("ana", "ana", ""),
    ],
)
def test_as_whom_a_mother_of_two_speaks(circle, subjects, voice):
    patients, about = ([f"Patient/{one}" for one in names.split()] for names in (circle, subjects))
    assert MOTHER.voice(patients, about) == voice


def test_a_nurse_speaks_as_a_nurse_of_others_and_as_a_father_of_his_child():
    nurse = Party(A, related=(("Patient/leo", "RelatedPerson/father"),), practice="Practitioner/n")
    circle = ["Patient/ana", "Patient/leo"]
    assert nurse.voice(circle, ["Patient/leo"]) == "RelatedPerson/father"
    assert nurse.voice(circle, ["Patient/ana"]) == "Practitioner/n"


def both_at_the_office(practice, text):
    """Ana writes to the practice, and to Bo; whom her message is about."""
    practice.patient("bo", "+12125550155", given="Bo")
    ana, bo, office = (
        Address(AddressKind.PHONE, one) for one in ("+12125550111", "+12125550155", "+12125550100")
    )
    sent = datetime(2024, 4, 10, 8, tzinfo=UTC)
    practice.take(Message("sms_backup", "m", ana, (office, bo), sent, text, text, "both"))
    (session,) = [one for one in practice.all("Encounter") if "partOf" not in one]
    about = [one["subject"]["reference"] for one in practice.all("Encounter") if "partOf" in one]
    return sorted(about) or [session["subject"]["reference"]]


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("I take Bo to you at nine. My own knee hurts as well.", ["Patient/ana", "Patient/bo"]),
        ("I take Bo to you at nine. His knee hurts.", ["Patient/bo"]),
        ("My knee hurts.", ["Patient/ana"]),
    ],
)
def test_a_patient_who_names_another_and_her_own_illness_writes_for_both(practice, text, about):
    assert both_at_the_office(practice, text) == about
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def test_what_a_mother_says_of_herself_is_not_said_of_her_child(practice):
    """She is no patient: neither of the two whom her message may be about is she."""
    practice.patient("bo", "+12125550155", given="Bo")
    practice.patient("leo", given="Leo")
    practice.put(
        "RelatedPerson",
        "mother",
        patient={"reference": "Patient/leo"},
        telecom=[{"value": "+12125550166"}],
    )
    mother, bo, office = (
        Address(AddressKind.PHONE, one) for one in ("+12125550166", "+12125550155", "+12125550100")
    )
    sent = datetime(2024, 4, 10, 8, tzinfo=UTC)
    text = "I take Bo to you at nine. My own knee hurts as well."
    practice.take(Message("sms_backup", "m", mother, (office, bo), sent, text, text, "both"))
    assert [one["subject"] for one in practice.all("Encounter")] == [{"reference": "Patient/bo"}]


def test_whoever_has_many_addresses_shares_none_of_them_with_themselves(practice, sms):
    phones = [f"+1212555{number:04}" for number in range(1000, 1300)]
    for number in range(100):
        practice.patient(f"one-{number}", *phones[number::100], given=f"One{number}")
    texts = [sms(f"m{at}", "08:00", phone=phone) for at, phone in enumerate(phones)]
    report = practice.take(*texts)
    assert (report.counts.new, report.counts.quarantined) == (300, 0)
    assert practice.live("Task") == []
    subjects = {
        child["subject"]["reference"]
        for child in practice.all("Communication")
        if "partOf" in child
    }
    assert len(subjects) == 100
