"""Replies and the outbox, as plain method calls."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.facade.heard import Heard

if TYPE_CHECKING:
    from threadwell.encounters.corrected import Agent
    from threadwell.intake.replies.depth import OutboxDepth
    from threadwell.intake.replies.outbox import Queued
    from threadwell.intake.replies.writing import Replied
    from threadwell.intake.seat import Seat, Stand
    from threadwell.messages import Attachment


class Replying(Heard):
    """What the practice writes. It is in the record at once, and `threadwell serve` sends it."""

    def reply(
        self,
        thread: str,
        text: str = "",
        *,
        sender: str,
        answers: str = "",
        files: Iterable[str | Path] = (),
        key: str = "",
        saved: str = "",
    ) -> Replied:
        """Reply in a thread, by its own channel: to whoever wrote its last message that came in.

        For example::

            tw.reply("Communication/789", "Three it is.", sender="Practitioner/12").message

        ``thread`` is a thread header, or the message to be answered, the Task of a thread that
        waits, or the session of one thread; ``sender`` the person who writes. The same ``key``
        given again is the same reply, sent once. The text of the reply that is ``saved`` under
        that name stands before ``text``. Raises
        ``threadwell.intake.BadReply``.
        """
        from threadwell.app import live_channels
        from threadwell.intake.replies.writing import reply

        attached = files_at(files)
        return self._loop.call(
            reply(
                self._seat(),
                thread,
                text,
                live_channels(),
                sender=sender,
                answers=answers,
                files=attached,
                key=key,
                saved=saved,
            )
        )

    def outbox(self) -> list[Queued]:
        """What is to be sent, the oldest first: ``[q.entry.stage for q in tw.outbox()]``."""
        from threadwell.intake.replies.outbox import waiting

        return self._show("outbox", waiting(self._store, self._project))

    def outbox_depths(self) -> list[OutboxDepth]:
        """How much each account has to send: ``[d.waiting for d in tw.outbox_depths()]``."""
        from threadwell.intake.replies.depth import outbox_depths

        return self._loop.call(outbox_depths(self._store, self._project))

    def dead_letters(self) -> list[Queued]:
        """What was not sent, and waits for a decision: ``[q.entry.reason for q in …]``."""
        from threadwell.intake.replies.outbox import dead_letters

        return self._show("outbox", dead_letters(self._store, self._project))

    def replay_letter(self, id_: str) -> None:
        """Send a dead letter after all: ``tw.replay_letter(tw.dead_letters()[0].id)``.

        Of one that may have been sent, this says that it was not. Raises ``LookupError``.
        """
        from threadwell.intake.replies.outbox import replay_letter

        self._loop.call(replay_letter(self._store, self._project, id_))

    def drop_letter(self, id_: str) -> None:
        """Send a dead letter never: ``tw.drop_letter(tw.dead_letters()[0].id)``.

        The message stays in the record. Raises ``LookupError``.
        """
        from threadwell.intake.replies.outbox import drop_letter

        self._loop.call(drop_letter(self._store, self._project, id_))

    def _stand(self, by: Agent | None = None) -> Stand:
        """From where somebody does what changes no session."""
        from threadwell.intake.seat import SOMEBODY, Stand

        return Stand(self._store, self._project, by or SOMEBODY)

    def _seat(self, by: Agent | None = None) -> Seat:
        """From where somebody acts; raises ``BadSetting``."""
        from threadwell.app import channel_labels
        from threadwell.intake.practice import kept_settings
        from threadwell.intake.seat import SOMEBODY, Seat

        settings = self._loop.call(kept_settings(self._store, self._project, channel_labels()))
        return Seat(self._store, self._project, settings, by or SOMEBODY)


def files_at(paths: Iterable[str | Path]) -> list[Attachment]:
    """The files at those paths, as they go with a message."""
    from threadwell.messages import Attachment

    return [
        Attachment(
            path.name,
            mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            path.read_bytes(),
        )
        for path in map(Path, paths)
    ]
