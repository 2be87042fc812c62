"""A table of people, as a practice can write one, becomes resources. Pure.

One row is one person (or organization). Columns: ``kind`` (patient, related-person, practitioner,
organization), ``id`` (the practice's own, unique within a kind), ``family``, ``given``,
``birth_date`` (YYYY-MM-DD), ``gender``, ``phone``, ``email``, ``chat`` (``whatsapp:Ana Prado``),
``patient`` (ids of the patients that a related person belongs to), ``relationship``, ``role`` (of a
practitioner). Several values in one cell are separated by ``;``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.fhir.resource import Resource
from threadwell.intake.settings import BadSetting
from threadwell.messages import parse_email, parse_phone
from threadwell.stores.contract import Key

COLUMNS = (
    *("kind", "id", "family", "given", "birth_date", "gender", "phone", "email", "chat"),
    *("patient", "relationship", "role"),
)
_KINDS = {
    "patient": "Patient",
    "related-person": "RelatedPerson",
    "practitioner": "Practitioner",
    "organization": "Organization",
}
_GENDERS = ("male", "female", "other", "unknown")
_CHAT = re.compile(r"[a-z0-9_]+:.*\S", re.DOTALL)

Row = Mapping[str, str]


class BadPeople(BadSetting):
    """A file of people cannot be taken in; the message names every row and what is wrong there."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("nobody was imported: " + "; ".join(self.problems))


def read_csv(lines: Iterable[str]) -> list[tuple[int, Row]]:
    """The rows of a CSV text, each with the line that it ends in; raises ``BadPeople``.

    The columns must be among those above, and no row may have more cells than the first.
    """
    reader = csv.DictReader(lines, restval="")
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    problems = [f"line 1: no column {name!r} is known" for name in columns if name not in COLUMNS]
    problems += [
        f"line 1: the column {name!r} is missing" for name in ("kind", "id") if name not in columns
    ]
    if problems:
        raise BadPeople(problems)
    reader.fieldnames = columns
    rows: list[tuple[int, Row]] = [(reader.line_num, row) for row in reader]
    longer = [
        f"line {line}: more cells than columns" for line, row in rows if len(row) > len(columns)
    ]
    if longer:
        raise BadPeople(longer)
    return rows


def people_of(rows: Iterable[tuple[int, Row]], country: str) -> dict[Key, Resource]:
    """The resources of numbered rows, by type and logical id.

    Raises ``BadPeople`` with all mistakes. A related person of several patients is one
    RelatedPerson for each. Phone numbers become E.164 and mail addresses lower case; ``country``
    is that of numbers without a country code.
    """
    out: dict[Key, Resource] = {}
    problems: list[str] = []
    for number, raw in rows:
        row = {name: (raw.get(name) or "").strip() for name in COLUMNS}
        found = list(_mistakes(row, country))
        for key, resource in _resources(row, country) if not found else ():
            if key in out:
                found.append(f"there is another {row['kind']} with this id")
            out[key] = resource
        problems += [f"line {number}: {mistake}" for mistake in found]
    if problems:
        raise BadPeople(problems)
    return out


def person_identity(kind: str, id_: str) -> Identity:
    """The identifier of a person of the practice's own table."""
    return Identity(codes.PERSON + kind, id_)


def _mistakes(row: Row, country: str) -> Iterator[str]:
    if row["kind"] not in _KINDS:
        yield f"kind must be one of {', '.join(_KINDS)}"
        return
    if not row["id"]:
        yield "id is empty"
    if row["gender"] and row["gender"] not in _GENDERS:
        yield f"gender must be one of {', '.join(_GENDERS)}"
    if row["birth_date"] and not _is_date(row["birth_date"]):
        yield "birth_date must be written YYYY-MM-DD"
    if not (row["family"] or row["given"]):
        yield "family and given are both empty"
    if not all(parse_phone(text, country) for text in _several(row["phone"])):
        yield "phone is no phone number"
    if not all(parse_email(text) for text in _several(row["email"])):
        yield "email is no mail address"
    if not all(_CHAT.fullmatch(text) for text in _several(row["chat"])):
        yield "chat must be written channel:name, such as whatsapp:Ana Prado"
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
    for patient in _several(row["patient"]):
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
    name: dict[str, Any] = {}
    if row["family"]:
        name["family"] = row["family"]
    if given := _several(row["given"]):
        name["given"] = given
    if type_ == "Organization":
        out["name"] = " ".join([*name.get("given", ()), *_several(row["family"])])
    else:
        out["name"] = [name]
        if row["gender"]:
            out["gender"] = row["gender"]
        if row["birth_date"]:
            out["birthDate"] = row["birth_date"]
    if telecom := _telecom(row, country):
        out["telecom"] = telecom
    return out


def _role(row: Row, identity: Identity) -> tuple[Key, Resource]:
    own = person_identity("practitioner-role", row["id"])
    return Key("PractitionerRole", own.id), {
        "resourceType": "PractitionerRole",
        "active": True,
        "identifier": [own.as_json()],
        "practitioner": {"reference": f"Practitioner/{identity.id}"},
        "code": [{"text": role} for role in _several(row["role"])],
    }


def _telecom(row: Row, country: str) -> list[dict[str, str]]:
    phones = [parse_phone(text, country) for text in _several(row["phone"])]
    mails = [parse_email(text) for text in _several(row["email"])]
    return [
        *({"system": str(one.kind), "value": one.value} for one in (*phones, *mails) if one),
        *({"system": "other", "value": text} for text in _several(row["chat"])),
    ]


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]
