"""Where the database is: the URL of a store, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from threadwell.stores.contract import StoreError

SCHEMES = ("postgresql", "postgres")

#: The shape of the plans that searches rely on: along an index, in its order, one row at a time.
#: It holds at every size of the tables and before they are analysed.
_PLANS = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "enable_hashagg": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
#: A process that stops in mid-write holds nobody up for longer than this.
_LIMITS = {"idle_in_transaction_session_timeout": "60s", "lock_timeout": "20s"}
#: Where Citus has the tables on several nodes, the values of a statement say which of them it goes
#: to. And it would look at every table, whether it is part of another, each time that the driver
#: asks a new connection for its types: half a second.
_ON_NODES = {"plan_cache_mode": "force_custom_plan", "citus.override_table_visibility": "off"}
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_OURS = ("schema", "pool", "pooler")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """What connecting needs.

    ``dsn`` goes to asyncpg as it is (and may hold a password); ``shown`` is for people. A
    ``pooler`` stands between us and the database, and gives each transaction another connection:
    then nothing is prepared and nothing is set on a connection.
    """

    dsn: str = field(repr=False)
    shown: str
    schema: str
    pool: int
    pooler: bool

    @property
    def settings(self) -> dict[str, str]:
        """What each connection is set to."""
        if self.pooler:
            return {}
        name = {"application_name": "threadwell", "search_path": self.schema}
        return name | _PLANS | _LIMITS

    @property
    def settings_on_nodes(self) -> dict[str, str]:
        """What each connection is set to where the tables are distributed over several nodes."""
        return {} if self.pooler else self.settings | _ON_NODES


def parse_address(url: str) -> DatabaseAddress:
    """The address in ``postgresql://user:password@host:port/database?options``.

    The options are libpq's (``sslmode``, ``sslrootcert``, ``host`` for the folder of a socket …)
    and ours: ``schema`` (``threadwell``) is where the tables are, ``pool`` (10) how many
    connections there are at most, ``pooler=on`` tells of a PgBouncer between. Raises
    ``StoreError`` for what is none of these.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise StoreError("a PostgreSQL store is named postgresql://user@host/database")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    schema = options.get("schema", "threadwell")
    pool = options.get("pool", "10")
    pooler = options.get("pooler", "off")
    if not _SCHEMA.fullmatch(schema):
        raise StoreError("schema= of the store is not a plain name in lower case")
    if not pool.isascii() or not pool.isdecimal() or not 2 <= int(pool) <= 1000:
        raise StoreError("pool= of the store is not a number from 2 to 1000")
    if pooler not in {"on", "off"}:
        raise StoreError("pooler= of the store is neither on nor off")
    theirs = {name: value for name, value in options.items() if name not in _OURS}
    dsn = urlunsplit(parts._replace(query=urlencode(theirs, quote_via=quote)))
    host = parts.netloc.rpartition("@")[2] or theirs.get("host", "")
    return DatabaseAddress(dsn, f"{host}{parts.path}", schema, int(pool), pooler == "on")
