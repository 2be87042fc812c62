"""Mails that a mail server hands over: for which accounts they are, and into the journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from time import monotonic

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.email.hooks.mailbox import HANDED_OVER
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals.journal import arrived
from threadwell.messages import Address, parse_email
from threadwell.stores.contract import ChangeSet, Conflict, Store

PROVIDER = "lmtp"
_LOOK = 1.0


class Recipients:
    """Whom mails are taken for: the addresses of accounts of ``lmtp``, with and without ``+…``."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._known: list[Account] = []
        self._until = 0.0

    async def account_of(self, address: str) -> Account | None:
        """The account that a mail to that address is for. Raises ``StoreError``.

        Whatever is changed of accounts counts a second later.
        """
        if monotonic() >= self._until:
            found = await accounts(self._store, self._project)
            self._known = [one for one in found if _takes_mail(one)]
            self._until = monotonic() + _LOOK
        named = parse_email(address)
        if named is None:
            return None
        local, _, domain = named.value.rpartition("@")
        bare = f"{local.partition('+')[0]}@{domain}"
        for value in (named.value, bare):
            for one in self._known:
                if value in _addresses(one):
                    return one
        return None


async def keep_mail(
    store: Store,
    project: str,
    into: Sequence[Account],
    raw: bytes,
    sender: str,
    received: datetime,
) -> None:
    """Keep a mail durably for each of those accounts, once; raises ``StoreError``.

    ``sender`` is that of the envelope, ``""`` where there is none, and stands above the mail (RFC
    5321 §4.4).
    """
    whole = f"Return-Path: <{sender}>\r\n".encode() + raw
    headers = {"content-type": "message/rfc822"}
    delivery = Delivery(HANDED_OVER, ("lmtp://threadwell/",), headers, whole, received)
    left = {one.name: arrived(project, one, delivery) for one in into}
    while left:
        try:
            await store.commit(project, ChangeSet((), kept=tuple(left.values())))
        except Conflict as conflict:
            # It waits in the journal already: its server has not heard that it was taken.
            known = conflict.key.id if conflict.key else ""
            there = [name for name, one in left.items() if one.name == known]
            if not there:
                raise
            for name in there:
                del left[name]
        else:
            return


def _takes_mail(account: Account) -> bool:
    return account.channel == "email" and account.value("provider").lower() == PROVIDER


def _addresses(account: Account) -> Collection[str]:
    answered = parse_email(account.value("reply-to"))
    more: tuple[Address, ...] = (answered,) if answered else ()
    return {one.value for one in (*account.addresses, *more)}
