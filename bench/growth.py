"""Every page, list and search of a practice, on a small store and on a large one, in turns.

python -m bench.filled small.db 20000
python -m bench.filled large.db 1000000
python -m bench growth small.db large.db
python -m bench growth 'postgresql://…&schema=small' 'postgresql://…&schema=large' --database PID

Before each a delivery has come in and is taken in by another process, so that nothing of what was
found before holds any more. Told are the milliseconds by the clock and of CPU of the worker, and
with ``--database``, the first process of PostgreSQL, of the processes of that as well: the middle
of several.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import http.client
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import quote, urlencode

from bench.faults.server import Options, Server, serving
from bench.filled import OFFICE, RARE, TOKEN, phone
from bench.listeners import cookie_of
from bench.spent import family, proportional_mib

_TIMES = 3
_TASKS = "https://threadwell.dev/fhir/CodeSystem/task"
_VIRTUAL = "http://terminology.hl7.org/CodeSystem/v3-ActCode|VR"
_FORM = "application/x-www-form-urlencoded"


def main(arguments: list[str]) -> None:
    """Print a line for each of them."""
    parser = argparse.ArgumentParser(prog="bench growth")
    parser.add_argument("stores", nargs="*", help="the small one and the large one")
    parser.add_argument("--database", type=int, default=0, help="PostgreSQL's first process")
    parser.add_argument("--only", default="", help="those whose names have this in them")
    given = parser.parse_args(arguments)
    if not given.stores:
        print("left out: it needs stores that `python -m bench.filled` has made")
        return
    with ExitStack() as stack:
        asked = [
            _Asked(stack.enter_context(serving(Options(0, 1, store))), given.database)
            for store in given.stores
        ]
        print(f"{'':44}" + "   ms    CPU  of database     " * len(asked))
        for name in [*asked[0].pages, *asked[0].searches]:
            if given.only not in name:
                continue
            told = ""
            for one in asked:
                clock, worker, database = one.spent_on(name)
                told += f"{clock:8.1f}{worker:8.1f}{database:8.1f}    "
            print(f"{name:44}{told}", flush=True)
        for one in asked:
            print(f"{proportional_mib(family(one.server.process.pid)):.0f} MiB", one.server.store)


class _Asked:
    """A server that is asked, and what it is asked."""

    def __init__(self, server: Server, database: int) -> None:
        self.server = server
        self._database = database
        patient = self._one("Patient", family="Family7")
        doctor = self._one("Practitioner", family="Doctor3")
        header = self._one("Communication", **{"part-of:missing": "true"})
        self._cookie = cookie_of(server, doctor)
        self._said = int(time.time() * 1000)
        day = (datetime.now(UTC) - timedelta(days=30)).date().isoformat()
        session = self._first_session()
        self.pages: dict[str, Callable[[], bytes]] = {
            f"page {name}": self._page(path)
            for name, path in {
                "sessions": "/",
                "sessions, open": "/?status=open",
                "sessions, finished": "/?status=finished",
                "sessions, superseded": "/?status=superseded",
                "sessions waiting for us": "/?waiting=us",
                "sessions waiting for them": "/?waiting=them",
                "sessions, mine": "/?waiting=mine",
                "sessions, nobody's": "/?waiting=nobodys",
                "sessions of a channel": "/?channel=twilio",
                "sessions of a channel without any": "/?channel=email",
                "sessions of a day": f"/?from={day}&to={day}",
                "sessions to review": "/?review=on",
                "sessions of a patient": f"/?patient={patient.partition('/')[2]}",
                "a session": session,
                "a patient": f"/patients/{patient.partition('/')[2]}",
                "reviews": "/reviews",
                "held": "/quarantine",
                "deliveries": "/deliveries",
            }.items()
        }
        forms = {
            "patients by a name": {"name": "Family7"},
            "patients by a name that many have": {"name": "Given7"},
            "patients by a phone": {"name": phone(7)},
            "messages by a frequent word": {"in": "messages", "name": "knee"},
            "messages by a rare word": {"in": "messages", "name": RARE},
            "messages of a patient": {"in": "messages", "patient": "Family7"},
            "messages of a day": {"in": "messages", "from": day, "to": day},
        }
        self.pages |= {f"found {name}": self._found(form) for name, form in forms.items()}
        headers = "Communication?part-of:missing=true"
        live = f"{headers}&status:not=completed,entered-in-error,stopped,unknown"
        respond = f"Task?code={_TASKS}|respond&status=requested,accepted,in-progress"
        held = f"Task?code={_TASKS}|quarantine&status=requested"
        receipts = f"Task?code=read-receipt&owner={doctor}&status=requested"
        self.searches = {
            f"search {name}": self._search(search)
            for name, search in {
                "a thread's messages": f"Communication?part-of={header}&_sort=sent",
                "open threads": f"{live}&_sort=-_lastUpdated",
                "a patient's threads": f"{headers}&subject={patient}",
                "a recipient's threads": f"{headers}&recipient={doctor}&_sort=-_lastUpdated",
                "messages to somebody": f"Communication?recipient={patient}&_sort=-sent",
                "messages of somebody since": f"Communication?sender={patient}&sent=ge{day}",
                "encounters of class VR": f"Encounter?class={_VIRTUAL}",
                "a patient's encounters": f"Encounter?subject={patient}&_sort=-date",
                "messages of a day": f"Communication?sent={day}",
                "last messages": "Communication?_sort=-sent",
                "to-dos": f"{respond}&_sort=authored-on",
                "to-dos of nobody": f"{respond}&owner:missing=true&_sort=authored-on",
                "to-dos, counted": f"{respond}&_total=accurate&_count=0",
                "read receipts, counted": f"{receipts}&_total=accurate&_count=0",
                "held": f"{held}&_sort=-_lastUpdated",
                "reviews": f"Task?code={_TASKS}|review&status=requested&_sort=-authored-on",
                "patients by name": "Patient?name=Family7",
                "patients by phone": f"Patient?telecom={phone(7)}",
                "patients in order": "Patient?_sort=family&_count=20",
                "every Encounter, counted": "Encounter?_summary=count",
                "every Communication, counted": "Communication?_summary=count",
                "messages, counted": "Communication?part-of:missing=false&_total=accurate&_count=1",
                "finished, counted": "Encounter?status=finished&_total=accurate&_count=1",
                "open, counted": "Encounter?status=in-progress&_total=accurate&_count=1",
                "threads, estimated": f"{headers}&_total=estimate&_count=1",
            }.items()
        }

    def spent_on(self, name: str) -> tuple[float, float, float]:
        """Milliseconds by the clock, of CPU of the worker, and of the database's."""
        ask = {**self.pages, **self.searches}[name]
        took: list[tuple[float, ...]] = []
        for _ in range(_TIMES):
            self._deliver()
            before = (time.perf_counter(), self._worker(), self._of_database())
            ask()
            after = (time.perf_counter(), self._worker(), self._of_database())
            took.append(tuple(b - a for a, b in zip(before, after, strict=True)))
        clock, worker, database = (median(one) * 1000 for one in zip(*took, strict=True))
        return clock, worker, database

    def _worker(self) -> float:
        return sum(map(_run, self.server.workers()))

    def _of_database(self) -> float:
        return sum(map(_run, family(self._database))) if self._database else 0.0

    def _deliver(self) -> None:
        """One text comes in, and is in the record."""
        self._said += 1
        said = {
            "MessageSid": f"SM{self._said:032x}",
            "SmsStatus": "received",
            "From": phone(self._said * 7919 % 390),
            "To": OFFICE.value,
            "Body": "Good morning",
            "NumMedia": "0",
        }
        url = f"{self.server.url}hooks/desk"
        written = url + "".join(name + said[name] for name in sorted(said))
        digest = base64.b64encode(hmac.digest(TOKEN.encode(), written.encode(), "sha1")).decode()
        headers = {"X-Twilio-Signature": digest, "Content-Type": _FORM}
        self._ask("POST", "/hooks/desk", headers, urlencode(said).encode())
        time.sleep(0.4)

    def _page(self, path: str) -> Callable[[], bytes]:
        return lambda: self._ask("GET", path, {"Cookie": self._cookie})

    def _found(self, form: dict[str, str]) -> Callable[[], bytes]:
        return lambda: self._sought(form)

    def _sought(self, form: dict[str, str]) -> bytes:
        origin = self.server.url.rstrip("/")
        headers = {"Cookie": self._cookie, "Content-Type": _FORM, "Origin": origin}
        leads = self._ask("POST", "/find", headers, urlencode(form).encode(), 303)
        return self._ask("GET", leads.decode(), {"Cookie": self._cookie})

    def _search(self, search: str) -> Callable[[], bytes]:
        path = "/fhir/R4/" + quote(search, safe="/?&=:,")
        return lambda: self._ask("GET", path, {"Authorization": self.server.authorization})

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b"", status: int = 200
    ) -> bytes:
        """The answer's body; where it leads elsewhere, where to."""
        # One that waits for long is closed by the server.
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != status:
            raise RuntimeError(f"{path}: {answer.status}")
        return answer.headers["location"].encode() if status == 303 else content

    def _first_session(self) -> str:
        page = self._ask("GET", "/", {"Cookie": self._cookie})
        return (
            page.partition(b'href="/sessions/')[2]
            .partition(b'"')[0]
            .decode()
            .join(["/sessions/", ""])
            .partition("#")[0]
        )

    def _one(self, type_: str, **asked: str) -> str:
        with self.server.client() as client:
            found = client.get(type_, params={**asked, "_count": "1"}).raise_for_status()
        return f"{type_}/{found.json()['entry'][0]['resource']['id']}"


def _run(pid: int) -> float:
    """Seconds that a process has run, all its threads together, to the nanosecond."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except OSError:
        return 0.0
    return total / 1e9
