"""A table as Parquet says what the same table says as JSON Lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.table import CHANNEL, parse_columns, with_columns
from threadwell.messages import Broken, Message

OPTIONS = ReadOptions(ZoneInfo("America/New_York"))
AT = datetime(2024, 5, 13, 19, 4, tzinfo=UTC)
PHONE, PRACTICE = 12075550111, "+1 207-555-0100"
ROWS = [
    ("m1", AT, PHONE, PRACTICE, "My cough is back."),
    ("m2", AT.replace(minute=5), PHONE, PRACTICE, " None "),
    (None, AT.replace(minute=6), PHONE, PRACTICE, "No id."),
    ("m4", None, PHONE, PRACTICE, "No time."),
    (None, None, None, None, None),
]
NAMES = ("id", "sent", "from", "to", "text")


def table(path: Path, columns: dict) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def columns(**other) -> dict:
    found = dict(zip(NAMES, map(list, zip(*ROWS, strict=True)), strict=True))
    return {**found, **other}


def read(path: Path, channel=CHANNEL) -> list:
    with path.open("rb") as file:
        assert channel.sniff(file.read(64), path)
    return list(channel.messages(path, OPTIONS))


def test_it_says_what_json_lines_say(tmp_path):
    lines = tmp_path / "x.jsonl"
    told = [
        {name: str(one) if name == "sent" else one for name, one in row.items() if one is not None}
        for row in (dict(zip(NAMES, row, strict=True)) for row in ROWS[:3])
    ]
    lines.write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
    found = read(table(tmp_path / "x.parquet", columns()))
    assert found[:3] == list(CHANNEL.messages(lines, OPTIONS))
    assert [(one.source, one.reason) for one in found[3:]] == [
        ("x.parquet, row 4", "sent: no date and time as ISO 8601 writes them")
    ]


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("sent", pa.array([AT] * 5, pa.timestamp("ns", "UTC")), AT),
        ("sent", pa.array([AT.replace(tzinfo=None)] * 5, pa.timestamp("us")), "19:04 there"),
        ("sent", pa.array(["2024-05-13T15:04:00-04:00"] * 5), AT),
        ("from", pa.array([float(PHONE)] * 5), "+12075550111"),
        ("from", pa.array(["Ana <+1 207-555-0111>"] * 5).dictionary_encode(), "+12075550111"),
        ("to", pa.array([[PRACTICE, "+1 207-555-0112"]] * 5), ["+12075550100", "+12075550112"]),
        ("id", pa.array([7] * 5), "7"),
    ],
)
def test_a_column_of_any_type_that_says_it(name, column, expected, tmp_path):
    first = read(table(tmp_path / "x.parquet", columns(**{name: column})))[0]
    assert isinstance(first, Message)
    said = {
        "sent": first.sent,
        "from": first.sender.value,
        "to": [one.value for one in first.recipients],
        "id": first.external_id,
    }[name]
    if expected == "19:04 there":
        expected = AT.replace(tzinfo=OPTIONS.zone).astimezone(UTC)
    assert said == expected


def test_columns_may_have_other_names(tmp_path):
    renamed = columns(created_at=columns()["sent"], kind=["x", "NOTE", "x", "x", None])
    del renamed["sent"]
    path = table(tmp_path / "x.parquet", renamed)
    said = parse_columns(["sent=created_at", "channel=:acme"], ["kind=note"])
    found = read(path, with_columns(said))
    assert [one.channel for one in found if isinstance(one, Message)] == ["acme", "acme"]
    assert [one.set_aside for one in found if isinstance(one, Broken)] == [True, False]


def test_stripes_are_the_whole(tmp_path):
    path = table(tmp_path / "x.parquet", columns())
    parts = [
        one
        for number in range(3)
        for one in CHANNEL.messages(path, ReadOptions(OPTIONS.zone, stripe=(number, 3)))
    ]
    assert sorted(map(repr, parts)) == sorted(map(repr, read(path)))


def test_what_is_damaged_costs_what_cannot_be_read(tmp_path):
    path = table(tmp_path / "x.parquet", columns(text=["x" * 5000] * 5))
    content = path.read_bytes()
    path.write_bytes(content[:200] + b"\x00" * 60 + content[260:])
    found = read(path)
    assert found
    assert isinstance(found[-1], Broken)


def test_other_parquet_is_none_of_messages(tmp_path):
    path = table(tmp_path / "x.parquet", {"id": [1], "sent": ["2024-05-13T15:04:00Z"]})
    assert not CHANNEL.sniff(b"PAR1", path)
    assert CHANNEL.nearly(b"PAR1", path) == "a table of messages needs the columns from, text"


def test_ids_as_bytes_are_told_apart(tmp_path):
    ids = [bytes([n + 200]) * 16 for n in range(5)]
    found = read(table(tmp_path / "x.parquet", columns(id=pa.array(ids, pa.binary(16)))))
    assert [one.external_id for one in found[:2]] == [
        "c8c8c8c8-c8c8-c8c8-c8c8-c8c8c8c8c8c8",
        "c9c9c9c9-c9c9-c9c9-c9c9-c9c9c9c9c9c9",
    ]
    short = pa.array([bytes([n + 200]) * 4 for n in range(5)], pa.binary(4))
    found = read(table(tmp_path / "y.parquet", columns(id=short)))
    assert found[0].external_id == "c8c8c8c8"


def test_text_as_bytes_is_what_it_is_in_csv(tmp_path):
    text = pa.array([b"caf\xe9", "☂".encode(), b"x", b"y", b""], pa.binary())
    assert [one.text for one in read(table(tmp_path / "x.parquet", columns(text=text)))[:2]] == [
        "café",
        "☂",
    ]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("text", [{"en": "Hello"}] * 5),
        ("to", [[{"phone": "1"}]] * 5),
        ("from", pa.array([[("a", "b")]] * 5, pa.map_(pa.string(), pa.string()))),
    ],
)
def test_structures_are_no_text(tmp_path, column, values):
    (broken,) = read(table(tmp_path / "x.parquet", columns(**{column: values})))
    assert isinstance(broken, Broken)
    assert broken.reason == f"header: has structures in the column {column}, and no text"
    # Nor are they asked for in a column that is none of ours.
    first, *_ = read(table(tmp_path / "y.parquet", columns(other=values)))
    assert isinstance(first, Message)
