"""A Subscription that nobody serves is not active (FHIR R4 §2.46): no client waits for nothing."""

from __future__ import annotations

from threadwell.fhir.resource import Resource

REASON = "Notifications are not offered by this server"
#: What a client asks for, and what would tell it that it is served.
_AWAITED = ("requested", "active")


def turn_off(resource: Resource) -> None:
    """Have a valid Subscription say that it is not served."""
    if resource["resourceType"] == "Subscription" and resource["status"] in _AWAITED:
        resource["status"] = "off"
        resource["error"] = REASON
