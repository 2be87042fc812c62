"""What people do to threads and their messages, as plain method calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.facade.administering import administers
from threadwell.facade.replying import Replying, files_at

if TYPE_CHECKING:
    from threadwell.fhir.resource import Resource
    from threadwell.intake.receipts.marking import MarkedRead
    from threadwell.intake.replies.asked import Replied
    from threadwell.intake.thread_acts.retracting import Retracted
    from threadwell.intake.thread_acts.turning import ThreadActed


class Threads(Replying):
    """What people do to threads and messages. It is in the record at once, and stays so."""

    def retract(self, message: str, *, by: str = "", why: str = "") -> Retracted:
        """Take a message back: ``tw.retract("Communication/789", why="Wrong person").unsent``.

        It stays readable, and counts for nothing. ``unsent`` tells that it never went out. Raises
        ``threadwell.intake.BadRetraction``. ``by`` is who does it: a name, or ``Practitioner/…``.
        """
        from threadwell.intake.acting_person import agent_of
        from threadwell.intake.thread_acts.retracting import BadRetraction, retract

        agent = self._loop.call(agent_of(self._store, self._project, by, BadRetraction))
        return self._loop.call(retract(self._seat(agent), message, why=why))

    def correct(
        self,
        message: str,
        text: str = "",
        *,
        sender: str,
        files: Iterable[str | Path] = (),
        key: str = "",
        why: str = "",
    ) -> Replied:
        """Take back what the practice has sent, and send another message in its place.

        For example::

            tw.correct("Communication/789", "Four, not three.", sender="Practitioner/12").message

        The same ``key`` given again is the same correction. Raises ``threadwell.intake.BadReply``.
        """
        from threadwell.app import live_channels
        from threadwell.intake.thread_acts.replacing import correct_message

        return self._loop.call(
            correct_message(
                self._seat(),
                message,
                text,
                live_channels(),
                sender=sender,
                files=files_at(files),
                key=key,
                why=why,
            )
        )

    def save_draft(
        self, thread: str, text: str, *, sender: str, answers: str = "", draft: str = ""
    ) -> str:
        """Keep what somebody is writing in a thread; it is no message yet.

        For example::

            draft = tw.save_draft("Communication/789", "Three", sender="Practitioner/12")
            tw.save_draft("Communication/789", "At 3.", sender="Practitioner/12", draft=draft)

        It returns the draft, a Communication with status ``preparation``. Raises
        ``threadwell.intake.BadReply``.
        """
        from threadwell.intake.thread_acts.drafting import save_draft

        id_ = draft.removeprefix("Communication/")
        return self._loop.call(
            save_draft(self._stand(), thread, text, sender=sender, answers=answers, id_=id_)
        )

    def drafts(self, sender: str, thread: str = "") -> list[Resource]:
        """What a person has begun to write: ``tw.drafts("Practitioner/12")``, the newest first."""
        from threadwell.intake.thread_acts.drafting import drafts

        return self._show("drafts", drafts(self._store, self._project, sender, thread))

    def send_draft(self, draft: str) -> Replied:
        """Send a draft: ``tw.send_draft("Communication/790").message``; it keeps its id.

        Raises ``threadwell.intake.BadReply`` where it cannot be sent: it stays a draft then.
        """
        from threadwell.app import live_channels
        from threadwell.intake.thread_acts.drafting import send_draft

        return self._loop.call(send_draft(self._seat(), draft, live_channels()))

    def discard_draft(self, draft: str) -> None:
        """Throw a draft away: ``tw.discard_draft("Communication/790")``.

        Raises ``threadwell.intake.BadReply`` where it is none.
        """
        from threadwell.intake.thread_acts.drafting import discard_draft

        self._loop.call(discard_draft(self._stand(), draft))

    def close_thread(self, thread: str, *, by: str = "", why: str = "") -> ThreadActed:
        """Close a thread: ``tw.close_thread("Communication/789").status == "completed"``.

        Its session is closed with it, unless another thread of that is open. Raises
        ``threadwell.intake.BadAct``.
        """
        from threadwell.intake.thread_acts.turning import close_thread

        return self._turn(close_thread, thread, by=by, why=why)

    def reopen_thread(self, thread: str, *, by: str = "", why: str = "") -> ThreadActed:
        """Open a closed thread again: ``tw.reopen_thread("Communication/789").status``.

        So is its session. Raises ``threadwell.intake.BadAct``.
        """
        from threadwell.intake.thread_acts.turning import reopen_thread

        return self._turn(reopen_thread, thread, by=by, why=why)

    def add_participant(self, thread: str, who: str, *, by: str = "", why: str = "") -> ThreadActed:
        """Let somebody join: ``tw.add_participant("Communication/789", "Practitioner/3")``.

        Raises ``threadwell.intake.BadAct``.
        """
        from threadwell.intake.thread_acts.turning import add_participant

        return self._turn(add_participant, thread, who, by=by, why=why)

    def remove_participant(
        self, thread: str, who: str, *, by: str = "", why: str = ""
    ) -> ThreadActed:
        """Take somebody out: ``tw.remove_participant("Communication/789", "Practitioner/3")``.

        No reply goes to them any more. Raises ``threadwell.intake.BadAct``.
        """
        from threadwell.intake.thread_acts.turning import remove_participant

        return self._turn(remove_participant, thread, who, by=by, why=why)

    def mark_read(self, thread: str, who: str, up_to: str = "") -> MarkedRead:
        """Somebody has read a thread: ``tw.mark_read("Communication/789", "Practitioner/3").news``.

        That is up to a message, or all of it. Raises ``threadwell.intake.BadReceipt``.
        """
        from threadwell.intake.receipts.marking import mark_read

        return self._loop.call(mark_read(self._store, self._project, thread, who, up_to))

    def read_receipts(self, way: str = "") -> str:
        """In which way it is told who has read what: ``tw.read_receipts("task")`` chooses one.

        That is ``pages``, ``status``, ``extension`` or ``task``. Raises
        ``threadwell.intake.BadSetting``.
        """
        from threadwell.intake.receipts.model import receipt_model

        if way:
            self._choose_receipts(way)
        return str(self._loop.call(receipt_model(self._store, self._project)))

    @administers("receipts", "way")
    def _choose_receipts(self, way: str) -> None:
        from threadwell.intake.receipts.model import choose_receipts

        self._loop.call(choose_receipts(self._store, self._project, way))

    def _turn(
        self, act: Callable[..., Coroutine[Any, Any, ThreadActed]], *names: str, by: str, why: str
    ) -> ThreadActed:
        from threadwell.intake.acting_person import agent_of

        agent = self._loop.call(agent_of(self._store, self._project, by))
        return self._loop.call(act(self._seat(agent), *names, why=why))
