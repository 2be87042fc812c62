"""A table of people, as a practice can write one, becomes resources. Pure.

One row is one person (or organization). Columns: ``kind`` (patient, related-person, practitioner,
organization), ``id`` (the practice's own, unique within a kind), ``family``, ``given``, ``middle``,
``nickname``, ``prefix``, ``suffix``, ``birth_date`` (YYYY-MM-DD), ``gender``, ``phone``, ``email``,
``chat`` (``whatsapp:Ana Prado``), ``patient`` (ids of the patients that a related person belongs
to), ``relationship``, ``role`` (of a practitioner). Several values in one cell are separated by
``;``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.fhir.resource import Resource
from threadwell.intake.people.cells import chats, mails, phones, several
from threadwell.intake.people.person_name import name_of
from threadwell.intake.people.sheet import COLUMNS, BadPeople, Row
from threadwell.messages.spreadsheet import (
    is_damaged,
    is_rounded_id,
    says_nothing,
    unguarded,
    whole_number,
)
from threadwell.stores.contract import Key

_KINDS = {
    "patient": "Patient",
    "related-person": "RelatedPerson",
    "practitioner": "Practitioner",
    "organization": "Organization",
}
#: Numbers of so few digits are whole everywhere.
_SHORT_CODE = 6
_GENDERS = ("male", "female", "other", "unknown")


def people_of(rows: Iterable[tuple[int, Row]], country: str) -> dict[Key, Resource]:
    """The resources of numbered rows, by type and logical id.

    Raises ``BadPeople`` with all mistakes. A related person of several patients is one
    RelatedPerson for each. Phone numbers become E.164 and mail addresses lower case; ``country``
    is that of numbers without a country code.
    """
    out: dict[Key, Resource] = {}
    problems: list[str] = []
    for number, raw in rows:
        row = _plain(raw)
        found = list(_mistakes(row, country))
        for key, resource in _resources(row, country) if not found else ():
            if key in out:
                found.append(f"there is another {row['kind']} with this id")
            out[key] = resource
        problems += [f"line {number}: {mistake}" for mistake in found]
    if problems:
        raise BadPeople(problems)
    return out


def unreachable(rows: Iterable[tuple[int, Row]], country: str) -> Iterator[str]:
    """Of each phone number that lacks its area code: no message can ever be from it."""
    for number, raw in rows:
        for address in phones(raw.get("phone", ""), country).addresses:
            if not address.value.startswith("+") and len(address.value) > _SHORT_CODE:
                yield f"line {number}: phone lacks its area code, so no message will meet it"
                break


def person_identity(kind: str, id_: str) -> Identity:
    """The identifier of a person of the practice's own table."""
    return Identity(codes.PERSON + kind, id_)


def _plain(raw: Row) -> dict[str, str]:
    """The cells without what a spreadsheet or another program puts around a value."""
    row = {name: (raw.get(name) or "").strip() for name in COLUMNS}
    for name in ("kind", "gender"):
        row[name] = row[name].lower()
    kind = "-".join(row["kind"].replace("_", " ").replace("-", " ").split())
    row["kind"] = "related-person" if kind == "relatedperson" else kind
    for name in ("id", "birth_date"):
        row[name] = unguarded(row[name])
    row["id"] = whole_number(row["id"]) or row["id"]
    if says_nothing(row["patient"]):
        row["patient"] = ""
    return row


def _mistakes(row: Row, country: str) -> Iterator[str]:
    if row["kind"] not in _KINDS:
        yield f"kind must be one of {', '.join(_KINDS)}"
        return
    if not row["id"]:
        yield "id is empty"
    elif is_damaged(row["id"]) or is_rounded_id(row["id"]):
        yield "id has lost digits in a spreadsheet"
    if row["gender"] and row["gender"] not in _GENDERS:
        yield f"gender must be one of {', '.join(_GENDERS)}"
    if row["birth_date"] and not _is_date(row["birth_date"]):
        yield "birth_date must be written YYYY-MM-DD"
    if not (row["family"] or row["given"]):
        yield "family and given are both empty"
    if problem := phones(row["phone"], country).problem:
        yield f"phone {problem}"
    if problem := mails(row["email"]).problem:
        yield f"email {problem}"
    if problem := chats(row["chat"])[1]:
        yield f"chat {problem}"
    if row["kind"] == "related-person" and not row["patient"]:
        yield "a related-person needs the id of a patient in the column patient"
    if row["kind"] != "related-person" and row["patient"]:
        yield "only a related-person belongs to a patient"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _resources(row: Row, country: str) -> Iterator[tuple[Key, Resource]]:
    type_ = _KINDS[row["kind"]]
    person = _person(row, type_, country)
    if type_ != "RelatedPerson":
        identity = person_identity(row["kind"], row["id"])
        yield Key(type_, identity.id), {**person, "identifier": [identity.as_json()]}
        if row["role"] and type_ == "Practitioner":
            yield _role(row, identity)
        return
    for patient in _patients(row["patient"]):
        identity = person_identity(row["kind"], f"{row['id']}/{patient}")
        whose = person_identity("patient", patient).id
        reference = patient if patient.startswith("Patient/") else f"Patient/{whose}"
        out = {
            **person,
            "identifier": [identity.as_json()],
            "patient": {"reference": reference},
        }
        if row["relationship"]:
            out["relationship"] = [{"text": row["relationship"]}]
        yield Key(type_, identity.id), out


def _person(row: Row, type_: str, country: str) -> Resource:
    out: Resource = {"resourceType": type_, "active": True}
    if type_ == "Organization":
        out["name"] = " ".join([*several(row["given"]), *several(row["family"])])
    else:
        out["name"] = _human_names(row)
        if row["gender"]:
            out["gender"] = row["gender"]
        if row["birth_date"]:
            out["birthDate"] = row["birth_date"]
    if telecom := _telecom(row, country):
        out["telecom"] = telecom
    return out


def _human_names(row: Row) -> list[dict[str, Any]]:
    """The name, and behind it one for each nickname (FHIR R4 ``HumanName.use``)."""
    told = name_of(row)
    name: dict[str, Any] = {}
    if told.family:
        name["family"] = told.family
    for part in ("given", "prefix", "suffix"):
        if texts := getattr(told, part):
            name[part] = list(texts)
    return [name, *({"use": "nickname", "given": [one]} for one in told.nicknames)]


def _role(row: Row, identity: Identity) -> tuple[Key, Resource]:
    own = person_identity("practitioner-role", row["id"])
    return Key("PractitionerRole", own.id), {
        "resourceType": "PractitionerRole",
        "active": True,
        "identifier": [own.as_json()],
        "practitioner": {"reference": f"Practitioner/{identity.id}"},
        "code": [{"text": role} for role in several(row["role"])],
    }


def _telecom(row: Row, country: str) -> list[dict[str, str]]:
    addresses = [*phones(row["phone"], country).addresses, *mails(row["email"]).addresses]
    return [
        *({"system": str(one.kind), "value": one.value} for one in addresses),
        *({"system": "other", "value": text} for text in chats(row["chat"])[0]),
    ]


def _patients(cell: str) -> list[str]:
    """The ids of a cell, as the rows of the patients have them."""
    plain = (unguarded(part) for part in several(cell, "[;,\n]"))
    return list(dict.fromkeys(whole_number(one) or one for one in plain))
