"""What the ready-made roles see beside the threads that they are for."""

from __future__ import annotations

import pytest

from threadwell.access.policy import Interaction
from threadwell.access.reading import compiled
from threadwell.access.roles import ROLES, role


@pytest.mark.parametrize("name", ROLES)
def test_who_writes_for_the_practice_sees_its_saved_replies(name: str) -> None:
    policy = compiled([(role(name), {"patient": "Patient/1"})], "Practitioner/1", frozenset())
    of_practice = {"participant", "participant-keeps-past", "care-team", "supervisor", "system"}
    sees = bool(policy.of("ActivityDefinition", Interaction.READ))
    assert sees is (name in of_practice)
    assert bool(policy.of("ActivityDefinition", Interaction.UPDATE)) is (name == "system")
