"""A Binary's bytes within its JSON (FHIR R4 §2.42)."""

from __future__ import annotations

import base64

from threadwell.fhir.resource import Resource


def take_content(resource: Resource) -> bytes | None:
    """What ``data`` of a Binary holds, taken out of it; ``None`` where there is nothing to take.

    Data that is not base64 stays, for validation to name it. The ``url`` of our answers goes too.
    """
    if resource.get("resourceType") != "Binary":
        return None
    resource.pop("url", None)
    data = resource.get("data")
    if not isinstance(data, str):
        return None
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except ValueError:  # Also where a character is none of ASCII.
        return None
    del resource["data"]
    return content


def with_data(body: bytes, content: bytes | None) -> bytes:
    """The JSON of a Binary with its content."""
    if not content:
        return body
    return b'%s,"data":"%s"}' % (body[:-1], base64.b64encode(content))
