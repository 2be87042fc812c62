"""A store in one SQLite file; ``docs/adr/0003-sqlite-layout.md`` explains its tables."""

from threadwell.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
