"""Held messages, as the pages show them: which, why, and what to do about each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from threadwell.channels.services import SERVING, way_of
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.codes import REASON, TASK_CODE
from threadwell.encounters.people import addresses_of
from threadwell.fhir.resource import Resource
from threadwell.inbox.counting import kept_count
from threadwell.inbox.dates import Dates
from threadwell.inbox.kept import held_tasks
from threadwell.inbox.names import address_text, concept_text
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.turning import Turns
from threadwell.inbox.words import count
from threadwell.intake.held.hold import MESSAGE_TYPE, NO_MESSAGE, decode_message, is_dismissed
from threadwell.intake.held.listing import TWIN, quarantined
from threadwell.intake.links import as_key
from threadwell.intake.reports.sessions import way_of_header
from threadwell.messages import Address, Message

#: Held messages on a page.
PAGE = 200
#: Messages that wait for the same, which a page names, and among how many it looks for them.
_MOST_OTHERS = 100
_MOST_FOUND = 1000

#: Those that wait, and those that somebody has dismissed.
HELD = f"Task?code={TASK_CODE}|quarantine&status=requested"
DISMISSED = f"Task?code={TASK_CODE}|quarantine&status=cancelled,rejected,failed"
#: As much of a text as a page shows.
_MOST_TEXT = 20_000

_ADD_PERSON = (
    "Say whose address it is, on the page of this message: what is held for it has its place.",
    "Or add the person to your people file, and run the import again, or `threadwell replay`.",
)
_STEPS = {
    "unknown-sender": _ADD_PERSON,
    "unknown-recipient": _ADD_PERSON,
    "no-patient": _ADD_PERSON,
    "shared-address": (
        "Find out who writes from this address: one person, or several.",
        "Say so, for the address, for this thread or for this message: `threadwell answer`.",
    ),
    "suspected-duplicate": (
        "Compare it with the message that is there already.",
        "If it is the same, that one gets its id; if it is another one, it has its place.",
    ),
    "locked-session": ("Decide whether the billed session must be corrected.",),
    "future-date": ("Run `threadwell replay` once its date has come, or mend the export.",),
}
_MEND = (
    "Mend the export at its source, or say how it is to be read, and import it again. "
    "Nothing is imported twice.",
    "Then dismiss this one: it waits until somebody does.",
)


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One held message of the list.

    ``title`` says who wrote, or to whom; ``reason`` why it is held, and ``code`` in a word.
    ``source`` is where it stood, of what could not be read. ``way`` is its channel, with the
    service within that (``twilio:whatsapp``). ``sent`` is in the care time zone,
    and ``when`` is the same for people, ``""`` where that cannot be known. ``addresses`` are those
    that it waits for. Where a row stands for several, ``number`` of them wait for the same, and
    ``ids`` are those of all.
    """

    id: str
    title: str
    code: str
    reason: str
    source: str
    way: str
    sent: datetime | None
    when: str
    addresses: frozenset[str] = frozenset()
    number: int = 1
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldPage:
    """A page of the list, a row for each address that messages wait for."""

    items: list[HeldRow]
    turns: Turns


@dataclass(frozen=True, slots=True)
class Twin:
    """A message that is there, beside a held one that may be the same.

    ``pairs`` and ``text`` are as of ``HeldItem``; ``href`` is the page of its session, ``""`` where
    it is in none, and ``way`` is that by which it came.
    """

    way: str
    pairs: list[tuple[str, str]]
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class HeldItem:
    """A held message as a page of its own.

    ``pairs`` are its head, names with values. ``text`` is what it says, or its bytes as text;
    ``said`` tells which. ``cut`` is true where that is not all of it. ``others`` wait for the same.
    With ``asks`` it waits for who writes at a shared address, which can be said on a page. It may
    be ``dismissed``; it is ``placeable`` where it is a message, and ``strange`` are the addresses
    that nobody is known to have. Where it is ``addable`` it can be said whose its address is.
    ``twin`` is the message that it may be.
    """

    id: str
    title: str
    reason: str
    channel: str
    way: str
    when: str
    pairs: list[tuple[str, str]]
    text: str
    said: bool
    cut: bool
    steps: tuple[str, ...]
    others: list[HeldRow]
    asks: bool = False
    dismissed: bool = False
    placeable: bool = True
    strange: tuple[str, ...] = ()
    addable: bool = False
    twin: Twin | None = None


async def count_held(reader: Reader) -> int:
    """How many messages are held; of very many a number that was counted a moment ago."""
    return await kept_count(reader, "held", partial(_count, reader))


async def _count(reader: Reader) -> int:
    return (await reader.search(HELD, _total="accurate", _count=0)).total or 0


async def all_held(reader: Reader, dates: Dates) -> list[HeldRow]:
    """Every held message, those held last first."""
    tasks = await reader.search_all(HELD, _sort="-_lastUpdated")
    return [await _row(reader, task, dates) for task in tasks]


async def held_of(
    reader: Reader, addresses: Collection[str], dates: Dates, *, most: int | None = None
) -> list[HeldRow]:
    """The held messages that came from, or went to, one of those addresses; not more than that."""
    out: list[HeldRow] = []
    async for task in held_tasks(reader, addresses):
        if not (await waits_for(reader, task)).isdisjoint(addresses):
            out.append(await _row(reader, task, dates))
        if len(out) == most:
            break
    return out


async def waits_for(reader: Reader, task: Resource) -> frozenset[str]:
    """The addresses that nobody has, or that several share; else all of the message's."""
    held = quarantined(task)
    values = frozenset(one.value for one in (*held.unknown, *held.shared))
    if not values and _reason_code(task) not in NO_MESSAGE:
        kind, content = await _content(reader, task)
        if kind == MESSAGE_TYPE:
            message = decode_message(content)
            values = frozenset(one.value for one in (message.sender, *message.recipients))
    return values


async def list_held(reader: Reader, which: str, *, cursor: str, dates: Dates) -> HeldPage:
    """The page of held messages that a cursor leads to, those held last first.

    ``which`` is ``HELD`` or ``DISMISSED``.
    """
    found = await reader.page(which, PAGE, cursor, _sort="-_lastUpdated")
    rows = [await _row(reader, task, dates) for task in found.resources]
    return HeldPage(one_for_each_address(rows), found.turns)


def one_for_each_address(rows: Iterable[HeldRow]) -> list[HeldRow]:
    """A row for all the messages that wait for the same addresses, where the first of them was."""
    groups: dict[object, list[HeldRow]] = {}
    for row in rows:
        alone = row.code == TWIN or not row.addresses
        groups.setdefault(row.id if alone else row.addresses, []).append(row)
    return [
        replace(those[0], number=len(those), ids=tuple(one.id for one in those))
        for those in groups.values()
    ]


async def load_held(
    reader: Reader, id_: str, dates: Dates, *, or_dismissed: bool = False
) -> HeldItem | None:
    """The held message of a Task; ``None`` if there is none of that id, or no longer.

    One that was dismissed only where it is asked for so.
    """
    task = await reader.read("Task", id_)
    if task is None or not _is_held(task):
        return None
    dismissed = is_dismissed(task)
    if task.get("status") != "requested" and not (dismissed and or_dismissed):
        return None
    kind, content = await _content(reader, task)
    row = await _row(reader, task, dates)
    if kind == MESSAGE_TYPE:
        message = decode_message(content)
        pairs, text, said = _pairs(message, dates), message.text.strip(), True
    else:
        pairs, text, said = [("Size", count(len(content), "byte"))], _as_text(content), False
    return HeldItem(
        id=row.id,
        title=row.title,
        reason=row.reason,
        channel=str(_input(task, "channel") or ""),
        way=row.way,
        when=row.when,
        pairs=pairs,
        text=text[:_MOST_TEXT],
        said=said,
        cut=len(text) > _MOST_TEXT,
        steps=_STEPS.get(_reason_code(task), _MEND),
        others=[] if dismissed else await _others(reader, row, dates),
        asks=bool(quarantined(task).shared) and not dismissed,
        dismissed=dismissed,
        placeable=kind == MESSAGE_TYPE,
        strange=tuple(one.value for one in quarantined(task).unknown),
        addable=not dismissed and bool(await may_be_added(reader, id_)),
        twin=await _twin(reader, quarantined(task).twin, dates),
    )


async def _twin(reader: Reader, name: str, dates: Dates) -> Twin | None:
    """The message of that reference, as it stands beside a held one."""
    child = await reader.read(*as_key(name)) if name else None
    own = own_of(child) if child else None
    if child is None or own is None:
        return None
    header = await reader.read(
        "Communication", id_in((child.get("partOf") or [{}])[0], "Communication")
    )
    session = id_in((header or {}).get("encounter"), "Encounter")
    senders = [address_text(one.value) for one in addresses_of(child.get("sender") or {})]
    to = [
        address_text(address.value)
        for one in child.get("recipient") or ()
        for address in addresses_of(one)
    ]
    payload = child.get("payload") or ()
    files = [one["contentAttachment"] for one in payload if "contentAttachment" in one]
    pairs = [
        ("From", ", ".join(senders)),
        ("To", ", ".join(to)),
        ("Sent", dates.text(child.get("sent"))),
        ("Subject", str((child.get("topic") or {}).get("text", ""))),
        ("Attachments", ", ".join(str(one.get("title", "a file")) for one in files)),
    ]
    text = "".join(str(one.get("contentString", "")) for one in payload)
    href = f"/sessions/{session}" if session else ""
    way = way_of_header(header or {}) or own.channel
    return Twin(way, [(n, v) for n, v in pairs if v], text.strip()[:_MOST_TEXT], href)


async def may_be_added(reader: Reader, id_: str) -> list[Address]:
    """The addresses of a held message of which somebody may be told to have them.

    They are those that nobody has; of a message in which no patient takes part, all of it.
    """
    task = await reader.read("Task", id_)
    if task is None or task.get("status") != "requested" or not _is_held(task):
        return []
    held = quarantined(task)
    if held.unknown or held.reason != "no-patient":
        return list(held.unknown)
    kind, content = await _content(reader, task)
    if kind != MESSAGE_TYPE:
        return []
    message = decode_message(content)
    return [one._replace(display="") for one in (message.sender, *message.recipients)]


async def _others(reader: Reader, row: HeldRow, dates: Dates) -> list[HeldRow]:
    """The messages that wait for just the same addresses, in the order of time."""
    if not row.addresses or row.code == TWIN:
        return []
    found = await held_of(reader, row.addresses, dates, most=_MOST_FOUND)
    same = [one for one in found if one.addresses == row.addresses and one.id != row.id]
    return sorted(same, key=lambda one: one.sent.timestamp() if one.sent else 0.0)[:_MOST_OTHERS]


async def _row(reader: Reader, task: Resource, dates: Dates) -> HeldRow:
    when = dates.moment(task.get("authoredOn"))
    return HeldRow(
        id=task["id"],
        title=await title_of(reader, task),
        code=_reason_code(task),
        reason=task.get("description", ""),
        source=_source(task),
        way=await _way(reader, task),
        sent=when if isinstance(when, datetime) else None,
        when=dates.text(when) if isinstance(when, datetime) else "",
        addresses=await waits_for(reader, task),
    )


async def _way(reader: Reader, task: Resource) -> str:
    """By which way a held message came."""
    channel = str(_input(task, "channel") or "")
    if channel not in SERVING or _reason_code(task) in NO_MESSAGE:
        return channel
    kind, content = await _content(reader, task)
    hint = decode_message(content).thread_hint if kind == MESSAGE_TYPE else ""
    return way_of(channel, hint)


async def title_of(reader: Reader, task: Resource) -> str:
    """The addresses that nobody has; else from whom it went to whom; else why it is held."""
    points = (entry.get("valueContactPoint") or {} for entry in task.get("input") or ())
    if unknown := [address_text(point["value"]) for point in points if point.get("value")]:
        return ", ".join(unknown)
    kind, content = await _content(reader, task)
    if kind == MESSAGE_TYPE:
        message = decode_message(content)
        return f"{_address(message.sender)} → {', '.join(map(_address, message.recipients))}"
    return concept_text(task.get("reasonCode")) or "Held"


async def _content(reader: Reader, task: Resource) -> tuple[str, bytes]:
    binary = await reader.read_binary(id_in(_input(task, "message"), "Binary"))
    return binary or ("", b"")


def _pairs(message: Message, dates: Dates) -> list[tuple[str, str]]:
    pairs = [
        ("From", _address(message.sender)),
        ("To", ", ".join(map(_address, message.recipients))),
        ("Sent", dates.text(message.sent)),
        ("Subject", message.subject),
        ("Attachments", ", ".join(one.filename for one in message.attachments)),
        ("Notes", " ".join(message.notes)),
    ]
    return [(name, value) for name, value in pairs if value]


def _address(address: Address) -> str:
    return address_text(address.value, address.display)


def _as_text(content: bytes) -> str:
    head = content[: _MOST_TEXT + 1]
    return "" if b"\0" in head else head.decode("utf-8", "replace").strip()


def _input(task: Resource, name: str) -> Any:
    for entry in task.get("input") or ():
        if (entry.get("type") or {}).get("text") == name:
            return entry.get("valueReference") or entry.get("valueString")
    return None


def _source(task: Resource) -> str:
    if _reason_code(task) not in NO_MESSAGE:
        return ""
    # Behind a sentence that is the same for all.
    return str(task.get("description", "")).partition(". ")[2].strip()


def _is_held(task: Resource) -> bool:
    codings = (task.get("code") or {}).get("coding") or ()
    return any((c.get("system"), c.get("code")) == (TASK_CODE, "quarantine") for c in codings)


def _reason_code(task: Resource) -> str:
    codings = (task.get("reasonCode") or {}).get("coding") or ()
    return str(next((c.get("code") for c in codings if c.get("system") == REASON), ""))
