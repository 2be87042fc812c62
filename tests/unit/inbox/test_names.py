"""What people are called on a page."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.inbox.names import resource_name

WILLIAM = {"family": "Reed", "given": ["William", "Henry"]}
WILL = {"use": "nickname", "given": ["Will"]}


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([WILLIAM], "William Henry Reed"),
        ([WILLIAM, WILL], "William Henry Reed"),
        ([WILL, WILLIAM], "William Henry Reed"),
        ([{"use": "maiden", "family": "Eze"}, WILLIAM], "William Henry Reed"),
        ([WILLIAM, {"use": "official", "text": "W. H. Reed"}], "W. H. Reed"),
        ([WILL], "Will"),
    ],
)
def test_nobody_is_shown_by_a_nickname_who_has_a_name(
    names: list[dict[str, Any]], shown: str
) -> None:
    assert resource_name({"resourceType": "Patient", "name": names}) == shown
