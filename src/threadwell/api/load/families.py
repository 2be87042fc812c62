"""What is counted: the metric families, and where each of their series has its cell.

Every label value is known beforehand, so a series is a position in an array of doubles, which
many processes can share. No label holds anything of a resource: neither ids nor search values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: FHIR's interactions, and what there is beside them.
INTERACTIONS = (
    "read", "vread", "history", "search", "create", "update", "patch", "delete", "batch",
    "transaction", "capabilities", "operation", "login", "storage", "delivery", "chat", "health",
    "page", "other",
)  # fmt: skip
#: The statuses that are told apart; 0 stands for every other, and for clients that went away.
STATUSES = (
    0, 200, 201, 202, 204, 302, 303, 304, 307, 400, 401, 403, 404, 405, 406, 409, 410, 412, 413,
    415, 422, 429, 500, 503, 504, 507,
)  # fmt: skip

#: Upper bounds in seconds; one more bucket has no bound.
TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Upper bounds of how many change sets share a commit.
GROUPS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. ``series`` are label sets as they are written, ``""`` for none.

    ``bounds`` are those of a histogram, whose series take a cell for each bucket and one for the
    sum. With ``each`` every worker's value is told apart; else they are added up.
    """

    name: str
    kind: str
    help: str
    series: tuple[str, ...] = ("",)
    bounds: tuple[float, ...] = ()
    each: bool = False

    @property
    def width(self) -> int:
        """Cells of one series."""
        return len(self.bounds) + 2 if self.bounds else 1


REQUESTS = Family(
    "threadwell_requests_total",
    "counter",
    "Requests answered, by interaction and HTTP status (0: any other, or the client went away).",
    tuple(f'interaction="{i}",status="{s}"' for i in INTERACTIONS for s in STATUSES),
)
DURATION = Family(
    "threadwell_request_duration_seconds",
    "histogram",
    "Time from the head of a request to the end of its answer.",
    tuple(f'interaction="{i}"' for i in INTERACTIONS),
    TIMES,
)
IN_FLIGHT = Family("threadwell_requests_in_flight", "gauge", "Requests under way.")
CONNECTIONS = Family("threadwell_connections", "gauge", "Open connections.")
REFUSED = Family(
    "threadwell_refused_total",
    "counter",
    "Requests refused with 429 or 503, and connections cut, to keep the server going.",
    tuple(
        f'reason="{r}"'
        for r in ("in-flight", "rate", "memory", "searches", "connections", "slow", "head")
    ),
)
GROUP = Family(
    "threadwell_commit_change_sets", "histogram", "Change sets in one commit.", bounds=GROUPS
)
COMMIT = Family(
    "threadwell_commit_duration_seconds",
    "histogram",
    "Time of one commit, from its first statement until it is durable.",
    bounds=TIMES,
)
WAITING = Family(
    "threadwell_change_sets_waiting", "gauge", "Change sets that wait for the next commit."
)
ERRORS = Family(
    "threadwell_store_errors_total",
    "counter",
    "Requests that the store could not serve (full: no space is left; damaged: what it holds"
    " cannot be read; slow: it took too long).",
    ('kind="failed"', 'kind="full"', 'kind="damaged"', 'kind="slow"'),
)
READY = Family("threadwell_ready", "gauge", "Workers that take requests.")
RESTARTS = Family("threadwell_worker_restarts_total", "counter", "Workers started anew.")
STARTED = Family(
    "process_start_time_seconds", "gauge", "When the worker started, since 1970.", each=True
)
PROCESS = Family("threadwell_worker_pid", "gauge", "The worker's process id.", each=True)

#: Every family, in the order in which they are told.
FAMILIES: Sequence[Family] = (
    REQUESTS, DURATION, IN_FLIGHT, CONNECTIONS, REFUSED, GROUP, COMMIT, WAITING, ERRORS, READY,
    RESTARTS, STARTED, PROCESS,
)  # fmt: skip


def _lay_out() -> tuple[dict[str, int], int]:
    at: dict[str, int] = {}
    size = 0
    for family in FAMILIES:
        at[family.name] = size
        size += family.width * len(family.series)
    return at, size


_AT, CELLS = _lay_out()


def cell(family: Family, series: int = 0) -> int:
    """The first cell of a family's series, by its position among them."""
    return _AT[family.name] + series * family.width
