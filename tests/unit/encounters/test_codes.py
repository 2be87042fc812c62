"""What the codes say of an identifier, as written now and as stores have it from before."""

from __future__ import annotations

import pytest

from threadwell.encounters.codes import ANSWERED, ROOT, has_role, identifier_role


@pytest.mark.parametrize(
    ("identifier", "roles"),
    [
        ({"extension": [identifier_role(ANSWERED)]}, {ANSWERED}),
        ({"extension": [{"url": "urn:x:y", "valueCode": "z"}, identifier_role(ROOT)]}, {ROOT}),
        ({"type": {"text": "in reply to"}}, {ANSWERED}),
        ({"type": {"text": "first message"}}, {ROOT}),
        ({"type": {"text": "passport"}}, set()),
        ({"type": {"coding": [{"code": "PPN"}]}}, set()),
        ({}, set()),
    ],
)
def test_what_an_identifier_stands_for(identifier, roles):
    assert {role for role in (ANSWERED, ROOT) if has_role(identifier, role)} == roles
