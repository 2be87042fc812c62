"""Wall-clock times become instants, also on the nights when the clock is changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels.channel import NeedsZone
from threadwell.channels.localtime import to_instant

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("wall", "after", "expected", "noted"),
    [
        ("2025-07-01 12:00", None, "2025-07-01 16:00", False),
        ("2025-11-02 00:59", None, "2025-11-02 04:59", False),
        ("2025-11-02 01:30", None, "2025-11-02 05:30", True),
        ("2025-11-02 01:30", "2025-11-02 05:30", "2025-11-02 05:30", True),
        ("2025-11-02 01:30", "2025-11-02 05:31", "2025-11-02 06:30", True),
        ("2025-11-02 02:00", "2025-11-02 06:31", "2025-11-02 07:00", False),
        ("2025-03-09 01:59", None, "2025-03-09 06:59", False),
        ("2025-03-09 02:30", None, "2025-03-09 07:30", True),
        ("2025-03-09 03:00", None, "2025-03-09 07:00", False),
    ],
)
def test_the_moment_of_a_wall_clock(
    wall: str, after: str | None, expected: str, noted: bool
) -> None:
    before = datetime.fromisoformat(after).replace(tzinfo=UTC) if after else None
    instant = to_instant(datetime.fromisoformat(wall), NEW_YORK, before)
    assert instant.time == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert bool(instant.note) is noted


def test_without_a_zone_nobody_guesses() -> None:
    with pytest.raises(NeedsZone, match="--zone"):
        to_instant(datetime(2025, 7, 1, 12), None)  # noqa: DTZ001
