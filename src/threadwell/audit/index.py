"""By what blocks are found: their patients, agents, addresses and entities.

A term is a private value without content, whose name is the term and then the block's time and
number, counted down: so a walk along names comes to the newest block first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

from threadwell.audit.record import Line
from threadwell.stores.contract import Kept, Store

TERM = "audit-term"
_LAST_TIME = 10**15 - 1
_LAST_BLOCK = 10**12 - 1
_AT_ONCE = 500

PATIENT, AGENT, ENTITY = "p", "a", "e"


def term(kind: str, value: str) -> str:
    """What names a term: a patient's id, an agent's or an entity's reference."""
    # Ids and types have neither of these; what is no reference of ours may.
    return f"{kind}/{value.replace('%', '%25').replace('/', '%2F')}"


def terms_of(project: str, block: int, begins: int, lines: Iterable[Line]) -> list[Kept]:
    """What makes a block be found."""
    patients: set[str] = set()
    agents: set[str] = set()
    versions: set[tuple[str, ...]] = set()
    for line in lines:
        by = line.record.by
        patients.update(line.patients)
        versions.update(line.record.touched)
        agents.update((by.who, by.acting, by.client and f"ClientApplication/{by.client}"))
    agents.discard("")
    entities = {f"{type_}/{id_}" for type_, id_, *_ in versions}
    kinds = ((PATIENT, patients), (AGENT, agents), (ENTITY, entities))
    found = {term(kind, value) for kind, values in kinds for value in values}
    # The clock of a record may be before that of an earlier block: the block's number decides then.
    place = f"{_LAST_TIME - begins:015d}.{_LAST_BLOCK - block:012d}"
    return [Kept(TERM, f"{project}/{one}/{place}", b"") for one in sorted(found)]


def block_of(name: str) -> int | None:
    """The number of the block that a term's name has; ``None`` where it has none."""
    number = name.rpartition(".")[2]
    return _LAST_BLOCK - int(number) if number.isdecimal() else None


async def blocks_of(store: Store, project: str, one: str) -> AsyncGenerator[int, None]:
    """The numbers of the blocks of a term, the newest first."""
    begins = f"{project}/{one}/"
    after = begins
    while True:
        names = await store.list_private(TERM, after=after, count=_AT_ONCE)
        for name in names:
            if not name.startswith(begins):
                return
            yield _LAST_BLOCK - int(name.rpartition(".")[2])
        if len(names) < _AT_ONCE:
            return
        after = max(names)
