"""AccessPolicy resources: what is honoured, and what is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.access.policy import Interaction
from threadwell.access.reading import BadPolicy, check_policy, compiled, variables_of
from threadwell.access.roles import ROLES, about_role, role

ME = "Practitioner/7"


def policy(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "AccessPolicy", "name": "p", "resource": list(entries), **more}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "no AccessPolicy"),
        ({"resourceType": "Patient"}, "no AccessPolicy"),
        (policy(), "must name a type"),
        (policy({"resourceType": "Patient"}, name=" "), "AccessPolicy.name"),
        (policy({"resourceType": "Patient"}, basedOn=[]), "AccessPolicy.basedOn"),
        (policy({"resourceType": "Patient"}, ipAccessRule=[]), "AccessPolicy.ipAccessRule"),
        (policy({"resourceType": "Nobody"}), "resource[0].resourceType"),
        (policy({"resourceType": ["Patient"]}), "resource[0].resourceType"),
        (policy({"resourceType": {}}), "resource[0].resourceType"),
        (policy({"resourceType": "Patient", "writeConstraint": []}), "writeConstraint"),
        (policy({"resourceType": "Patient", "compartment": {}}), "compartment"),
        (policy({"resourceType": "Patient", "readonly": "yes"}), "readonly"),
        (policy({"resourceType": "Patient", "interaction": ["peek"]}), "interaction"),
        (policy({"resourceType": "Patient", "interaction": []}), "interaction"),
        (policy({"resourceType": "Patient", "interaction": [["read"]]}), "interaction"),
        (policy({"resourceType": "Patient", "interaction": [{}, 1]}), "interaction"),
        (policy({"resourceType": "Patient", "criteria": "Task?owner=%profile"}), "criteria"),
        (policy({"resourceType": "Patient", "criteria": "Patient"}), "criteria"),
        (policy({"resourceType": "Patient", "criteria": "Patient?"}), "criteria"),
        (policy({"resourceType": "Patient", "criteria": "Patient?foo=1"}), "foo"),
        (policy({"resourceType": "Patient", "criteria": "Patient?_sort=name"}), "only ask"),
        (policy({"resourceType": "Patient", "criteria": "Patient?name=a&_count=5"}), "only ask"),
        (policy({"resourceType": "Patient", "hiddenFields": "name"}), "hiddenFields"),
        (policy({"resourceType": "Patient", "hiddenFields": ["payload"]}), "no element"),
        (policy({"resourceType": "Patient", "hiddenFields": ["id"]}), "cannot have"),
        (policy({"resourceType": "Binary", "hiddenFields": ["data"]}), "a Binary is its data"),
        (policy({"resourceType": "Binary", "readonlyFields": ["data"]}), "make the entry readonly"),
        (policy({"resourceType": "Patient", "hiddenFields": ["name..x"]}), "cannot have"),
        (policy({"resourceType": "Patient", "readonlyFields": ["meta"]}), "cannot have"),
        (policy(*[{"resourceType": "Patient"}] * 201), "more than 200"),
    ],
)
def test_what_cannot_be_honoured_is_refused(given: Any, told: str) -> None:
    with pytest.raises(BadPolicy, match=None) as refused:
        check_policy(given)
    assert told in str(refused.value)


@pytest.mark.parametrize("type_", ["AccessPolicy", "Bot", "ProjectMembership"])
def test_what_medplum_adds_to_the_types_gives_nothing(type_: str) -> None:
    both = policy({"resourceType": "Patient", "readonly": True}, {"resourceType": type_})
    check_policy(both)
    assert set(compiled([(both, {})], ME).entries) == {"Patient"}


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_a_policy(name: str) -> None:
    assert check_policy(role(name))["name"] == name
    assert about_role(name)


@pytest.mark.parametrize(
    ("criteria", "variables"),
    [
        ("Task?owner=%profile", set()),
        ("Task?owner=%profile&patient=%patient", {"patient"}),
        ("Task?owner=%profile.id", set()),
        ("Task?code=%facility", {"facility"}),
    ],
)
def test_what_a_policy_has_to_be_told(criteria: str, variables: set[str]) -> None:
    assert variables_of(policy({"resourceType": "Task", "criteria": criteria})) == variables


def test_a_variable_is_one_value() -> None:
    """Whatever is in it, it widens nothing."""
    of = policy({"resourceType": "Task", "criteria": "Task?code=%what&owner=%profile"})
    found = compiled([(of, {"what": "a,b&owner:missing=true"})], ME).entries["Task"][0]
    plain = compiled([(of, {"what": "x"})], ME).entries["Task"][0]
    assert len(found.filters) == len(plain.filters) == 2
    assert found.filters[1] == plain.filters[1]
    assert [match.code for match in found.filters[0].matches] == [  # type: ignore[union-attr]
        "a,b&owner:missing=true"
    ]


def test_a_variable_that_nobody_tells_is_refused() -> None:
    of = policy({"resourceType": "Task", "criteria": "Task?patient=%patient"})
    with pytest.raises(BadPolicy, match="%patient is given by no parameter"):
        compiled([(of, {})], ME)


def test_entries_add_up() -> None:
    one = policy({"resourceType": "Task", "readonly": True, "criteria": "Task?owner=%profile"})
    other = policy({"resourceType": "Task", "interaction": ["create"]}, name="q")
    both = compiled([(one, {}), (other, {})], ME)
    assert len(both.of("Task", Interaction.READ)) == 1
    assert len(both.of("Task", Interaction.CREATE)) == 1
    assert both.of("Task", Interaction.DELETE) == ()
    assert both.of("Patient", Interaction.READ) == ()


def test_a_star_is_every_type_that_can_be_asked_so() -> None:
    of = policy({"resourceType": "*", "criteria": "*?_compartment=%patient", "readonly": True})
    found = compiled([(of, {"patient": "Patient/1"})], ME)
    assert found.of("Communication", Interaction.READ)
    assert not found.of("Communication", Interaction.UPDATE)


def test_a_compartment_is_a_criterion() -> None:
    """As Medplum's policies have it beside ``criteria``, or in place of them."""
    of = policy(
        {
            "resourceType": "*",
            "compartment": {"reference": "%patient", "display": "The patient"},
            "readonly": True,
        }
    )
    assert variables_of(of) == {"patient"}
    found = compiled([(of, {"patient": "Patient/1"})], ME)
    asked = policy({"resourceType": "*", "criteria": "*?_compartment=%patient", "readonly": True})
    same = compiled([(asked, {"patient": "Patient/1"})], ME)
    for type_, entries in found.entries.items():
        assert [one.filters for one in entries] == [one.filters for one in same.entries[type_]]
    both = policy(
        {
            "resourceType": "Task",
            "criteria": "Task?owner=%profile",
            "compartment": {"reference": "Patient/1"},
        }
    )
    assert len(compiled([(both, {})], ME).entries["Task"][0].filters) == 2
    with pytest.raises(BadPolicy, match="%patient is given by no parameter"):
        compiled([(of, {})], ME)


@pytest.mark.parametrize(
    "compartment",
    [
        None,
        "Patient/1",
        {},
        {"reference": ""},
        {"reference": "Organization/1"},
        {"reference": "Patient/1,Patient/2"},
        {"reference": "Patient/%patient"},
        {"reference": "Patient?name=a"},
        {"reference": "Patient/1", "identifier": {"value": "x"}},
    ],
)
def test_a_compartment_that_cannot_be_meant_is_refused(compartment: Any) -> None:
    """A policy that left it out would show too much."""
    with pytest.raises(BadPolicy, match="compartment"):
        check_policy(policy({"resourceType": "Task", "compartment": compartment}))
