"""Sessions that somebody opens and closes on purpose."""

from __future__ import annotations

from threadwell.sessions.policies.flow import Flow

#: Sessions from an opening act, or a message with an opening keyword, to a closing one. A silence
#: longer than ``options.gap`` closes too. Who opens within a session changes nothing. A session is
#: named by the message or act that opened it; what lies outside stays without.
explicit = Flow(every=False)
