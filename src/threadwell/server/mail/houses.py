"""For which project's account a mail is: all of a server's projects listen at one place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic

from threadwell.channels.account import Account
from threadwell.intake.arrivals.handed_over import Recipients, keep_mail
from threadwell.projects.registry import projects
from threadwell.projects.within import within
from threadwell.stores.contract import DEFAULT_PROJECT, Store

#: Seconds within which a project that is new gets mails.
_LOOK = 2.0
#: Between a project's id and an account's name, which has none.
_MARK = "/"


class Houses:
    """The projects of a server: ``store`` is that of all of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._until = 0.0
        self._known: dict[str, Recipients] = {}

    async def account_of(self, address: str) -> Account | None:
        """The account that a mail to that address is for, named with its project.

        Where two projects have one address, the first has it. Raises ``StoreError``.
        """
        if monotonic() >= self._until:
            for one in await projects(self._store):
                if one.id not in self._known:
                    self._known[one.id] = Recipients(within(self._store, one.id), one.id)
            self._until = monotonic() + _LOOK
        for project, recipients in self._known.items():
            found = await recipients.account_of(address)
            if found is not None:
                return replace(found, name=f"{project}{_MARK}{found.name}")
        return None

    async def keep(
        self, into: Sequence[Account], raw: bytes, sender: str, received: datetime
    ) -> None:
        """Keep a mail durably for those of ``account_of``, once each; raises ``StoreError``."""
        mine: defaultdict[str, list[Account]] = defaultdict(list)
        for one in into:
            project, _, name = one.name.rpartition(_MARK)
            mine[project or DEFAULT_PROJECT].append(replace(one, name=name))
        for project, accounts in mine.items():
            await keep_mail(within(self._store, project), project, accounts, raw, sender, received)
