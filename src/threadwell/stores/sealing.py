"""Secrets at rest: encrypted with a key that is not in the database, where one is set.

The key is one of Fernet's (AES-128-CBC with HMAC-SHA256, by ``cryptography``), in the environment
or in a file. A file may have several, a line each: the first encrypts, all decrypt.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.stores.contract import StoreError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

#: The key itself, and the file that has it.
SECRETS_VARIABLE, SECRETS_FILE_VARIABLE = "THREADWELL_SECRETS_KEY", "THREADWELL_SECRETS_KEY_FILE"
_MARK = b"sealed:1:"


def is_sealed(value: bytes) -> bool:
    """Whether a value is one that ``sealed`` has made."""
    return value.startswith(_MARK)


def sealed(value: bytes) -> bytes:
    """The value as it is to be kept: as it is, where no key is set. Raises ``StoreError``."""
    box = _box()
    return value if box is None else _MARK + box.encrypt(value)


def unsealed(value: bytes, what: str) -> bytes:
    """The value of what was kept; raises ``StoreError`` where the key is not here, or another."""
    if not is_sealed(value):
        return value
    from cryptography.fernet import InvalidToken

    box = _box()
    if box is None:
        raise StoreError(
            f"{what} is sealed in the store, and the key is not here: set {SECRETS_FILE_VARIABLE}"
            f" to the file that has it, or {SECRETS_VARIABLE} to the key itself"
        )
    try:
        return box.decrypt(value.removeprefix(_MARK))
    except InvalidToken:
        raise StoreError(
            f"{what} is sealed in the store with another key than that of"
            f" {SECRETS_FILE_VARIABLE} or {SECRETS_VARIABLE}"
        ) from None


def is_set() -> bool:
    """Whether there is a key; raises ``StoreError`` for one that is none."""
    return _box() is not None


def new_key_file(path: Path) -> None:
    """Make a key in a new file that its owner alone may read; raises ``OSError``."""
    from cryptography.fernet import Fernet

    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(Fernet.generate_key() + b"\n")
        out.flush()
        os.fsync(out.fileno())


def _box() -> MultiFernet | None:
    text, where = os.environ.get(SECRETS_VARIABLE, ""), os.environ.get(SECRETS_FILE_VARIABLE, "")
    if not text and not where:
        return None
    from cryptography.fernet import Fernet, MultiFernet

    try:
        lines = (text or Path(where).read_text("ascii")).split()
        return MultiFernet([Fernet(line) for line in lines])
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no key of Fernet's"
        named = SECRETS_VARIABLE if text else f"{SECRETS_FILE_VARIABLE}: {where}"
        raise StoreError(f"{named} cannot be used: {why}") from None
