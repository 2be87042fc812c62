"""What Twilio says of where a message has got to (``status``), in logs and in callbacks."""

from __future__ import annotations

#: Nobody was sent anything, and the reason in words. A later log may tell otherwise.
NEVER_SENT = {
    "scheduled": "it was scheduled, and not sent yet",
    "canceled": "its sending was cancelled",
    "accepted": "it was not sent yet when the log was made",
    "queued": "it was not sent yet when the log was made",
    "sending": "it was not sent yet when the log was made",
}
#: It was sent, and came to nobody.
FAILED = frozenset({"failed", "undelivered"})
_PARTLY = "partially_delivered"


def note_of(status: str, error_code: str) -> str:
    """What a record of care must say of how a message ended; ``""`` where it went well."""
    if status in FAILED:
        why = f", error {error_code}" if error_code.isdecimal() and int(error_code) else ""
        return f"it was not delivered, and nobody has received it (Twilio: {status}{why})"
    if status == _PARTLY:
        return "it was delivered to some of its recipients only"
    return ""
