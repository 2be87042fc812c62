"""Calls to other servers over HTTP: what is asked (``call``), and the client that asks it.

``mailbox`` is the client of a mail server that has mails, over IMAP. ``submission`` is a mail that
is handed to one, and ``smtp`` the client that does it.

Knows nothing of messages, channels or FHIR.
"""

from threadwell.calls.call import Call, Called, Caller, CallFailed
from threadwell.calls.client import HttpCaller

__all__ = ["Call", "CallFailed", "Called", "Caller", "HttpCaller"]
