"""What may go wrong between us and the file, in the words of the contract."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import apsw

from threadwell.stores.contract import StoreDamaged, StoreError, StoreFull


def store_error(doing: str, error: apsw.Error) -> StoreError:
    """The error for callers: what SQLite says of a value or of a statement is not in it."""
    code = _code(error)
    match error:
        case apsw.CorruptError() | apsw.NotADBError():
            return StoreDamaged(
                f"{doing}: the file is damaged ({code}); a backup has to replace it"
            )
        case apsw.FullError():
            return StoreFull(f"{doing}: its disk is full")
        case apsw.BusyError() | apsw.LockedError():
            why = "another process keeps it locked"
        case apsw.ReadOnlyError():
            why = "the file and its folder, where SQLite keeps its log, must be writable"
        case apsw.CantOpenError():
            why = "the file cannot be opened"
        case apsw.IOError():
            why = "the disk fails"
        case _:
            why = type(error).__name__
    return StoreError(f"{doing}: {why} ({code})")


class Reading:
    """``with`` it, SQLite's errors become ``StoreError``. It keeps nothing, so one is enough."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if isinstance(error, apsw.Error):
            raise store_error("SQLite cannot read", error) from None


class DatabaseFile:
    """Where the file is, and whether it is still the one that was opened.

    SQLite goes on with a file that was removed or replaced, and what it writes ends with the
    process; a further connection would find another file under the same name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = self._identity()

    def check(self) -> None:
        """Raises ``StoreError`` if another file is there now, or none."""
        if self._identity() != self._opened:
            raise StoreError(
                f"{self._path} was removed or replaced while it was open:"
                " put it back, or stop the server and start it on what is there now"
            )

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _code(error: apsw.Error) -> str:
    """SQLite's name for what happened, as narrow as it has one."""
    narrow: int = getattr(error, "extendedresult", -1)
    wide: int = getattr(error, "result", -1)
    codes, names = apsw.mapping_extended_result_codes, apsw.mapping_result_codes
    return str(codes.get(narrow) or names.get(wide, "no code"))
