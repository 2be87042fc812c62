"""Which store a URL names: ``sqlite:///PATH``, a path, ``postgresql://…`` or ``:memory:``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from threadwell.stores.failures import StoreError

_POSTGRES = ("postgresql", "postgres")


def store_path(url: str | Path) -> Path | None:
    """The file of the store that ``url`` names; ``None`` for one that is no file."""
    text, scheme = str(url), _scheme(url)
    if not text:
        raise StoreError("the store has no name: give sqlite:///PATH, a path or postgresql://…")
    if scheme in _POSTGRES or text == ":memory:":
        return None
    if not scheme:
        return Path(text)
    if scheme != "sqlite":
        raise StoreError(
            f"no store is known for {scheme}://; give sqlite:///PATH, a path or postgresql://…"
        )
    parts = urlsplit(text)
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path:
        raise StoreError("a SQLite store is named sqlite:///PATH, with three slashes")
    return None if path == ":memory:" else Path(path)


def is_new(url: str | Path) -> bool:
    """Whether the store that ``url`` names is a file that is not there."""
    path = store_path(url)
    return path is not None and not path.exists()


def is_shared(url: str | Path) -> bool:
    """Whether another process can open the store that ``url`` names: one in memory is no one's."""
    return is_postgres(url) or store_path(url) is not None


def shown_store(url: str | Path) -> str:
    """What to call the store in print: without a password that may be in its URL."""
    if not is_postgres(url):
        return str(url)
    parts = urlsplit(str(url))
    user, at, host = parts.netloc.rpartition("@")
    options = [
        option
        for option in parts.query.split("&")
        if option and "pass" not in unquote(option.partition("=")[0]).lower()
    ]
    shown = f"{parts.scheme}://{user.partition(':')[0]}{at}{host}{parts.path}"
    return f"{shown}?{'&'.join(options)}" if options else shown


def is_postgres(url: str | Path) -> bool:
    """Whether ``url`` names a PostgreSQL."""
    return _scheme(url) in _POSTGRES


def _scheme(url: str | Path) -> str:
    scheme, separator, _ = str(url).partition("://")
    return scheme if separator else ""
