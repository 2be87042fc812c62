"""What is remembered of searches and writes is little, whatever it is that they hold."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.fhir.outcome import FhirError
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.sought import TokenMatch
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.sql.entries import entries
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.quick import quick_lead
from threadwell.stores.suite.scenario import query


def _tokens() -> int:
    gc.collect()
    return sum(isinstance(one, TokenMatch) for one in gc.get_objects())


def test_a_long_search_is_forgotten() -> None:
    keys, before = Keys(bytes(16)), _tokens()
    for n in range(10):
        tokens = ",".join(f"https://example.org/mrn|{n}-{k}" for k in range(1000))
        assert quick_lead(keys, DEFAULT_PROJECT, query(f"Patient?identifier={tokens}")) is None
    assert _tokens() == before


def test_a_search_for_a_long_value_is_forgotten() -> None:
    keys, before = Keys(bytes(16)), _tokens()
    for n in range(10):
        assert (
            quick_lead(keys, DEFAULT_PROJECT, query(f"Patient?identifier={n}{'9' * 9999}")) is None
        )
    assert _tokens() == before


def test_a_chain_to_many_types_is_forgotten() -> None:
    before = _tokens()
    for n in range(10):
        tokens = ",".join(f"{n}{k}" for k in range(50))
        assert query(f"Provenance?target.identifier={tokens}").filters
        # This one is even refused, once it was read.
        with pytest.raises(FhirError):
            query(f"Provenance?target.identifier={tokens},{tokens}")
    assert _tokens() == before


def test_a_short_search_is_remembered() -> None:
    keys = Keys(bytes(16))
    first, second = (
        quick_lead(keys, DEFAULT_PROJECT, query("Patient?identifier=https://example.org/mrn|1,2"))
        for _ in range(2)
    )
    assert first is not None
    assert first is second


@pytest.mark.parametrize("member", ["text", "system", "code"])
def test_long_values_are_written_and_forgotten(member: str) -> None:
    keys = Keys(bytes(16))
    tracemalloc.start()
    try:
        for n in range(20):
            long = f"{n}{'x' * 100_000}"
            coding = {"system": "https://example.org/s", "code": "x", member: long}
            concept = {"text": long} if member == "text" else {"coding": [coding]}
            resource = {"resourceType": "Observation", "id": "o", "code": concept}
            assert entries(keys, DEFAULT_PROJECT, resource, 0).present
        del long, coding, concept, resource
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Ten of them, were they kept.
    assert kept < 1_000_000


_STATUS = st.sampled_from(["completed", "in-progress", "entered-in-error", "half \ud800"])
_WHOM = st.sampled_from(["Patient/1", "Practitioner/1", "https://example.org/fhir/Patient/1", ""])
_CONCEPT = st.fixed_dictionaries(
    {}, optional={"text": st.sampled_from(["a", "A b"]), "coding": st.just([{"code": "x"}])}
)
_ID = st.fixed_dictionaries({"value": st.sampled_from(["1", "2"])}, optional={"system": _WHOM})


def _reference(whom: str) -> dict[str, str]:
    return {"reference": whom} if whom else {"display": "somebody"}


_SOMEBODY = _WHOM.map(_reference)
_COMMUNICATION = st.fixed_dictionaries(
    {"resourceType": st.just("Communication"), "status": _STATUS},
    optional={
        "subject": _SOMEBODY,
        "sender": _SOMEBODY,
        "recipient": st.lists(_SOMEBODY, max_size=2),
        "medium": st.lists(_CONCEPT, max_size=2),
        "category": st.lists(_CONCEPT, max_size=2),
        "partOf": st.lists(_SOMEBODY, max_size=1),
        "identifier": st.lists(_ID, max_size=2),
        "sent": st.sampled_from(["2024-03-09", "2024-03-09T20:00:00Z"]),
    },
)


@given(st.lists(_COMMUNICATION, max_size=12))
def test_what_is_remembered_changes_nothing(resources: list[Resource]) -> None:
    keys = Keys(bytes(16))
    for one in resources:
        found, anew = (entries(those, DEFAULT_PROJECT, one, 1) for those in (keys, Keys(bytes(16))))
        assert list(map(sorted, found[:3])) == list(map(sorted, anew[:3]))
        assert found[3:] == anew[3:]
