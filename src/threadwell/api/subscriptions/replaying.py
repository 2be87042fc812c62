"""What a Subscription was about since an event: looked at anew, a stretch of changes at a time.

Nothing of what is told is kept: it is found again among the changes of the project, which the store
keeps as long as the versions themselves. So whoever asks is shown what they may see by now.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from threadwell.access.limited import Limited
from threadwell.access.policy import Interaction
from threadwell.access.view import View, Whole
from threadwell.fhir.outcome import FhirError
from threadwell.stores.contract import Store, Stored
from threadwell.subscriptions.before import last_body
from threadwell.subscriptions.criteria import Criteria, Version

#: Events of a stretch, and the changes that are looked through for them at most: one that the
#: criteria may find counts as several.
MOST, _LOOKED, _WEIGHT = 100, 5_000, 10
#: Changes that are read at a time.
_BATCH = 100


class Event(NamedTuple):
    """A change that a caller is told of; ``body`` is what they see of it."""

    position: int
    stored: Stored
    body: bytes


class Stretch(NamedTuple):
    """The events up to ``reached``, which is a position; all of them where that was asked for."""

    events: list[Event]
    reached: int


async def stretch(
    store: Store,
    project: str,
    view: View,
    criteria: Criteria,
    after: int,
    until: int,
    most: int = MOST,
    size: int = 1 << 24,
    times: int = 1,
) -> Stretch:
    """Some of the events of some criteria after a position and up to another one, in their order.

    At most so many, and of about ``size`` bytes, of so many ``times`` the changes that are looked
    through for a stretch. Raises ``StoreError``.
    """
    events: list[Event] = []
    looked = 0
    home = await store.home(project)
    while after < until:
        changes = await store.changes(project, after, _BATCH)
        if not changes:
            return Stretch(events, until)
        for change in changes:
            position, stored = change.position, change.stored
            if position > until:
                return Stretch(events, until)
            if looked >= _LOOKED * times:
                return Stretch(events, after)
            after = position
            looked += 1
            if stored.type != criteria.type:
                continue
            looked += _WEIGHT
            shown = await last_body(store, project, stored)
            if shown is None:
                continue
            found = await seen(view, criteria, Version(shown, home), project)
            if found is not None:
                events.append(Event(position, stored, found.body))
                size -= len(found.body)
                if len(events) >= most or size <= 0:
                    return Stretch(events, after)
        await asyncio.sleep(0)
    return Stretch(events, after)


async def seen(view: View, criteria: Criteria, version: Version, project: str) -> Stored | None:
    """What somebody with that view is told of a version; ``None`` where it is not for them.

    Whoever does not see everything is told what a search of theirs finds: what is hidden must
    not show in what is told and what is not. So of a deletion they are not told.
    """
    shown = version.stored
    if isinstance(view, Whole):
        return shown if await criteria.hold(version, view, project) else None
    try:
        if await _is_out_of_sight(view, criteria, version):
            return None
        if not await criteria.found(version, view, project):
            return None
        return await view.read_version(project, shown.type, shown.id, shown.version_id)
    except FhirError:
        return None


async def _is_out_of_sight(view: View, criteria: Criteria, version: Version) -> bool:
    """Whether no search of theirs can find it: most changes are not for most listeners, and to
    search for each of them would cost many times what this does.
    """
    if not isinstance(view, Limited):
        return False
    # What is hidden of a resource is not what its search goes by: there the search alone knows.
    if not view.hides(version.type) and not criteria.may_hold(version):
        return True
    return await view.see(version.stored, Interaction.SEARCH) is None
