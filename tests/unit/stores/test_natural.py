"""The natural times are dates that R4 knows, and a resource has at most one."""

from __future__ import annotations

import pytest

from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.search.extract import parameter_ways
from threadwell.fhir.search.values import DateValue
from threadwell.stores.natural import NATURAL, NO_TIME, natural_time
from threadwell.stores.sql.compounds import COMPOUNDS, Compound
from threadwell.stores.sql.shapes import PRESENT_BITS


@pytest.mark.parametrize(("type_", "param"), NATURAL.items())
def test_a_natural_time_is_a_date_of_its_type(type_: str, param: str) -> None:
    parameter = search_parameters(type_)[param]
    assert parameter.type == "date"
    ways = parameter_ways(parameter, type_)
    assert ways
    # An index in natural order can stand for the date only where it is one.
    assert not [way for way in ways for step in way.steps if getattr(step, "many", False)]


def test_the_earliest_value_counts_and_none_is_before_all() -> None:
    values = {"sent": [DateValue(7, 8)]}
    assert natural_time("Communication", values) == 7
    assert natural_time("Communication", {}) == NO_TIME
    assert natural_time("Patient", values) == NO_TIME


@pytest.mark.parametrize("compound", COMPOUNDS, ids=lambda c: f"{c.type} {c.name}")
def test_a_compound_is_of_parameters_that_its_type_has(compound: Compound) -> None:
    params = search_parameters(compound.type)
    assert {*compound.missing, *compound.params} <= set(params)
    for param in compound.params:
        assert params[param].type in {"token", "reference"}
    assert set(compound.closed) <= set(compound.params)


def test_every_parameter_of_the_types_in_use_has_a_bit() -> None:
    for type_ in ("Patient", "Communication", "Encounter", "Task", "Observation"):
        assert len(search_parameters(type_)) <= PRESENT_BITS
