"""The accounts that a practice has at providers: private values of the store, never FHIR."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.todos.since import keep_since
from threadwell.stores.contract import Store

_KIND = "account"
#: How long an account is remembered.
_LOOK_MS = 1000
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")


def checked(account: Account, channels: Mapping[str, Channel]) -> Account:
    """``account`` whole, if it can be used; raises ``BadSetting`` naming what is wrong with it."""
    if not _NAME.fullmatch(account.name):
        raise BadSetting(
            f"account {account.name!r}: a name is of lower-case letters, digits and hyphens, as it"
            " is part of a URL"
        )
    channel = channels.get(account.channel)
    if channel is None or channel.live is None:
        known = ", ".join(channels)
        raise BadSetting(f"channel {account.channel!r} hears of nothing; those that do: {known}")
    fields = {one.name: one for one in channel.live.fields}
    for name in account.values:
        if name not in fields:
            raise BadSetting(f"{account.channel} has no field {name!r}, only {', '.join(fields)}")
    for name, field in fields.items():
        if field.required and not account.value(name):
            raise BadSetting(f"an account of {account.channel} needs {name}: {field.about}")
    if lacking := channel.live.lacks(account):
        raise BadSetting(lacking)
    for host in account.hosts:
        if not _HOST.fullmatch(host):
            raise BadSetting(f"host {host!r} is not written as a name, with :PORT if it has one")
    return channel.live.complete(account)


async def keep_account(
    store: Store, project: str, account: Account, *, clock: Clock = now_ms
) -> None:
    """Keep an account, in the place of another of its name.

    From the first one on it is looked after which threads wait for an answer.
    """
    await keep_since(store, project, clock())
    value = msgspec.json.encode(account)
    await store.put_private(_KIND, _key(project, account.name), value)


async def find_account(store: Store, project: str, name: str) -> Account | None:
    """The account of that name."""
    value = await store.get_private(_KIND, _key(project, name))
    return msgspec.json.decode(value, type=Account) if value is not None else None


async def accounts(store: Store, project: str) -> list[Account]:
    """Every account, by name."""
    kept = await store.list_private(_KIND)
    mine = [value for key, value in kept.items() if key.startswith(_key(project, ""))]
    return [msgspec.json.decode(value, type=Account) for value in mine]


async def remove_account(store: Store, project: str, name: str) -> bool:
    """Forget an account and its secrets; whether there was one.

    What it has delivered stays; what waits in the journal is taken in, or kept in quarantine.
    """
    there = await store.get_private(_KIND, _key(project, name)) is not None
    await store.put_private(_KIND, _key(project, name), None)
    return there


class Remembered:
    """Accounts of a project that deliveries come for, as they stood a moment ago."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._known: dict[str, tuple[int, Account]] = {}

    async def find(self, name: str, now: int) -> Account | None:
        """The account of that name; ``now`` is in milliseconds since 1970 UTC.

        Whatever is changed of it counts a second later.
        """
        if not _NAME.fullmatch(name):
            return None
        since, account = self._known.get(name, (0, None))
        if account is not None and 0 <= now - since < _LOOK_MS:
            return account
        found = await find_account(self._store, self._project, name)
        self._known.pop(name, None)
        if found is not None:
            self._known[name] = now, found
        return found


def _key(project: str, name: str) -> str:
    return f"{project}/{name}"
