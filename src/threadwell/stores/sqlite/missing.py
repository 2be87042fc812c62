"""What is said where a store is not there: which others lie beside it."""

from __future__ import annotations

from pathlib import Path

from threadwell.stores.contract import StoreError
from threadwell.stores.sqlite.database import APPLICATION_ID, MAGIC

_ENDINGS = (".db", ".sqlite", ".sqlite3")
#: Where a file of SQLite has its application id: four bytes, the most significant one first.
_APPLICATION = slice(68, 72)
_TOLD = 3


def no_store(path: Path) -> StoreError:
    """The error that there is none at ``path``."""
    others = told(stores_beside(path))
    return StoreError(
        f"there is no store at {path}; `threadwell import` makes one, and --store or "
        f"$THREADWELL_STORE names another{f': {others}' if others else ''}"
    )


def stores_beside(path: Path) -> list[Path]:
    """The other stores in the folder of ``path``, by name; none where it cannot be looked at."""
    try:
        found = sorted(path.parent.iterdir())
    except OSError:
        return []
    return [one for one in found if one.name != path.name and _is_store(one)]


def told(stores: list[Path]) -> str:
    """The first of them in words, ``""`` for none."""
    some = [str(one) for one in stores[:_TOLD]]
    if len(stores) > _TOLD:
        some.append(f"and {len(stores) - _TOLD:,} more there")
    return ", ".join(some)


def _is_store(path: Path) -> bool:
    if path.suffix not in _ENDINGS:
        return False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_APPLICATION.stop)
    except OSError:
        return False
    application = int.from_bytes(head[_APPLICATION], "big")
    return head.startswith(MAGIC) and application == APPLICATION_ID
