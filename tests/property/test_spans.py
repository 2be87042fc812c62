"""A table that is read in spans is what it is read as a whole, or it is told that it is not."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import example, given
from hypothesis import strategies as st

from threadwell.channels.channel import ReadOptions
from threadwell.channels.table import CHANNEL
from threadwell.channels.table import spans as cutting

ZONE = ZoneInfo("America/New_York")
HEAD = ("id", "sent", "from", "to", "text")
SENT = "2024-05-13T15:04:00-04:00"
TEXTS = st.text(st.sampled_from('ab ",;\n\r\té€\N{GRINNING FACE}'), max_size=12)
ROWS = st.lists(st.tuples(TEXTS, st.sampled_from([SENT, "yesterday"])), max_size=12)
COUNTS = st.integers(2, 6)


def rows_of(given_rows) -> list[tuple[str, ...]]:
    return [
        (f"i{number}", sent, "+12075550111", "+12075550100", text)
        for number, (text, sent) in enumerate(given_rows)
    ]


def as_csv(rows, **form) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, **form).writerows([HEAD, *rows])
    return out.getvalue().encode()


def read(path: Path, span=None) -> tuple[list[object], bool]:
    fits: list[bool] = []
    options = ReadOptions(ZONE, span=span, fits=lambda: fits.append(True))
    return list(CHANNEL.messages(path, options)), bool(fits)


def in_spans(path: Path, count: int) -> tuple[list[object], bool, int]:
    """What is read in spans, whether each of them fits, and how many there are."""
    items, all_fit = [], True
    spans = CHANNEL.spans(path, count)
    for span in spans:
        found, fits = read(path, span)
        items += found
        all_fit &= fits
    return items, all_fit, len(spans)


def looked_at(
    name: str, content: bytes, count: int
) -> tuple[list[object], list[object], bool, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        whole, _ = read(path)
        return whole, *in_spans(path, count)


@given(ROWS, COUNTS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_csv_is_cut_between_its_rows(given_rows, count, delimiter, end):
    # Python quotes a lone carriage return only where it is part of its line ends.
    form = {"quoting": csv.QUOTE_MINIMAL if end == "\r\n" else csv.QUOTE_ALL}
    content = as_csv(rows_of(given_rows), delimiter=delimiter, lineterminator=end, **form)
    for mark in (b"", b"\xef\xbb\xbf"):
        whole, items, fits, spans = looked_at("x.csv", mark + content, count)
        assert (items, fits, bool(spans)) == (whole, True, True)
    assert whole or not given_rows


#: Pieces of files that nobody should write: quotation marks where none belong, or never closed.
PIECES = st.lists(
    st.sampled_from(
        [
            *(b'"', b"\n", b"\r", b"\r\n", b",", b"a", b"\xe9", b'5" tall', b'""', b"\0"),
            f'i,{SENT},+12075550111,,"two\nlines"\n'.encode(),
            f"i,{SENT},+12075550111,,one line\n".encode(),
            f",{SENT},+12075550111,,without an id\n".encode(),
        ]
    ),
    max_size=30,
)
#: A quotation mark that is never closed hides where each further row ends.
OPEN = [
    b'i,"never closed\n',
    *(f"i{number},{SENT},+12075550111,,text\n".encode() for number in range(9)),
]


@given(PIECES, COUNTS)
@example(OPEN, 4)
def test_a_damaged_table_never_comes_out_otherwise_unnoticed(pieces, count):
    content = b"id,sent,from,to,text\n" + b"".join(pieces)
    whole, items, fits, spans = looked_at("x.csv", content, count)
    if fits and spans:
        assert items == whole


def test_a_quotation_that_never_ends_is_noticed():
    rows = as_csv([(f"i{n}", SENT, "+12075550111", "", "two\nlines") for n in range(9)])
    head, below = rows.split(b"\n", 1)
    whole, items, fits, spans = looked_at("x.csv", head + b'\ni,"never closed\n' + below, 4)
    assert (spans, fits) == (4, False)
    assert (len(whole), items != whole) == (10, True)


def test_rows_without_ids_are_noticed():
    rows = [("", SENT, "+12075550111", "", "the same")] * 4
    _, _, fits, spans = looked_at("x.csv", as_csv(rows), 2)
    assert (fits, spans) == (False, 2)
    content = as_csv(rows).replace(b"id,", b"other,", 1)
    assert looked_at("x.csv", content, 2)[3] == 0


@given(ROWS, COUNTS, st.booleans())
def test_lines_of_json_are_cut_between_them(given_rows, count, blank):
    rows = [json.dumps(dict(zip(HEAD, one, strict=True))) for one in rows_of(given_rows)]
    rows = ["{}", *(line for row in rows for line in ([row, ""] if blank else [row]))]
    rows[0] = json.dumps({"id": "first", "sent": SENT, "from": "+12075550111", "text": "a"})
    whole, items, fits, _ = looked_at("x.jsonl", "\n".join(rows).encode(), count)
    assert (items, fits) == (whole, True)


@given(ROWS.filter(bool), COUNTS, st.integers(1, 5))
def test_parquet_is_cut_between_any_rows(given_rows, count, group):
    columns = zip(*rows_of(given_rows), strict=True)
    out = io.BytesIO()
    table = pa.table(dict(zip(HEAD, map(list, columns), strict=True)))
    pq.write_table(table, out, row_group_size=group)
    whole, items, fits, spans = looked_at("x.parquet", out.getvalue(), count)
    assert (items, fits) == (whole, True)
    assert 1 <= spans <= count


@given(PIECES, st.integers(1, 64), COUNTS)
def test_spans_do_not_rest_on_how_much_is_looked_at_at_once(pieces, chunk, count):
    content = b"id,sent,from,to,text\n" + b"".join(pieces)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        path.write_bytes(content)
        at_once = cutting.spans_of_lines(path, count, quoted=True)
        before, cutting.CHUNK = cutting.CHUNK, chunk
        try:
            assert cutting.spans_of_lines(path, count, quoted=True) == at_once
        finally:
            cutting.CHUNK = before
