"""What a resource says of itself finds it; time zones and spelling make no difference."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.fold import contact_code, fold, searched
from threadwell.fhir.search.match import date_matches, values_match
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.sought import DateMatch, Prefix
from threadwell.fhir.search.times import query_range, value_range
from threadwell.fhir.search.values import DateValue

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: not text[0].isspace()
)
zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
stretches = st.tuples(st.integers(-50, 50), st.integers(1, 40)).map(lambda t: (t[0], sum(t)))


def escaped(text):
    for character in "\\,|$":
        text = text.replace(character, f"\\{character}")
    return text


def finds(query, resource):
    (filter_,) = parse_query(resource["resourceType"], [query]).filters
    return values_match(filter_, extract(resource).get(filter_.param, []))


@given(texts, texts)
def test_an_identifier_is_found_by_itself(system, value):
    resource = {"resourceType": "Patient", "identifier": [{"system": system, "value": value}]}
    assert finds(("identifier", f"{escaped(system)}|{escaped(value)}"), resource)
    assert finds(("identifier", escaped(value)), resource)
    assert not finds(("identifier:not", f"x,{escaped(value)}"), resource)
    assert not finds(("identifier", f"{escaped(system + 'x')}|{escaped(value)}"), resource)


@given(texts)
def test_a_contact_point_is_found_by_itself(value):
    resource = {"resourceType": "Patient", "telecom": [{"system": "phone", "value": value}]}
    assert finds(("phone", escaped(value)), resource)
    assert contact_code(contact_code(value)) == contact_code(value)


@given(texts, texts)
def test_a_name_is_found_by_its_beginning_in_any_case(beginning, rest):
    resource = {"resourceType": "Patient", "name": [{"family": beginning + rest}]}
    for query in (beginning, beginning.lower(), searched(beginning), beginning + rest):
        if searched(query):
            assert finds(("family", escaped(query)), resource)
    assert finds(("family:exact", escaped(beginning + rest)), resource)
    if searched(rest):
        assert finds(("family:contains", escaped(rest)), resource)


@given(texts)
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)
    assert searched(searched(text)) == searched(text)


@given(moments, zones, zones)
def test_a_moment_is_the_same_in_every_zone(moment, one, other):
    here, there = (
        moment.astimezone(zone).isoformat(timespec="milliseconds") for zone in (one, other)
    )
    assert value_range(here) == value_range(there)
    assert query_range(here) == value_range(here)
    resource = {"resourceType": "Communication", "sent": here}
    assert finds(("sent", there), resource)
    assert finds(("sent", there.replace("+", " ")), resource)
    assert not finds(("sent", f"gt{there}"), resource)


@given(moments, st.integers(0, 9))
def test_a_moment_is_found_as_it_is_written(moment, digits):
    time = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment:%f}000"[: 20 + digits].rstrip(".") + "Z"
    resource = {"resourceType": "Communication", "sent": time}
    for query in (time, f"ge{time}", f"le{time}"):
        assert finds(("sent", query), resource)
    if digits >= 3:
        for query in (f"ne{time}", f"gt{time}", f"lt{time}", f"sa{time}", f"eb{time}"):
            assert not finds(("sent", query), resource)


@given(moments)
def test_a_moment_lies_in_its_day_month_and_year(moment):
    low, high = value_range(moment.isoformat(timespec="milliseconds"))
    for partial in (f"{moment:%Y-%m-%d}", f"{moment:%Y-%m}", f"{moment:%Y}"):
        from_, to = query_range(partial)
        assert from_ <= low < high <= to


@given(stretches, stretches)
def test_prefixes_agree_with_each_other(value, wanted):
    holds = {
        prefix: date_matches(DateMatch(prefix, *wanted), DateValue(*value)) for prefix in Prefix
    }
    assert holds[Prefix.NE] is not holds[Prefix.EQ]
    assert holds[Prefix.GE] >= (holds[Prefix.GT] or holds[Prefix.EQ])
    assert holds[Prefix.LE] >= (holds[Prefix.LT] or holds[Prefix.EQ])
    assert holds[Prefix.GE] is not holds[Prefix.EB]
    assert holds[Prefix.LE] is not holds[Prefix.SA]
    assert holds[Prefix.AP] is (holds[Prefix.GE] and holds[Prefix.LE])
    assert holds[Prefix.SA] <= holds[Prefix.GT]
    assert holds[Prefix.EB] <= holds[Prefix.LT]
    assert holds[Prefix.AP] is not (holds[Prefix.SA] or holds[Prefix.EB])
    assert holds[Prefix.EQ] or holds[Prefix.GT] or holds[Prefix.LT]


@pytest.mark.parametrize("parameter", ["sent", "received"])
@given(moments, st.lists(moments, max_size=4))
def test_an_or_list_in_any_order_finds_the_same(parameter, moment, others):
    sent = moment.isoformat(timespec="milliseconds")
    resource = {"resourceType": "Communication", parameter: sent}
    listed = [sent, *(other.isoformat(timespec="milliseconds") for other in others)]
    for query in (listed, listed[::-1]):
        assert finds((parameter, ",".join(query)), resource)
