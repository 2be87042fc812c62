"""Somebody has forgotten their password: a link is mailed to them, if there is such an account.

Whoever asks is told the same, and as soon, whether there is one or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from threadwell.channels.channel import Channel
from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Store
from threadwell.users.changing import reset
from threadwell.users.keeping import user_of
from threadwell.users.letters import beside, can_send, reset_letter, send_letter
from threadwell.users.pauses import LETTERS, SOURCE, Counted, Paused, Pauses, source_of
from threadwell.users.user import BadUser, User, parse_account_email

#: What the practice is called in a letter that names no other.
PRACTICE = "Threadwell"


async def ask_for_reset(
    store: Store,
    project: str,
    channels: Mapping[str, Channel],
    *,
    email: str,
    address: str,
    base: str,
    clock: Clock,
    made: Callable[[User], None],
) -> bool:
    """Mail a link, in a while; ``False`` where no mails are sent here, whoever asks.

    ``made`` is called with whose link was made, before it is sent. Raises ``Paused`` for a
    source that asks for many.
    """
    pauses = Pauses(store, project, clock)
    await pauses.enter([Counted(SOURCE, f"letters {source_of(address)}")])
    if not await can_send(store, project, channels):
        return False
    beside(_mail(store, project, channels, email, base, pauses, clock, made))
    return True


async def _mail(
    store: Store,
    project: str,
    channels: Mapping[str, Channel],
    email: str,
    base: str,
    pauses: Pauses,
    clock: Clock,
    made: Callable[[User], None],
) -> None:
    try:
        user = await user_of(store, parse_account_email(email))
    except BadUser:
        return
    if user is None or user.disabled or user.member(project) is None:
        return
    try:
        # So that nobody's mailbox is filled.
        await pauses.enter([Counted(LETTERS, user.id)])
    except Paused:
        return
    link = await reset(store, project, user, clock)
    made(user)
    subject, text = reset_letter(PRACTICE, user.first or user.name, link.url(base))
    await send_letter(store, project, channels, user.email, subject, text)
