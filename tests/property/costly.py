"""Properties whose examples take long: one is a record made several times, and verified."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def costly(few: int) -> settings:
    """So few in every run, as many as of any other in ``make campaign``."""
    return settings(
        max_examples=few if settings().derandomize else settings().max_examples,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


COSTLY = costly(20)
