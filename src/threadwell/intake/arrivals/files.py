"""Fetches the files of messages that were taken in without them, and completes those messages.

A file that stays away is asked for again after growing pauses. The message is in the record from
the beginning, with a note that says what is lacking: nothing waits for a file, nor is lost with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from threadwell.calls.call import Call, Caller, CallFailed
from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.channels.live import File, Live, Lost, Remote
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals import journal
from threadwell.intake.arrivals.journal import FILES, Entry, Journaled
from threadwell.intake.arrivals.reading import Read, read_entry
from threadwell.intake.arrivals.settings import live_country, live_settings
from threadwell.intake.arrivals.stuck import move_aside
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.live import Intake
from threadwell.intake.settings import Settings
from threadwell.messages import Message, media_type_of
from threadwell.stores.contract import Kept, Store

_log = logging.getLogger(__name__)

#: Seconds until a file is asked for again, after the first try in vain, the second …
PAUSES = (5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
#: Steps to one file: where it is, and what it is.
_STEPS = 4
_AT_ONCE = 8
#: Deliveries in one batch, of which the files are in memory together.
_BATCH = 16


class Files:
    """Fetches files; ``channels`` and ``labels`` are as for ``Taking``."""

    def __init__(
        self,
        store: Store,
        project: str,
        channels: Mapping[str, Channel],
        labels: Mapping[str, str],
        caller: Caller,
        *,
        clock: Clock = now_ms,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._store = store
        self._project = project
        self._channels = channels
        self._labels = labels
        self._caller = caller
        self._clock = clock
        self._pauses = pauses
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._intake = Intake(store, project, self._settings, clock=clock)

    async def round(self) -> float | None:
        """Fetch what is due; the seconds until something else is, ``None`` where nothing waits.

        Raises ``StoreError``; what was not fetched stays in the journal.
        """
        after, next_ = "", None
        while some := await journal.entries(self._store, self._project, FILES, after=after):
            after = some[-1].name
            now = self._clock()
            due = [one for one in some if one.entry.due <= now]
            for at in range(0, len(due), _BATCH):
                await self._fetch(due[at : at + _BATCH])
            later = [one.entry.due for one in some if one.entry.due > now]
            next_ = min([*later, *([] if next_ is None else [next_])], default=None)
            if due:
                # What has to be asked for again is looked for from the beginning.
                after = ""
        return None if next_ is None else max(0.0, (next_ - self._clock()) / 1000)

    async def _settings(self) -> Settings:
        return await live_settings(self._store, self._project, self._labels)

    async def _fetch(self, batch: Sequence[Journaled]) -> None:
        country = await live_country(self._store, self._project)
        known = {one.name: one for one in await accounts(self._store, self._project)}
        fetched = await asyncio.gather(*(self._entry(one.entry, known, country) for one in batch))
        messages = [message for whole, _ in fetched for message in whole]
        try:
            if messages:
                await self._intake.take(messages)
        except BadSetting:
            raise
        except Exception as error:  # noqa: BLE001 - one that stops us must not stop those behind it
            if len(batch) > 1:
                for one in batch:
                    await self._fetch([one])
                return
            await self._failed(batch[0], error)
            return
        kept = [self._after(one, again) for one, (_, again) in zip(batch, fetched, strict=True)]
        await journal.revise(self._store, self._project, kept)

    async def _failed(self, one: Journaled, error: Exception) -> None:
        """Try it again later, or no more. Where it is the store that fails, this fails, too."""
        # Its words may quote a patient.
        kind = type(error).__name__
        _log.error("files of a message to %s could not be kept: %s", one.entry.account, kind)
        if one.entry.tries >= len(self._pauses):
            reason = f"its files could not be kept ({kind})"
            await move_aside(self._store, self._project, one, reason, self._clock())
            return
        await journal.revise(self._store, self._project, [self._after(one, True)])

    def _after(self, one: Journaled, again: bool) -> Kept:
        entry = one.entry
        if not again or entry.tries >= len(self._pauses):
            return journal.removed(one)
        due = self._clock() + int(self._pauses[entry.tries] * 1000)
        return journal.changed(one, replace(entry, tries=entry.tries + 1, due=due))

    async def _entry(
        self, entry: Entry, known: Mapping[str, Account], country: str
    ) -> tuple[list[Message], bool]:
        """The messages of a delivery with those files that came, and whether to ask again."""
        account = known.get(entry.account)
        channel = self._channels.get(entry.channel)
        if account is None or channel is None or channel.live is None:
            return [], False
        read: Read = read_entry(entry, self._channels, account, country)
        if read.failed:
            return [], True
        messages, again = [], False
        for message, remotes in read.files:
            found = await asyncio.gather(
                *(self._file(remote, channel.live, account) for remote in remotes)
            )
            got = {
                remote.attachment: one
                for remote, one in zip(remotes, found, strict=True)
                if isinstance(one, File)
            }
            again = again or any(isinstance(one, Lost) and one.again for one in found)
            for one in found:
                if isinstance(one, Lost):
                    _log.warning("a file of a message to %s %s", entry.account, one.reason)
            if got:
                messages.append(_with_files(message, got))
        return messages, again

    async def _file(self, remote: Remote, live: Live, account: Account) -> File | Lost:
        step = live.fetch(remote, account, None)
        for _ in range(_STEPS):
            if not isinstance(step, Call):
                return step
            try:
                async with self._turns:
                    answer = await self._caller.call(replace(step, hosts=account.hosts))
            except CallFailed as error:
                return Lost(f"could not be fetched: {error}", again=error.again)
            step = live.fetch(remote, account, answer)
        return Lost("could not be fetched") if isinstance(step, Call) else step


def _with_files(message: Message, files: Mapping[int, File]) -> Message:
    """The message with the content of those of its attachments, by their numbers."""
    attachments = list(message.attachments)
    for at, file in files.items():
        before = attachments[at]
        attachments[at] = replace(
            before,
            content=file.content,
            content_type=before.content_type or media_type_of(file.content_type),
            filename=file.filename or before.filename,
            note="",
        )
    return replace(message, attachments=tuple(attachments))
