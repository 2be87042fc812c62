"""Who is looked for together: those whose policies show the same, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from threadwell.access.limited import Limited
from threadwell.access.policy import NOTHING, Entry, Interaction, Policy
from threadwell.api.subscriptions.following import _sight
from threadwell.fhir.search.query import IdFilter
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore


def view(policy: Policy) -> Limited:
    return Limited(MemoryStore(), DEFAULT_PROJECT, policy, frozenset())


def policy(**of: Any) -> Policy:
    entry = Entry("Communication", (IdFilter(("a",)),))
    return Policy({"Communication": (replace(entry, **of),)}, "Practitioner/1")


@pytest.mark.parametrize("type_", ["Communication", "Binary"])
def test_equal_policies_show_the_same(type_: str) -> None:
    assert _sight(view(policy()), type_) == _sight(view(policy()), type_)


@pytest.mark.parametrize(
    "of",
    [
        {"filters": (IdFilter(("b",)),)},
        {"filters": ()},
        {"hidden": frozenset({"payload"})},
        {"interactions": frozenset({Interaction.READ})},
    ],
)
def test_what_differs_shows_something_else(of: dict[str, Any]) -> None:
    assert _sight(view(policy()), "Communication") != _sight(view(policy(**of)), "Communication")


@pytest.mark.parametrize("of", [{"profile": "Practitioner/2"}, {"bars": (NOTHING,)}])
def test_files_of_their_own_are_theirs_alone(of: dict[str, Any]) -> None:
    """As far as nothing bars them from these."""
    one, other = view(policy()), view(replace(policy(), **of))
    assert _sight(one, "Binary") != _sight(other, "Binary")
    assert _sight(one, "Communication") == _sight(other, "Communication")
