"""The living part of ``make run``: a program that plays a patient, and the carrier between.

The carrier is a stand-in for Twilio on this machine. It delivers what the patient writes to
``/hooks/demo``, signed, and takes what the practice answers by the REST API: so every message goes
the way of a real one. Nothing leaves the machine. All of it ends with the process.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import threading
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from queue import Empty, SimpleQueue
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import threadwell

#: The account by which the patient's messages come, and its number: that of the sample practice.
ACCOUNT, OFFICE = "demo", "+12075550100"
#: Who plays: a number that is kept for fiction, and a name that says so.
NUMBER, NAME = "+12075550199", "Robin Pretend"

#: How the pause grows from one message that nobody has answered to the next.
_GROWS = 1.6
_PATIENT = {
    "resourceType": "Patient",
    "name": [{"given": ["Robin"], "family": "Pretend"}],
    "gender": "unknown",
    "birthDate": "1999-01-01",
    "telecom": [{"system": "phone", "value": NUMBER}],
}
#: What Robin writes when nobody answers; after the last one Robin waits for an answer.
_STORY = (
    "Hello, this is Robin. I am a program that plays a patient, so you can practise on me.",
    "I have had a cough for three days now.",
    "Should I come in, or wait a little longer?",
    "It is worst at night. I slept badly.",
    "No fever so far: 98.6 °F this morning.",
    "I drink tea with honey, and it helps for an hour.",
    "My pharmacy is closed on Sunday. Is that a problem?",
    "I will wait for your answer now. Write to me whenever you like.",
)
#: What Robin makes of an answer: the first row with a word that is in it, one of its texts in turn.
_ANSWERS = (
    (r"\b(fever|temperature|degrees)\b", ("It is 99.1 °F now. Does that count as a fever?",)),
    (r"\b(allerg\w*)\b", ("Only to penicillin, as far as I know.",)),
    (
        r"\b(medicines?|medications?|pills?|dose|taking|prescri\w+)\b",
        ("Nothing but the tea. Should I take anything?", "I will pick it up today, thank you."),
    ),
    (r"\b(how long|since when|when did)\b", ("It began on Tuesday evening.",)),
    (
        r"\b(come in|appointment|o.clock|[ap]\.?m\b|\d{1,2}:\d\d|today|tomorrow|see you)",
        ("That suits me. I will be there.", "Good, I have written it down."),
    ),
    (r"\b(wait|rest|drink|fluids|stay)\b", ("All right, I will, and write if it gets worse.",)),
    (r"\b(hello|hi|dear)\b", ("Hello! It is good to hear from you.",)),
    (r"\b(thank|thanks|welcome|glad)\b", ("You are very kind.",)),
    (r"\?", ("Yes, I think so.", "I am not sure. What would you say?", "No, not that I noticed.")),
    (r"", ("Thank you, that helps.", "Good to know, thank you.", "I see.")),
)
_OF_FILES = "Your file has arrived, thank you."


class Setting(NamedTuple):
    """How the demo runs: so many seconds between two messages of Robin's at first."""

    every: float = 6.0


class Robin:
    """What the simulated patient says; the words follow from what was said before."""

    def __init__(self) -> None:
        self._story = iter(_STORY)
        self._answers = [
            (re.compile(words, re.IGNORECASE), cycle(texts)) for words, texts in _ANSWERS
        ]

    def unasked(self) -> str:
        """What comes to mind next, ``""`` once all is said."""
        return next(self._story, "")

    def answer(self, text: str, files: int = 0) -> str:
        """What there is to say to an answer of the practice."""
        if files:
            return _OF_FILES
        return next(next(texts) for words, texts in self._answers if words.search(text))


class Carrier:
    """A stand-in for Twilio, for one account and one phone; ``taken`` is what the practice sent."""

    def __init__(self) -> None:
        self.sid, self.token = f"AC{secrets.token_hex(16)}", secrets.token_hex(16)
        self.taken: SimpleQueue[Mapping[str, list[str]]] = SimpleQueue()
        self._sent: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def deliver(self, hook: str, said: Mapping[str, str]) -> bool:
        """Call the practice, signed as Twilio does; whether it has taken it."""
        signed = hook + "".join(name + said[name] for name in sorted(said))
        digest = hmac.digest(self.token.encode(), signed.encode(), "sha1")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
        }
        where = urlsplit(hook)
        connection = HTTPConnection(where.netloc, timeout=10)
        try:
            connection.request("POST", where.path, urlencode(said), headers)
            return connection.getresponse().status < 300
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def knows(self, authorization: str) -> bool:
        """Whether these are the credentials of the account."""
        pair = base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()
        return hmac.compare_digest(authorization.encode(), f"Basic {pair}".encode())

    def take(self, form: Mapping[str, list[str]]) -> dict[str, str]:
        """Take a message of the practice; as the API shows it."""
        made = {
            "sid": _message_id(),
            "status": "queued",
            "direction": "outbound-api",
            "from": form.get("From", [""])[0],
            "to": form.get("To", [""])[0],
            "body": form.get("Body", [""])[0],
            "num_media": str(len(form.get("MediaUrl", []))),
            "date_created": formatdate(),
        }
        self._sent.append(made)
        self.taken.put({**form, "MessageSid": [made["sid"]]})
        return made

    def sent(self) -> list[dict[str, str]]:
        """What was taken, as the API lists it."""
        return list(self._sent)


def prepare(tw: threadwell.Threadwell, *, live: bool) -> Carrier | None:
    """Set the account and the patient up, or put away what an earlier run has left of them."""
    if not live:
        if any(one.name == ACCOUNT for one in tw.accounts()):
            tw.remove_account(ACCOUNT)
        return None
    if not tw.search_resources("Patient", {"telecom": NUMBER}):
        tw.create_resource(_PATIENT)
    carrier = Carrier()
    values = {
        "account_sid": carrier.sid,
        "auth_token": carrier.token,
        "api_url": f"http://{carrier.host}",
    }
    tw.add_account(ACCOUNT, "twilio", values, addresses=OFFICE, hosts=[carrier.host])
    return carrier


def play(carrier: Carrier, url: str, setting: Setting) -> None:
    """Have Robin write to the server at ``url``, in a thread that ends with the process."""
    hook = f"{url}hooks/{ACCOUNT}"
    threading.Thread(target=_play, args=(carrier, hook, setting.every), daemon=True).start()


def _play(carrier: Carrier, hook: str, every: float) -> None:
    robin = Robin()
    pause: float | None = every / 2
    text = ""
    while True:
        try:
            # What could not be delivered is delivered again. Once all is said, Robin waits.
            taken = carrier.taken.get(timeout=pause)
        except Empty:
            text = text or robin.unasked()
            if not text:
                pause = None
                continue
            pause = max(every, pause or every) * _GROWS
        else:
            _tell(carrier, hook, taken, ("sent", "delivered"))
            said, files = taken.get("Body", [""])[0], len(taken.get("MediaUrl", []))
            threading.Event().wait(every / 3)
            text, pause = robin.answer(said, files), every
        if carrier.deliver(hook, _written(text)):
            text = ""


def _tell(
    carrier: Carrier, hook: str, taken: Mapping[str, list[str]], states: Iterable[str]
) -> None:
    where = taken.get("StatusCallback", [hook])[0]
    for state in states:
        sid = taken["MessageSid"][0]
        said = {"MessageSid": sid, "MessageStatus": state, "From": OFFICE, "To": NUMBER}
        carrier.deliver(where, said)


def _written(text: str) -> dict[str, str]:
    return {
        "MessageSid": _message_id(),
        "SmsStatus": "received",
        "From": NUMBER,
        "To": OFFICE,
        "Body": text,
        "NumMedia": "0",
    }


def _message_id() -> str:
    return f"SM{secrets.token_hex(16)}"


def _handler(carrier: Carrier) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            self._answer(201, lambda: carrier.take(parse_qs(body.decode())))

        def do_GET(self) -> None:
            self._answer(200, lambda: {"messages": carrier.sent()})

        def _answer(self, status: int, made: object) -> None:
            known = carrier.knows(self.headers.get("authorization", ""))
            content = json.dumps(made() if known and callable(made) else {}).encode()
            self.send_response(status if known else 401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
