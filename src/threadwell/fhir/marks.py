"""The marks in ``meta`` that are the server's to set."""

from __future__ import annotations

from threadwell.fhir.resource import Resource

#: Members of ``meta`` that answers carry for Medplum's clients and that come back with updates.
_ORIGIN = ("author", "project", "compartment", "account", "accounts", "onBehalfOf")


def strip(resource: Resource) -> None:
    """Take them out of a resource that a client sent."""
    meta = resource.get("meta")
    if isinstance(meta, dict):
        for name in _ORIGIN:
            meta.pop(name, None)
        # These are set by `stamp`; whatever the client sent for them is not judged.
        meta.pop("versionId", None)
        meta.pop("lastUpdated", None)
        if not meta:
            del resource["meta"]
