"""Dates of resources and of queries, as the stretches that they stand for."""

from datetime import UTC, datetime, timedelta

import pytest

from threadwell.fhir.search.times import query_range, value_range

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(*parts):
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


DATES = [
    ("2024", at(2024, 1, 1), at(2025, 1, 1)),
    ("2024-02", at(2024, 2, 1), at(2024, 3, 1)),
    ("2024-12", at(2024, 12, 1), at(2025, 1, 1)),
    ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1)),
    ("1969-12-31", at(1969, 12, 31), 0),
    ("9999", at(9999, 1, 1), at(9999, 12, 31) + 86_400_000_000),
]


@pytest.mark.parametrize("read", [value_range, query_range])
@pytest.mark.parametrize(("text", "low", "high"), DATES)
def test_a_partial_date_spans_all_it_leaves_open(read, text, low, high):
    assert read(text) == (low, high)


NINE = at(2024, 4, 10, 9)


@pytest.mark.parametrize(
    ("text", "low", "value_length", "query_length"),
    [
        ("2024-04-10T09:00:00.000Z", NINE, 1000, 1000),
        ("2024-04-10T09:00:00Z", NINE, 1000, 1_000_000),
        ("2024-04-10T09:00:00", NINE, 1000, 1_000_000),
        ("2024-04-10T11:00:00+02:00", NINE, 1000, 1_000_000),
        ("2024-04-10T03:30:00-05:30", NINE, 1000, 1_000_000),
        ("2024-04-10T09:00:00.5Z", NINE + 500_000, 1000, 100_000),
        ("2024-04-10T09:00:00.1234Z", NINE + 123_400, 100, 100),
        ("2024-04-10T11:00:00.12345+02:00", NINE + 123_450, 10, 10),
        ("2024-04-10T09:00:00.123456", NINE + 123_456, 1, 1),
        ("2024-04-10T09:00:00.123456Z", NINE + 123_456, 1, 1),
        ("2024-04-10T09:00:00.123456789Z", NINE + 123_456, 1, 1),
        ("2024-04-10T08:59:60.0001Z", NINE + 100, 100, 100),
        ("2024-04-10T08:59:60Z", NINE, 1000, 1_000_000),
        ("0001-01-01T00:00:00+14:00", at(1, 1, 1) - 14 * 3_600_000_000, 1000, 1_000_000),
    ],
)
def test_a_time_of_a_resource_is_a_point_and_of_a_query_what_is_written(
    text, low, value_length, query_length
):
    assert value_range(text) == (low, low + value_length)
    assert query_range(text) == (low, low + query_length)


def test_a_query_may_stop_at_the_minute():
    assert query_range("2024-04-10T09:00Z") == (NINE, NINE + 60_000_000)


@pytest.mark.parametrize(
    "text",
    ["", "24", "2024-13", "2023-02-29", "2024-4-1", "0000", "2024-04-10T", "2024-04-10T09Z",
     "2024-04-10 09:00:00Z", "20240410T090000Z", "2024-04-10T25:00:00Z", "today", "2024-W15-3",
     "２０２４"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):
        query_range(text)
