"""The parts of a search in SQLite's SQL, each with its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threadwell.fhir.json import encode
from threadwell.stores.sql.condition import (
    Always,
    OneOf,
    Present,
    RowTest,
    Stream,
    TextScan,
    TextWay,
    UpdatedWithin,
)


def row_sql(test: RowTest) -> tuple[str, list[Any]]:
    """A question to the row ``r`` of a resource."""
    match test:
        case Always(holds):
            return ("1" if holds else "0"), []
        case Present(bit, missing):
            return f"r.present & ? {'=' if missing else '<>'} 0", [bit]
        case UpdatedWithin(stretches):
            within = " OR ".join("r.updated * 1000 BETWEEN ? AND ?" for _ in stretches)
            return f"({within or '0'})", [end for stretch in stretches for end in stretch]
        case OneOf(ids, negate):
            known = "NOT IN" if negate else "IN"
            return f"r.id {known} (SELECT value FROM json_each(?))", [as_json(ids)]


def text_sql(scan: TextScan) -> tuple[str, list[Any]]:
    """The ``rid`` of the resources with such a text, each once."""
    under = "SELECT DISTINCT rid FROM text WHERE key = ?"
    if scan.way is TextWay.ALL:
        return under, [scan.key]
    if scan.way is TextWay.STARTS:
        # No character is above U+10FFFF, so what starts with a text is below that text and it.
        one = "folded >= ? AND folded < ? || char(1114111)"
        params: list[Any] = [p for text in scan.texts for p in (scan.key, text, text)]
    else:
        one = "instr(folded, ?)" if scan.way is TextWay.CONTAINS else "folded = ?"
        params = [p for text in scan.texts for p in (scan.key, text)]
    return " UNION ".join([f"{under} AND {one}"] * len(scan.texts)), params


def streams_sql(streams: Sequence[Stream]) -> tuple[str, list[Any]]:
    """The ``rid`` of the resources in such lists, each once."""
    if len(streams) == 1:
        # Of a single list only dates can repeat a resource.
        (only,) = streams
        return (
            "SELECT DISTINCT rid FROM posting WHERE key = ? AND sort >= ? AND sort <= ?",
            [only.key, only.low, only.high],
        )
    if all(stream.whole for stream in streams):
        return (
            "SELECT DISTINCT rid FROM posting WHERE key IN (SELECT value FROM json_each(?))",
            [as_json([stream.key for stream in streams])],
        )
    # One parameter: an id without its type has a list in every type there is.
    return (
        "SELECT DISTINCT d.rid FROM json_each(?) s CROSS JOIN posting d"
        " WHERE d.key = s.value ->> 0 AND d.sort >= s.value ->> 1 AND d.sort <= s.value ->> 2",
        [as_json([(s.key, s.low, s.high) for s in streams])],
    )


def as_json(values: Sequence[str | int | tuple[int, ...]]) -> str:
    """A JSON array: one parameter, and one statement, for lists of every length."""
    return encode(list(values)).decode()
