"""Messages into a store: in batches, each committed whole, one being written as the next is made.

An import that is killed has written some of its batches, and nothing of the others; run again, it
finds those messages known and goes on.
"""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.intake.commits.counts import Report
from threadwell.intake.driving import Importing
from threadwell.intake.held.release import Wanted
from threadwell.intake.on_its_way import Make
from threadwell.intake.released import keep_released, to_release
from threadwell.intake.seat import Seat
from threadwell.intake.sending import Progress
from threadwell.messages import Broken, Message

__all__ = [
    "import_messages",
    "recut",
    "replay",
    "revise",
    "say_who_writes",
    "settle_answers",
]


async def import_messages(
    seat: Seat, items: Iterable[Message | Broken], progress: Progress | None = None
) -> Report:
    """Take in ``items``, after what people have answered, and what earlier imports had to hold.

    At the end every session that the same policy left open, and that is over now, is finished.

    ``progress`` is called with the counts after every batch. The clock of the ``seat`` tells which
    sessions are over. Raises what ``items`` raises, and ``StoreError`` if others keep writing; what
    was committed until then stays, and a second import goes on from there.
    """
    importing = Importing(seat, progress)
    await importing.answer()
    wanted, done = await to_release(seat.store, seat.project, seat.settings)
    await importing.replay(wanted)
    if not seat.settings.dry_run:
        await keep_released(seat.store, seat.project, done)
    await importing.take(items)
    await importing.settle()
    await importing.finish()
    return importing.report


async def replay(seat: Seat, *, wanted: Wanted | None = None) -> Report:
    """Take in what is held and can have its place now; ``Report.replayed`` counts it.

    ``wanted`` tells what is meant, where it is not all of it.
    """
    importing = Importing(seat)
    await importing.answer()
    importing.write_as(seat.by.author)
    await importing.replay(wanted)
    return importing.report


async def settle_answers(seat: Seat) -> Report:
    """Let count what people have answered since; ``Report.answers`` counts it."""
    importing = Importing(seat)
    importing.write_as(seat.by.author)
    await importing.answer()
    return importing.report


async def say_who_writes(seat: Seat, make: Make) -> Report:
    """Commit the batch in which somebody says who writes, and let it count at once."""
    importing = Importing(seat)
    await importing.answer()
    importing.write_as(seat.by.author)
    await importing.revise(make)
    await importing.answer()
    await importing.replay_said()
    return importing.report


async def revise(seat: Seat, make: Make) -> Report:
    """Commit the batch that ``make`` decides, after what people have answered and changed."""
    importing = Importing(seat)
    await importing.answer()
    importing.write_as(seat.by.author)
    await importing.revise(make)
    return importing.report


async def recut(seat: Seat, progress: Progress | None = None) -> Report:
    """Cut every session of the store anew, as its settings say; what no longer holds is superseded.

    Sessions that were billed stay. Killed half-way and run again, it ends with the same resources.
    """
    importing = Importing(seat, progress, recutting=True)
    await importing.answer()
    await importing.recut()
    await importing.finish()
    return importing.report
