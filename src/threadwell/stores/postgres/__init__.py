"""A store in a PostgreSQL database; ``docs/adr/0005-postgresql.md`` explains its tables."""

from threadwell.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
