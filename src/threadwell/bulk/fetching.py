"""Files of other servers, fetched whole into a folder of this process before a line is read.

A file that breaks off in the middle, or is no longer what it was, is so noticed in time. What is
fetched is never in memory.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from threadwell.calls import Call, CallFailed, HttpCaller

#: Bytes that a file may have as it is fetched, and seconds that this may take.
MOST_BYTES, SECONDS = 4 * 1024**3, 3600.0
#: Seconds after which nobody seems to wait for it any more.
_FORGOTTEN = 60.0
_BROKEN_OFF = "nobody waits for it any more"


@dataclass(slots=True)
class Fetched:
    """A file on its way. Once ``done``, it is whole, or there is an ``error`` in plain words.

    ``again`` tells whether another try may go better; ``digest`` is that of its bytes.
    """

    path: Path
    done: threading.Event = field(default_factory=threading.Event)
    digest: str = ""
    error: str = ""
    again: bool = False
    #: When somebody asked for it last, and whether nobody will any more.
    asked: float = field(default_factory=monotonic)
    forgotten: bool = False


class Fetching:
    """What this process fetches, by a name of each.

    Each is fetched in a thread of its own, which holds up nobody's end.
    """

    def __init__(self, caller: HttpCaller | None = None) -> None:
        self._caller = caller or HttpCaller()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: dict[str, Fetched] = {}
        self._count = 0

    def get(self, name: str, url: str, hosts: tuple[str, ...]) -> Fetched:
        """The file of that name, begun to be fetched if it is not there yet."""
        found = self._files.get(name)
        if found is None:
            found = self._files[name] = self._begin(url, hosts)
        found.asked = monotonic()
        return found

    def forget(self, name: str) -> None:
        """Remove a file, or have it not be fetched any further."""
        found = self._files.pop(name, None)
        if found is not None:
            found.forgotten = True
            found.path.unlink(missing_ok=True)

    def keep_only(self, prefixes: frozenset[str]) -> None:
        """Remove all whose name has none of these before its slash."""
        for name in [name for name in self._files if name.partition("/")[0] not in prefixes]:
            self.forget(name)

    def _begin(self, url: str, hosts: tuple[str, ...]) -> Fetched:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="threadwell-import-")
        self._count += 1
        fetched = Fetched(Path(self._folder.name) / str(self._count))
        headers = {
            "Accept": "application/fhir+ndjson, application/ndjson, */*",
            "Accept-Encoding": "identity",
        }
        # A disk that is full would stop more than an import.
        most = min(MOST_BYTES, shutil.disk_usage(self._folder.name).free // 2)
        call = Call("GET", url, headers, hosts=hosts, most=most, seconds=SECONDS)
        args = (call, fetched)
        threading.Thread(target=self._fetch, args=args, daemon=True, name="bulk-fetch").start()
        return fetched

    def _fetch(self, call: Call, fetched: Fetched) -> None:
        digest = hashlib.sha256()
        try:
            with fetched.path.open("wb") as file:

                def take(part: bytes) -> None:
                    if fetched.forgotten or monotonic() - fetched.asked > _FORGOTTEN:
                        raise CallFailed(_BROKEN_OFF, again=True)
                    digest.update(part)
                    file.write(part)

                answer = self._caller.fetch(call, take)
            if answer.status != 200:
                fetched.error = f"its server answers {answer.status}"
                fetched.again = answer.status in (408, 425, 429) or answer.status >= 500
            fetched.digest = digest.hexdigest()
        except CallFailed as failed:
            fetched.error, fetched.again = str(failed), failed.again
        except OSError:
            fetched.error, fetched.again = "there is no room to keep it while it is read", True
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            fetched.error = f"it could not be fetched ({type(error).__name__})"
        finally:
            if fetched.forgotten:
                fetched.path.unlink(missing_ok=True)
            fetched.done.set()
