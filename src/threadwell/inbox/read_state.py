"""What each person has read, for the pages: counted and noted by intake (``intake/receipts``)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.inbox.reader import Reader
from threadwell.intake.patience import Contended
from threadwell.intake.receipts.counting import unread
from threadwell.intake.receipts.marking import BadReceipt
from threadwell.intake.receipts.marking import mark_read as mark_thread
from threadwell.stores.contract import StoreError


async def unread_in(
    reader: Reader, sessions: Sequence[Sequence[Resource]], me: str, clock: Clock = now_ms
) -> list[int]:
    """How many messages of each session, given as its thread headers, ``me`` has not read."""
    return await unread(reader.whole, reader.project, sessions, me, clock, seen=reader.view)


async def mark_read(
    reader: Reader, read: Mapping[str, str], me: str, clock: Clock = now_ms
) -> None:
    """Note that ``me`` has read threads, by the ids of their headers, up to those FHIR dateTimes.

    It is no harm if that cannot be noted: they are unread then.
    """
    for id_, sent in read.items():
        if sent:
            with contextlib.suppress(BadReceipt, Contended, StoreError, ValueError):
                await mark_thread(
                    reader.whole,
                    reader.project,
                    f"Communication/{id_}",
                    me,
                    until=parse_fhir_time(sent),
                    clock=clock,
                )
