"""What a provider hands over on its own: one HTTP request, and what it gets to read for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it came, not looked at yet.

    ``urls`` are those under which the provider may know this one, the likeliest first; a proxy may
    have come between. Names of ``headers`` are lower case. ``received`` is aware.
    """

    method: str
    urls: tuple[str, ...]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received: datetime

    @property
    def query(self) -> dict[str, str]:
        """The parameters in the URL; the last one of a name counts."""
        return dict(parse_qsl(urlsplit(self.urls[0]).query, keep_blank_values=True))

    @property
    def content_type(self) -> str:
        """The media type of the body, without its parameters and in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Refused:
    """A delivery did not come from the provider, or nobody can tell; ``reason`` is for a log.

    It is plain words without anything of the delivery.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider wants to read once its delivery is taken."""

    content_type: str = ""
    body: bytes = b""

    @property
    def status(self) -> int:
        """200, or 204 where there is nothing to read."""
        return 200 if self.body or self.content_type else 204
