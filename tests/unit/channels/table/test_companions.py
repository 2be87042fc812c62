"""The files beside a table that its rows name, and that a table without that column is not read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from threadwell.channels.table import reader
from threadwell.channels.table.mapping import parse_columns
from threadwell.channels.table.reader import CHANNEL, with_columns

SENT = "2024-05-13T15:04:00Z"
NAMED = {
    "plain.csv": f"sent,from,text,Attachments\n{SENT},a,b,\n{SENT},a,b,x.png\n",
    "sep.csv": f"sep=;\nattachments;sent;from;text\nx.png;{SENT};a;b\n",
    "late.jsonl": f'{{"sent":"{SENT}","from":"a","text":"b"}}\n' * 3
    + f'{{"sent":"{SENT}","from":"a","attachments":["x.png"]}}\n',
    "spelt.jsonl": f'{{"sent":"{SENT}","from":"a","\\u0061ttachments":"x.png"}}\n',
}
UNNAMED = {
    "plain.csv": f"sent,from,text,files\n{SENT},a,b,x.png\n",
    "none.jsonl": f'{{"sent":"{SENT}","from":"a","text":"x.png"}}\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x.png").write_bytes(b"png")
    return tmp_path


@pytest.mark.parametrize("name", NAMED)
def test_files_that_rows_name_are_found(folder, name):
    (folder / name).write_text(NAMED[name], encoding="utf-8")
    assert list(CHANNEL.companions(folder / name)) == [folder / "x.png"]


@pytest.mark.parametrize("column", ["attachments", "files"])
def test_files_that_parquet_names_are_found(folder, column):
    rows = {"sent": [SENT], "from": ["a"], "text": ["b"], column: [["x.png"]]}
    pq.write_table(pa.table(rows), folder / "x.parquet")
    channel = with_columns(parse_columns([f"attachments={column}"]))
    assert list(channel.companions(folder / "x.parquet")) == [folder / "x.png"]


def test_a_value_that_each_row_has_names_a_file(folder):
    (folder / "plain.csv").write_text(UNNAMED["plain.csv"], encoding="utf-8")
    channel = with_columns(parse_columns(["attachments=:x.png"]))
    assert list(channel.companions(folder / "plain.csv")) == [folder / "x.png"]


@pytest.mark.parametrize("name", [*UNNAMED, "x.parquet"])
def test_a_table_that_names_none_is_not_read(folder, name, monkeypatch):
    if name in UNNAMED:
        (folder / name).write_text(UNNAMED[name], encoding="utf-8")
    else:
        pq.write_table(pa.table({"sent": [SENT], "from": ["a"], "text": ["b"]}), folder / name)

    def read(*_):
        raise AssertionError("its rows are read")

    monkeypatch.setattr(reader, "_records", read)
    assert list(CHANNEL.companions(folder / name)) == []
