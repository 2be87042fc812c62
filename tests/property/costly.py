"""Properties whose examples take long: one is a record made several times, and verified."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

#: Few in every run, as many as of any other in ``make campaign``.
COSTLY = settings(
    max_examples=20 if settings().derandomize else settings().max_examples,
    suppress_health_check=[HealthCheck.too_slow],
)
