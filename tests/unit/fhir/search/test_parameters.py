"""Every search parameter of every R4 type is searchable, or named here with the reason."""

import pytest

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.search.convert import converter
from threadwell.fhir.search.extract import extract, parameter_ways, unsearchable
from threadwell.fhir.search.field import field

NO_EXPRESSION = "R4 gives no expression for it"
UNSEARCHABLE = {
    "_content": NO_EXPRESSION,
    "_filter": NO_EXPRESSION,
    "_query": NO_EXPRESSION,
    "_text": NO_EXPRESSION,
    "age": NO_EXPRESSION,
    "birthOrderBoolean": NO_EXPRESSION,
    "near": "its matching is of its own kind",
}


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_every_parameter_leads_to_values_it_can_convert(type_):
    found = {}
    for code, parameter in search_parameters(type_).items():
        reason = unsearchable(parameter)
        if reason:
            found[code] = reason
            continue
        ways = parameter_ways(parameter, type_)
        if parameter.components:
            parts = field(type_, code).components
            assert len(parts) == len(parameter.components)
            for part in parts:
                assert any(converter(part.type, element) for element in part.element_types), code
        else:
            assert any(converter(parameter.type, way.type) for way in ways), code
    assert found.items() <= UNSEARCHABLE.items()
    assert extract({"resourceType": type_}).keys() <= {"deceased"}


def test_the_parameters_of_all_resources_are_those_of_each():
    of_all = {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"}
    assert all(of_all <= search_parameters(type_).keys() for type_ in RESOURCE_TYPES)


def test_the_parameters_of_domain_resources_are_not_those_of_a_bundle():
    assert "_text" in search_parameters("Patient")
    assert "_text" not in search_parameters("Bundle")


def test_an_unknown_type_has_none():
    assert search_parameters("Visit") == {}


@pytest.mark.parametrize(
    ("type_", "code", "targets"),
    [
        ("Communication", "patient", ("Patient",)),
        ("Communication", "subject", ("Patient", "Group")),
        ("Communication", "encounter", ("Encounter",)),
        ("Encounter", "patient", ("Patient",)),
        ("RelatedPerson", "patient", ("Patient",)),
    ],
)
def test_targets_are_those_that_the_element_may_have(type_, code, targets):
    assert field(type_, code).targets == targets
    assert set(search_parameters(type_)[code].targets) >= set(targets)
