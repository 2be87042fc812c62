"""Times as FHIR has them are those that Python's own calendar gives."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.encounters.times import fhir_time, microseconds, parse_fhir_time


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_written_as_the_calendar_has_it_and_read_back(moment):
    text = fhir_time(microseconds(moment))
    assert text == moment.isoformat()[:-6] + "Z"
    assert parse_fhir_time(text) == microseconds(moment)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_712_739_600_000_000, "2024-04-10T09:00:00Z"),
        (1_712_739_600_000_100, "2024-04-10T09:00:00.000100Z"),
        (1_709_251_199_500_000, "2024-02-29T23:59:59.500000Z"),
    ],
)
def test_as_many_decimals_as_it_takes(at, text):
    assert fhir_time(at) == text


def test_what_no_calendar_has_is_refused():
    beyond = microseconds(datetime.max.replace(tzinfo=UTC)) + 1
    with pytest.raises(OverflowError):
        fhir_time(beyond)
