"""Mails to people about their accounts, sent by the mail account that the practice has.

A letter is handed to the mail server once, beside the request that asked for it, so that nobody can
tell by the time of an answer whether there was one to send. Who gets none asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from threadwell.calls.smtp import SmtpSubmitter
from threadwell.calls.submission import Submission, SubmissionFailed
from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.channels.sending import Outbound
from threadwell.intake.accounts import accounts
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import Store

_CHANNEL = "email"
#: Letters that are under way at a time in a process; those who ask for more get none.
_MOST = 50

_log = logging.getLogger(__name__)
_under_way: set[asyncio.Task[None]] = set()


async def can_send(store: Store, project: str, channels: Mapping[str, Channel]) -> bool:
    """Is there a mail account that sends?"""
    return await _account(store, project, channels) is not None


async def send_letter(
    store: Store,
    project: str,
    channels: Mapping[str, Channel],
    to: str,
    subject: str,
    text: str,
) -> bool:
    """Hand a letter to the mail server; whether it was taken."""
    found = await _account(store, project, channels)
    if found is None:
        return False
    account, own = found
    live = channels[_CHANNEL].live
    assert live is not None
    assert live.send is not None
    now = datetime.now(UTC).replace(microsecond=0)
    address = Address(AddressKind.EMAIL, to)
    out = Outbound(
        f"letter:{uuid4()}", own, (address,), "", text, now, subject=subject, automatic=True
    )
    submission = live.send(out, account, None)
    if not isinstance(submission, Submission):
        _log.warning("a letter could not be written by the account %s", account.name)
        return False
    try:
        done = await _submitter().submit(submission)
    except SubmissionFailed as error:
        _log.warning("a letter was not taken by %s: %s", submission.host, error)
        return False
    return not done.refused


def beside(work: Coroutine[Any, Any, object]) -> bool:
    """Have something done beside the request; ``False`` where too much is under way."""
    if len(_under_way) >= _MOST:
        work.close()
        return False

    async def done() -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            _log.error("%s while a letter was sent", type(error).__name__)

    task = asyncio.create_task(done())
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return True


def invitation(practice: str, name: str, link: str) -> tuple[str, str]:
    """Subject and text of a letter that invites somebody."""
    subject = f"Your account at {practice}"
    text = (
        f"Hello {name},\n\n{practice} has made an account for you. Open this link, and choose your "
        f"password. It works once, within 7 days:\n\n{link}\n"
    )
    return subject, text


def reset_letter(practice: str, name: str, link: str) -> tuple[str, str]:
    """Subject and text of a letter by which somebody sets another password."""
    subject = f"Another password for your account at {practice}"
    text = (
        f"Hello {name},\n\nsomebody asked for another password for your account at {practice}. "
        f"If it was you, open this link. It works once, within an hour:\n\n{link}\n\n"
        "If it was not you, there is nothing to do: your password stays as it is.\n"
    )
    return subject, text


async def _account(
    store: Store, project: str, channels: Mapping[str, Channel]
) -> tuple[Account, Address] | None:
    channel = channels.get(_CHANNEL)
    if channel is None or channel.live is None or channel.live.send is None:
        return None
    for account in await accounts(store, project):
        own = [one for one in account.addresses if one.kind is AddressKind.EMAIL]
        if account.channel == _CHANNEL and own and account.value("smtp-host"):
            return account, own[0]
    return None


@cache
def _submitter() -> SmtpSubmitter:
    return SmtpSubmitter(at_once=4)
