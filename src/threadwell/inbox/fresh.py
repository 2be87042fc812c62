"""Where on the page of a session begins what somebody has not read yet."""

from __future__ import annotations

from threadwell.inbox.read_state import unread_in
from threadwell.inbox.reader import Reader
from threadwell.inbox.session_page import SessionView


async def first_unread(reader: Reader, session: SessionView, me: str) -> dict[str, int]:
    """The first message of each thread, at whose end a page is, that ``me`` has not read, by its
    id: and how many there are from there on."""
    ends = {one.id: one for one in session.threads if one.days and not one.turns.after}
    await reader.learn({"reference": f"Communication/{id_}"} for id_ in ends)
    known = {id_: reader.known({"reference": f"Communication/{id_}"}) for id_ in ends}
    headers = [one for one in known.values() if one]
    numbers = await unread_in(reader, [[one] for one in headers], me)
    found: dict[str, int] = {}
    for header, number in zip(headers, numbers, strict=True):
        days = ends[header["id"]].days
        arrived = [one.id for day in days for one in day.messages if not one.ours]
        if number and arrived:
            found[arrived[-min(number, len(arrived))]] = number
    return found
