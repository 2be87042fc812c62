"""Any request at all: none ends in a 5xx, a hang, a leak, or a word of health in a log.

python -m bench.faults hostile                    20,000 requests a store
python -m bench.faults hostile --requests 100000  the whole campaign

Requests come from a client that may do everything, one that has the role of a participant, a
browser that is signed in, and from nobody. There are threads in which the participant has no part,
with a marker in each of their texts: no answer to them or to nobody may have it, and no line of a
log may, whoever asked.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Any

import httpx

import postgres
from bench.faults.hostile.grammar import Grammar, Sent, read_grammar
from bench.faults.hostile.requests import make
from bench.faults.hostile.values import HIDDEN
from bench.faults.hostile.wire import Fields, Told, Wire
from bench.faults.server import Options, Server, serving
from threadwell.api.endpoints.table import paths
from threadwell.app import channels
from threadwell.inbox.app import create_pages
from threadwell.stores.memory import MemoryStore

ROOT = Path(__file__).resolve().parents[3]
KEPT = ROOT / ".cache" / "hostile"
#: Seconds of the processor for one request: a search may take ten, a batch has several.
_MOST_SECONDS = 30.0
#: By how much the server may grow once it is warm, in MiB.
_GROWTH = 200
_WARM = 3_000
_WHO = ("all", "all", "participant", "participant", "nobody")
_ZONE = "America/New_York"


def run(options: Options) -> None:
    """The campaign on SQLite, and on PostgreSQL where it is here; ends with 1 at any finding."""
    findings = 0
    with ExitStack() as stack:
        for store in [options.store] if options.store else _stores(stack):
            findings += _try(store, options.requests, options)
    if findings:
        raise SystemExit(1)


def _stores(stack: ExitStack) -> Iterator[str]:
    yield str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "hostile.db")
    binaries = postgres.find_binaries()
    if binaries is None:
        print("no PostgreSQL is here: left out")
        return
    server = postgres.start_server(binaries)
    stack.callback(server.remove)
    yield server.url()


def _pages() -> list[str]:
    """The paths of the pages, ``*`` for a part that varies."""
    made = create_pages(MemoryStore(), base_url="http://127.0.0.1", channels=channels())
    return [re.sub(r"{[^}]*}", "*", str(getattr(one, "path", "/"))) for one in made.routes]


@dataclass
class _Watch:
    """What was seen so far."""

    grammar: Grammar
    server: Server
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    findings: int = 0

    def find(self, number: int, sent: Sent, who: str, what: str) -> None:
        """Keep a request that something came of."""
        self.findings += 1
        KEPT.mkdir(parents=True, exist_ok=True)
        content = f"{what}\n{who}: {sent.method} {sent.target}\n{sent.headers}\n\n"
        (KEPT / f"{number}.txt").write_bytes(content.encode("utf-8", "replace") + sent.body)
        print(f"\n  {number}: {what}: {sent.method} {sent.target[:150]}", flush=True)


def _try(store: str, requests: int, options: Options) -> int:
    _fill(store)
    free = _command("client", "add", "free", store=store)
    participant, doctor = _participant(store)
    with serving(Options(0, options.workers, store), THREADWELL_LOG="info") as server:
        logins: dict[str, Callable[[], Fields]] = {
            "all": lambda: _login(server, free),
            "participant": lambda: _login(server, participant),
            "browser": lambda: _browser(server),
            "nobody": list,
        }
        _hide(server, doctor)
        grammar = read_grammar(
            httpx.get(f"{server.url}fhir/R4/metadata").json(), _there(server), [*paths(), *_pages()]
        )
        watch = _Watch(grammar, server)
        _ask_all(watch, logins, requests, options.seed)
        _alive(watch, logins["all"]())
        log = server.log.read_text()
    for word in ("Traceback", HIDDEN):
        if word in log:
            watch.findings += 1
            print(f"\n  the log has the word {word}")
    print(f"\n{requests:,} requests, {watch.findings} findings; by kind and status:")
    for kind in sorted({kind for kind, _ in watch.seen}):
        told = sorted((s, n) for (k, s), n in watch.seen.items() if k == kind)
        print(f"  {kind:10}", "  ".join(f"{status}: {n}" for status, n in told))
    return watch.findings


def _ask_all(
    watch: _Watch, logins: Mapping[str, Callable[[], Fields]], requests: int, seed: int
) -> None:
    wire = Wire(watch.server.port)
    pids = watch.server.workers()
    warm = 0.0
    callers = {who: login() for who, login in logins.items()}
    for number in range(requests):
        chance = Random(f"{seed}-{number}")
        sent = make(watch.grammar, chance)
        who = chance.choice(_WHO)
        if sent.kind == "endpoint":
            who = chance.choice((who, "browser"))
        before = _cpu(pids)
        try:
            told = wire.ask(sent, callers[who])
        except TimeoutError:
            watch.find(number, sent, who, "no answer")
            continue
        except (OSError, HTTPException) as error:
            watch.find(number, sent, who, f"hung up: {type(error).__name__}")
            continue
        watch.seen[sent.kind, told.status] += 1
        if told.status in ((303,) if who == "browser" else (401,)):
            # A request may have ended the login that it came with.
            callers[who] = logins[who]()
        spent = _cpu(pids) - before
        for what in _wrong(told, who, spent):
            watch.find(number, sent, who, what)
        if number == min(_WARM, requests // 4):
            warm = watch.server.resident()
        if number % 1000 == 0:
            print(f"\r  {number:,} requests, {watch.findings} findings", end="", flush=True)
    grown = watch.server.resident() - warm
    if grown > _GROWTH:
        watch.findings += 1
        print(f"\n  grown by {grown:.0f} MiB")
    print(f"\n  {watch.server.resident():.0f} MiB, {grown:+.0f} since it was warm", end="")


def _wrong(told: Told, who: str, spent: float) -> Iterator[str]:
    """What is wrong with an answer."""
    if told.status >= 500:
        yield str(told.status)
    if spent > _MOST_SECONDS:
        yield f"{spent:.0f} seconds of the processor"
    if who in ("participant", "nobody") and HIDDEN.encode() in told.body:
        yield "shows what is hidden"
    if b"Traceback" in told.body:
        yield "shows a traceback"
    kind = told.headers.get("content-type", "")
    # What somebody has stored as a file, or a range of it, is what they have called it.
    ours = told.status != 206 and "content-disposition" not in told.headers
    if told.body and ours and kind.startswith(("application/fhir+json", "application/json")):
        try:
            answered = json.loads(told.body)
        except ValueError:
            yield "no JSON"
            return
        if "fhir" in kind and told.status >= 400 and _type_of(answered) != "OperationOutcome":
            yield "an error without an outcome"


def _type_of(answered: Any) -> str:
    return str(answered.get("resourceType", "")) if isinstance(answered, dict) else ""


def _cpu(pids: Sequence[int]) -> float:
    """Seconds of the processor that these processes have had."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / 100
    return total


def _alive(watch: _Watch, login: Fields) -> None:
    """A good request is answered as before."""
    where = f"{watch.server.url}fhir/R4/Patient?_count=1"
    httpx.get(where, headers=dict(login), timeout=30).raise_for_status()
    for where in ("health/live", "health/ready", "metrics"):
        httpx.get(f"{watch.server.url}{where}", timeout=30).raise_for_status()


def _fill(store: str) -> None:
    people = ROOT / "sample" / "people.csv"
    _command("import", str(ROOT / "sample"), "--people", str(people), "--zone", _ZONE, store=store)


def _participant(store: str) -> tuple[dict[str, str], str]:
    """A client of a doctor of the sample's, and who that is."""
    found = _command("get", "Practitioner?_count=1", store=store)
    _command("policy", "set", "participant", store=store)
    doctor = f"Practitioner/{found['entry'][0]['resource']['id']}"
    return _command(
        "client", "add", "doctor", "--policy", "participant", "--as", doctor, store=store
    ), doctor


def _command(*words: str, store: str) -> Any:
    command = [sys.executable, "-m", "threadwell", *words, "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout.startswith("{") else None


def _login(server: Server, client: dict[str, str]) -> Fields:
    form = {"grant_type": "client_credentials", **client}
    told = httpx.post(f"{server.url}oauth2/token", data=form).raise_for_status().json()
    return [("authorization", f"Bearer {told['access_token']}")]


def _browser(server: Server) -> Fields:
    """The cookie of a browser that is signed in to the pages."""
    said = subprocess.run(
        [
            sys.executable,
            "-m",
            "threadwell",
            "sign-in",
            "--store",
            server.store,
            "--url",
            server.url,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    link = next(word for word in said.split() if "/sign-in/" in word)
    told = httpx.post(link, headers={"origin": server.url.rstrip("/")})
    cookies = "; ".join(f"{name}={value}" for name, value in told.cookies.items())
    assert cookies, told
    return [("cookie", cookies), ("origin", server.url.rstrip("/"))]


def _hide(server: Server, doctor: str) -> None:
    """A thread that the doctor has no part in: the marker is in each of its texts."""
    with server.client() as client:

        def make(type_: str, **members: Any) -> str:
            body = {"resourceType": type_, **members}
            made = client.post(type_, json=body).raise_for_status().json()
            return f"{type_}/{made['id']}"

        for number in range(20):
            # Who there is they may know: people have no marker.
            word = f"{HIDDEN}{number}"
            patient = make("Patient", active=True)
            other = make("Practitioner", active=True)
            assert other != doctor
            code = {"system": f"http://{HIDDEN}.example", "code": word}
            visit = make(
                "Encounter",
                status="finished",
                **{
                    "class": {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                        "code": "VR",
                    }
                },
                subject={"reference": patient},
                type=[{"coding": [code], "text": word}],
            )
            both = {"sender": {"reference": patient}, "recipient": [{"reference": other}]}
            about = {"subject": {"reference": patient}, "encounter": {"reference": visit}}
            thread = make(
                "Communication", status="completed", topic={"text": word}, **about, **both
            )
            make(
                *("Communication",),
                status="completed",
                partOf=[{"reference": thread}],
                payload=[{"contentString": word}],
                identifier=[{"system": "http://example.org/x", "value": word}],
                **about,
                **both,
            )


def _there(server: Server) -> list[dict[str, Any]]:
    """Some resources of each type that the sample made, what is hidden included."""
    with server.client() as client:
        counted = ("Patient", "Practitioner", "Encounter", "Communication", "Organization", "Task")
        more = (
            "Binary",
            "Provenance",
            "Basic",
            "AuditEvent",
            "Location",
            "RelatedPerson",
            "Device",
        )
        found: list[dict[str, Any]] = []
        for type_ in (*counted, *more):
            told = client.get(f"{type_}?_count=40").json()
            found += [entry["resource"] for entry in told.get("entry", ())]
        for type_ in ("Patient", "Encounter", "Communication"):
            told = client.get(f"{type_}?_count=10&_sort=-_lastUpdated").json()
            found += [entry["resource"] for entry in told.get("entry", ())]
    hidden = [one for one in found if HIDDEN in json.dumps(one)]
    # A request of the participant that had the marker would be told it again in an error.
    shown = [one for one in found if one not in hidden]
    bare = [{"resourceType": one["resourceType"], "id": one["id"]} for one in hidden]
    return shown + bare
