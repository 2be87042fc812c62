"""Which thread a message belongs to. Knows neither FHIR nor any one channel."""

from threadwell.threads.circle import circle_key
from threadwell.threads.key import thread_key

__all__ = ["circle_key", "thread_key"]
