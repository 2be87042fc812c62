"""The process in which ``threadwell serve --mail`` takes mails."""

from __future__ import annotations

import logging

import msgspec

from threadwell.server import logs
from threadwell.server.beside import Beside, told
from threadwell.server.mail.place import Place
from threadwell.server.mail.running import take_mails
from threadwell.stores.contract import StoreError

_log = logging.getLogger(__name__)


def mail_beside(store: str, place: Place) -> Beside:
    """The process that takes mails into a store."""
    line = msgspec.json.encode((store, place)).decode()
    files = (place.listens,) if place.listens >= 0 else ()
    return Beside("mail listener", __name__, line, files=files)


def main() -> int:
    """What the process runs."""
    logs.configure("mail")
    line = told()
    if not line:
        return 0
    store, place = msgspec.json.decode(line, type=tuple[str, Place])
    try:
        return take_mails(store, place, _log.info, lifeline=True)
    except StoreError as error:
        _log.error("cannot take mails: %s", error)
    except OSError as error:
        _log.error("cannot listen at %s:%d: %s", place.host, place.port, error.strerror)
    return 1
