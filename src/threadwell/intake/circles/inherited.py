"""What a session that is given up leaves to the one that has its messages now."""

from __future__ import annotations

from typing import NamedTuple

from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored


class Inherited(NamedTuple):
    """A resource of another circle as it was ``stored``, and its ``body`` as it would be here.

    ``first`` is the identity of the first message that it recorded. ``spoke`` are all as whom the
    addresses of its messages had spoken.
    """

    stored: Stored
    body: Resource
    first: str
    spoke: frozenset[str]
