"""A store that a command has made where others lie: perhaps one of these was meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from threadwell.cli.command import DEFAULT_STORE, STORE_VARIABLE
from threadwell.cli.output import paint


@contextmanager
def told_if_made(store: str | None) -> Iterator[None]:
    """Tell of it on standard error, where nobody has said which ``store`` is meant."""
    path = Path(DEFAULT_STORE)
    new = store == DEFAULT_STORE and not path.exists()
    yield
    if not new or not path.is_file():
        return
    from threadwell.stores.sqlite.missing import stores_beside, told

    if others := told(stores_beside(path)):
        print(
            f"{paint('Note:', 'yellow', sys.stderr)} {path} was made: a store of its own, beside "
            f"{others}. --store or ${STORE_VARIABLE} names the one that is meant",
            file=sys.stderr,
        )
