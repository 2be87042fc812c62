"""Calls to other servers over HTTP: what is asked (``call``), and the client that asks it.

``mailbox`` is the client of a mail server, over IMAP.

Knows nothing of messages, channels or FHIR.
"""

from threadwell.calls.call import Call, Called, Caller, CallFailed
from threadwell.calls.client import HttpCaller

__all__ = ["Call", "CallFailed", "Called", "Caller", "HttpCaller"]
