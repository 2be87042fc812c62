"""Cursors hold a place, and nothing else is taken for one."""

from base64 import urlsafe_b64encode
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search.cursor import Cursor, read_cursor, write_cursor
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Place, Sort

numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=[]))
decimals = st.decimals(allow_nan=False, allow_infinity=False)
values = {
    "_id": texts,
    "_lastUpdated": numbers,
    "date": st.none() | numbers,
    "value-quantity": st.none() | decimals,
    "status": st.none() | texts,
    "subject": st.none() | texts,
}


@given(st.lists(st.sampled_from(sorted(values)), max_size=4), st.booleans(), numbers, st.data())
def test_a_cursor_is_read_as_it_was_written(keys, back, number, data):
    sort = [Sort(key) for key in keys]
    place = tuple(data.draw(values[key]) for key in keys) or (data.draw(numbers),)
    text = write_cursor(Cursor(Place(place, number), back))
    assert read_cursor("Observation", sort, text) == Cursor(Place(place, number), back)
    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()


def packed(text):
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("sort", [[], [Sort("date")], [Sort("value-quantity")], [Sort("_id")]])
@pytest.mark.parametrize(
    "text",
    [
        "x", "é", "=", "_", "1234", packed(""), packed("7"), packed("[]"), packed("[[1],2]"),
        packed("[[true],2,0]"), packed("[[1.5],2,0]"), packed("[[1],2,7]"), packed("[[1,2],3,0]"),
        packed('[["a","b"],3,0]'), packed("[[9223372036854775808],2,0]"), packed("[[1],1e999,0]"),
        packed('[[["NaN"]],2,0]'), packed('[[["x"]],2,0]'), packed('[[["1","2"]],2,0]'),
        packed('[[{}],2,0]'), packed("[" * 100_000), packed('[["a"],"b",0]'), packed("[[NaN],2,0]"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(sort, text):
    with pytest.raises(FhirError, match="_cursor is not from a link of this search") as refused:
        read_cursor("Observation", sort, text)
    assert refused.value.status == 400


def test_a_cursor_is_of_the_order_that_it_was_made_for():
    text = write_cursor(Cursor(Place((Decimal("1.50"),), 7)))
    assert read_cursor("Observation", [Sort("value-quantity")], text).place.number == 7
    for sort in ([], [Sort("date")], [Sort("value-quantity"), Sort("date")], [Sort("status")]):
        with pytest.raises(FhirError):
            read_cursor("Observation", sort, text)


def test_a_query_has_the_place_whatever_stands_first():
    text = write_cursor(Cursor(Place((None, "a"), 7), back=True))
    for params in (
        [("_cursor", text), ("_sort", "date,-_id")],
        [("_sort", "date,-_id"), ("_cursor", text)],
    ):
        query = parse_query("Observation", params)
        assert (query.after, query.back) == (Place((None, "a"), 7), True)
    with pytest.raises(FhirError, match="_cursor and _offset"):
        parse_query("Observation", [*params, ("_offset", "1")])
