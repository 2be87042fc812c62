"""What limits a process that serves, where nobody says otherwise; loading this costs nothing."""

from __future__ import annotations

#: Requests under way at once in one process.
MAX_IN_FLIGHT = 1000
#: Bytes of matches with which a page ends early, and of what it includes.
MAX_PAGE = 32 * 1024 * 1024
