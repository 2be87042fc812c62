"""Which messages make one session. Knows neither FHIR nor any one channel."""

from threadwell.sessions.session import NEVER, Policy, PolicyOptions, Sent, Session

__all__ = ["NEVER", "Policy", "PolicyOptions", "Sent", "Session"]
