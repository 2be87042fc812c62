"""What the criteria of policies mean is said by administrators alone.

Criteria may ask by a search parameter of the project's own. Whoever could define that anew would
say what others may see. So a SearchParameter that the criteria of any policy name is written by
administrators, and by whoever has the store itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from threadwell.access.memberships import policies
from threadwell.access.refusing import forbidden
from threadwell.access.view import Whole
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.defining import TYPE
from threadwell.stores.contract import ChangeSet, Store, Write

_WORD = re.compile(r"[A-Za-z0-9_-]+")
_NAMED = "A policy asks by that parameter: an administrator may change it"


class Named(NamedTuple):
    """A search parameter that criteria name; ``type`` is ``""`` where they lead to other types."""

    type: str
    code: str


class Guarded(Whole):
    """The view of a caller without a policy who is no administrator."""

    def __init__(self, store: Store, project: str) -> None:
        super().__init__(store)
        self._project = project
        self.commit = self._commit

    async def sort_out(
        self, project: str, writes: Sequence[Write]
    ) -> tuple[list[Write], list[tuple[Write, FhirError]]]:
        """All but what says what a policy means."""
        fit, refused = list[Write](), list[tuple[Write, FhirError]]()
        for write in writes:
            try:
                await check_meaning(self._store, project, (write,))
            except FhirError as error:
                refused.append((write, error))
            else:
                fit.append(write)
        return fit, refused

    async def _commit(self, project: str, change_set: ChangeSet) -> None:
        await check_meaning(self._store, project, change_set.writes)
        await self._store.commit(project, change_set)


async def check_meaning(store: Store, project: str, writes: Iterable[Write]) -> None:
    """Raise ``FhirError`` 403 where a write says what the criteria of a policy mean."""
    for write in writes:
        if write.type != TYPE:
            continue
        named = {one for policy in await policies(store, project) for one in named_in(policy)}
        before = write.before
        was = decode(before.body) if before is not None and not before.deleted else None
        if any(_defines(one, named) for one in (write.resource, was) if one is not None):
            raise forbidden(_NAMED)


def named_in(policy: Resource) -> set[Named]:
    """The search parameters that the criteria of an AccessPolicy name, whether they are there or
    not: whoever makes one that is gone would say what it means.
    """
    return {
        one
        for entry in policy.get("resource", ())
        for one in _named(entry.get("resourceType", ""), entry.get("criteria", ""))
    }


def _named(type_: str, criteria: str) -> Iterable[Named]:
    for name, value in parse_qsl(criteria.partition("?")[2], keep_blank_values=True):
        is_filter = name.endswith("_filter")
        leads = is_filter or "." in name or name.startswith("_has") or type_ == "*"
        for text in (name, value) if is_filter else (name,):
            yield from (Named("" if leads else type_, word) for word in _WORD.findall(text))


def _defines(definition: Any, named: set[Named]) -> bool:
    code, bases = definition.get("code", ""), definition.get("base", ())
    return any(Named(type_, code) in named for type_ in ("", *bases))
