"""The parts of a search in SQLite's SQL, each with its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from threadwell.fhir.json import encode
from threadwell.fhir.search.query import Filter
from threadwell.stores.sql.conditions import (
    MANY_LISTS,
    Always,
    Condition,
    OneOf,
    Present,
    RowTest,
    Stream,
    TextScan,
    TextWay,
    UpdatedWithin,
)
from threadwell.stores.sql.plan import MERGED, Lead

#: Lists that are looked into for each resource, where to ask it itself costs little.
_FEW = 4


def source_sql(type_: str, pid: int, lead: Lead) -> tuple[str, list[Any]]:
    """The resources of a lead, each once, as a statement that gives their ``rid``."""
    if lead.ids is not None:
        return (
            "SELECT rid FROM resource WHERE id IN (SELECT value FROM json_each(?))"
            " AND type = ? AND pid = ? AND NOT deleted",
            [as_json(lead.ids), type_, pid],
        )
    if lead.text is not None:
        return text_sql(lead.text)
    return streams_sql(lead.streams or ())


def where_sql(
    conditions: Sequence[Condition],
    natural: Mapping[int, tuple[Stream, ...]],
    lead: Lead,
    place: str,
    *,
    is_known: bool = False,
) -> tuple[str, list[Any], list[Filter], bool]:
    """What to ask of each resource of a lead: SQL, parameters, doubts, whether of its row.

    ``natural`` are the ``plan.natural_dates`` that hold anything; ``place`` is the column that has
    the natural time of a resource. ``is_known``: what is in doubt of a version is mostly known, so
    that to ask the resource costs less than a few lists.
    """
    most = _FEW if is_known else MANY_LISTS
    asked: list[str] = []
    params: list[Any] = []
    doubts: list[Filter] = []
    row = False
    for position, condition in enumerate(conditions):
        if position in lead.settled:
            continue
        if condition.is_either(most):
            question, more = _probed(condition, place)
            asked.append(question)
            params += more
            row = row or place == "r.sort" or condition.asks_row
            continue
        if position in lead.led:
            doubts.append(condition.filter)
            continue
        if condition.is_dear(most):
            doubts.append(condition.filter)
            continue
        if condition.keys is not None:
            question, more = _listed(condition.keys, condition.negate, place)
            asked.append(question)
            params += more
            row = row or place == "r.sort"
        elif position in natural:
            dates = natural[position]
            at = f"EXISTS (SELECT 1 FROM posting p WHERE p.key = ? AND p.sort = {place}"
            # Of two bounds of a column SQLite takes one: that of the walk is the closer one. So
            # this one is no bound to it (``+``).
            each = f"+{place} BETWEEN ? AND ? AND {at} AND p.rid = d.rid)"
            asked.append(f"({' OR '.join([each] * len(dates)) or '0'})")
            params += [part for date in dates for part in (date.low, date.high, date.key)]
            row = row or place == "r.sort"
            if not all(date.exact for date in dates):
                doubts.append(condition.filter)
            continue
        elif condition.row:
            question, more = row_sql(condition.row)
            asked.append(question)
            params += more
            row = True
        elif condition.exact and condition.text is not None:
            texts, more = text_sql(condition.text)
            asked.append(f"d.rid IN ({texts})")
            params += more
            continue
        else:
            doubts.append(condition.filter)
            continue
        if not condition.exact:
            doubts.append(condition.filter)
    where = "".join(f" AND {question}" for question in asked)
    if doubts:
        # CASE keeps SQLite from asking for the costly part first.
        where = f" AND CASE WHEN 1{where} THEN holds(r.version_id, r.body) ELSE 0 END"
        row = True
    return where, params, doubts, row


def _probed(condition: Condition, place: str) -> tuple[str, list[Any]]:
    """Whether a condition holds that can be ``probed``."""
    if condition.either is not None:
        params: list[Any] = []
        alternatives: list[str] = []
        for conditions in condition.either:
            each = [_probed(one, place) for one in conditions]
            alternatives.append(" AND ".join([question for question, _ in each]) or "1")
            params += [value for _, more in each for value in more]
        return f"({' OR '.join(f'({one})' for one in alternatives) or '0'})", params
    if condition.keys is not None:
        return _listed(condition.keys, condition.negate, place)
    assert condition.row is not None
    return row_sql(condition.row)


def _listed(keys: Sequence[int], negate: bool, place: str) -> tuple[str, list[Any]]:
    known = "NOT EXISTS" if negate else "EXISTS"
    if len(keys) <= MERGED:
        marks = ", ".join("?" * len(keys))
        params: list[Any] = [*keys]
    else:
        marks = "SELECT value FROM json_each(?)"
        params = [as_json(keys)]
    return (
        f"{known} (SELECT 1 FROM posting p WHERE p.key IN ({marks})"
        f" AND p.sort = {place} AND p.rid = d.rid)",
        params,
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
