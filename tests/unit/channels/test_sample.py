"""The bundled sample practice holds what its README says."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.email import CHANNEL as EMAIL
from threadwell.channels.sms_backup import CHANNEL as SMS
from threadwell.channels.table import CHANNEL as TABLE
from threadwell.channels.whatsapp import CHANNEL as WHATSAPP
from threadwell.messages import Address, AddressKind, Broken, Message, parse_email, parse_phone

SAMPLE = Path(__file__).parents[3] / "sample"
NEW_YORK = ZoneInfo("America/New_York")


def people() -> Iterator[dict[str, str]]:
    with (SAMPLE / "people.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def addresses(row: dict[str, str]) -> Iterator[Address | None]:
    yield from (parse_phone(one, "US") for one in row["phone"].split(";") if one)
    yield from (parse_email(one) for one in row["email"].split(";") if one)
    yield from (Address(AddressKind.OTHER, one) for one in row["chat"].split(";") if one)


@pytest.fixture(scope="module")
def items() -> list[Message | Broken]:
    own = [one for row in people() if row["kind"] == "organization" for one in addresses(row)]
    options = ReadOptions(NEW_YORK, tuple(one for one in own if one))
    return list(read_path(SAMPLE, options=options, channels=(EMAIL, SMS, WHATSAPP, TABLE)))


def test_as_many_messages_as_it_says(items: list[Message | Broken]) -> None:
    assert Counter((item.channel, type(item)) for item in items) == {
        ("sms_backup", Message): 114,
        ("sms_backup", Broken): 2,
        ("email", Message): 28,
        ("email", Broken): 1,
        ("whatsapp", Message): 66,
    }
    ids = {(item.channel, item.external_id) for item in items if isinstance(item, Message)}
    assert len(ids) == 208


def test_six_messages_are_with_people_whom_nobody_knows(items: list[Message | Broken]) -> None:
    known = {one.key for row in people() for one in addresses(row) if one}
    strange = [
        item
        for item in items
        if isinstance(item, Message)
        and not {one.key for one in (item.sender, *item.recipients)} <= known
    ]
    assert len(strange) == 6


def test_every_attachment_that_was_exported_is_there(items: list[Message | Broken]) -> None:
    files = [one for item in items if isinstance(item, Message) for one in item.attachments]
    kinds = Counter(one.content_type for one in files if one.content is not None)
    assert kinds == {"image/jpeg": 3, "application/pdf": 2, "image/png": 1}
    assert len(files) == 7


@pytest.mark.parametrize("change", ["2025-03-09", "2025-11-02"])
def test_messages_of_the_nights_when_the_clock_changed(
    items: list[Message | Broken], change: str
) -> None:
    local = [item.sent.astimezone(NEW_YORK) for item in items if isinstance(item, Message)]
    night = [one for one in local if f"{one:%Y-%m-%d}" == change and one.hour < 6]
    assert len({one.utcoffset() for one in night}) == 2


def test_a_related_person_has_one_row_for_each_patient() -> None:
    rows = list(people())
    ids = [row["id"] for row in rows]
    patients = {row["id"] for row in rows if row["kind"] == "patient"}
    assert len(set(ids)) == len(ids)
    assert {row["patient"] for row in rows if row["kind"] == "related-person"} <= patients
