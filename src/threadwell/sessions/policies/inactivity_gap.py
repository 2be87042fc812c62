"""A silence longer than the gap ends the session."""

from __future__ import annotations

from threadwell.sessions.policies.flow import Flow

#: Sessions named by their first message; each is over when ``options.gap`` has passed, or when
#: somebody closes it: what is written then begins the next one.
inactivity_gap = Flow(every=True)
