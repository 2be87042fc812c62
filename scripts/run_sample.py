"""What ``make run`` runs: import the sample practice, prove its sessions, serve them, and live on.

While it serves, a simulated patient writes (``living.py``), unless ``--no-live`` says not to.
Everything is kept in ``threadwell-sample.db`` here (or in ``$THREADWELL_STORE``), the client's
credentials in a file beside it that only its owner may read. A second run finds both.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import living
import threadwell
from threadwell.cli.errors import run_safely
from threadwell.cli.output import paint
from threadwell.cli.progress import Progress
from threadwell.cli.report import print_report
from threadwell.cli.sessions import SessionLines, print_number
from threadwell.cli.streams import guarded_streams
from threadwell.server import Ready, Serving, serve
from threadwell.stores.urls import store_path

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
ZONE = "America/New_York"
VIRTUAL = "http://terminology.hl7.org/CodeSystem/v3-ActCode|VR"


def main(arguments: Namespace) -> int:
    store = os.environ.get("THREADWELL_STORE") or "threadwell-sample.db"
    with threadwell.open(store) as tw:
        verified = show(tw, store)
        client = _client(tw, store)
        doctor = _doctor(tw)
        carrier = living.prepare(tw, live=arguments.live)

    def ready(it: Ready) -> None:
        tell(it, client, live=carrier is not None)
        if carrier:
            living.play(carrier, it.url, living.Setting(arguments.every))

    serve(Serving(store, port=arguments.port, sign_in_as=doctor), ready)
    return 0 if verified else 1


def show(tw: threadwell.Threadwell, store: str) -> bool:
    """Import the sample practice, show its sessions and prove them; whether the proof holds."""
    _title("Importing the sample practice")
    with Progress() as progress:
        report = tw.import_messages(
            SAMPLE, people=SAMPLE / "people.csv", zone=ZONE, progress=progress
        )
    print_report(report, store=store)
    _title("Its sessions")
    sessions = tw.sessions()
    SessionLines(tw.dates, why=False).print(sessions)
    print_number(len(sessions), tw.dates, more=False)
    _title("The guide's searches")
    return _verify(tw)


def _verify(tw: threadwell.Threadwell) -> bool:
    virtual = tw.search("Encounter", {"class": VIRTUAL, "_total": "accurate", "_count": 1})
    latest = tw.search_resources(
        "Encounter", {"class": VIRTUAL, "part-of:missing": True, "_sort": "-date", "_count": 1}
    )
    session = f"Encounter/{latest[0]['id']}" if latest else "Encounter/none"
    linked = {"encounter": session, "part-of:missing": True, "_total": "accurate"}
    # A warning tells of what is allowed, such as a session opened by hand that has no messages yet.
    broken = [finding for finding in tw.verify() if finding.severity == "error"]
    checks = [
        (f"Encounter?class={VIRTUAL}", virtual["total"]),
        (
            f"Communication?encounter={session}&part-of:missing=true",
            tw.search("Communication", linked)["total"],
        ),
    ]
    for search, total in checks:
        print(f"{_mark(total > 0)} {total:>4} found  {search}")
    print(f"{_mark(not broken)} {len(broken):>4} breaks of the pattern  threadwell verify")
    return not broken and all(total > 0 for _, total in checks)


def _client(tw: threadwell.Threadwell, store: str) -> dict[str, str]:
    """The demo client's credentials, from the file beside the store or made anew."""
    path = store_path(store)
    kept = path.with_suffix(".client.json") if path else None
    if kept and kept.is_file():
        credentials: dict[str, str] = json.loads(kept.read_text("utf-8"))
        if tw.has_client(credentials["client_id"]):
            return credentials
    made = tw.add_client("Sample")
    credentials = {"client_id": made.client_id, "client_secret": made.client_secret}
    if kept:
        kept.unlink(missing_ok=True)
        kept.touch(0o600)
        kept.write_text(json.dumps(credentials), "utf-8")
    return credentials


def _doctor(tw: threadwell.Threadwell) -> str:
    """The reference of the practitioner who signs in."""
    found = tw.search_resources("Practitioner", {"family": "Okafor"})
    return f"Practitioner/{found[0]['id']}" if found else ""


def tell(it: Ready, client: dict[str, str], *, live: bool) -> None:
    """Say where it serves, how to log in, and what there is to do."""
    login = f"{client['client_id']}:{client['client_secret']}"
    _title(f"Serving on {it.url}")
    print(f"client id      {client['client_id']}")
    print(f"client secret  {client['client_secret']}")
    print(f"sign in        {it.sign_in_link}")
    print("               (signs one browser in, once, within 15 minutes)")
    print(f"\ncurl -u {login} -G {it.url}fhir/R4/Encounter \\")
    print(f"  --data-urlencode 'class={VIRTUAL}'")
    if live:
        _title(f"{living.NAME}, a program that plays a patient, is writing to the clinic")
        print("1. Open the sign-in link. You are Miriam Okafor, the physician.")
        print(
            f"2. Open the session of {living.NAME}, at the top. New messages appear by themselves."
        )
        print("3. Write an answer below them, and press Send. Robin reads it and answers.")
    print("\nCtrl-C stops it.", flush=True)


def _title(text: str) -> None:
    print(f"\n{paint(text, 'bold')}")


def _mark(good: bool) -> str:
    return paint("✓", "green") if good else paint("✗", "red")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8103)
    parser.add_argument("--no-live", dest="live", action="store_false")
    parser.add_argument("--every", type=float, default=living.Setting().every, metavar="SECONDS")
    parser.add_argument("--debug", action="store_true")
    with guarded_streams():
        code = run_safely(main, parser.parse_args())
    sys.exit(code)
