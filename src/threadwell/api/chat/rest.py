"""The REST half: send, read, upload; each returns only when what was sent is durable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qs

from threadwell.api.chat.bodies import MOST_JSON, Sending, SessionWanted, Told, Typed, read_json
from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.raw import raw
from threadwell.channels.account import Account
from threadwell.channels.chat.tokens import Token
from threadwell.channels.live import State
from threadwell.fhir.json import decode
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.chat import files, history, posting, sessions, told
from threadwell.intake.chat.history import History
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.chat.sessions import SessionNow
from threadwell.intake.chat.typing import SECONDS, Side, Typing
from threadwell.intake.patience import Contended
from threadwell.intake.practice import kept_settings
from threadwell.intake.seat import Seat

#: Characters of a reason that are kept.
_MOST_WHY = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a patient's app. ``rest`` is what follows the name of what is asked for."""

    context: Context
    request: Request
    account: Account
    token: Token
    typing: Typing
    rest: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the URL; the last one of a name counts."""
        given = parse_qs(self.request.query, keep_blank_values=True)
        return {name: values[-1] for name, values in given.items()}


Endpoint: TypeAlias = Callable[[Asked], Awaitable[Answer]]


async def send(asked: Asked) -> Answer:
    """201 once the message is durable; 200 where it was before."""
    body = read_json(asked.request.body, Sending)
    context, now = asked.context, asked.context.clock()
    done = await posting.post(
        *(context.whole, context.project, asked.account, asked.token.patient),
        *(body.key, body.text, body.attachments, now),
        asked.token.display,
    )
    asked.typing.tell(asked.token.patient.thread, Side.PATIENT, now, 0)
    value = {"id": done.id, "key": done.key, "sent": done.sent, "state": "sent"}
    return json_answer(200 if done.there else 201, value)


async def messages(asked: Asked) -> Answer:
    """200 with messages of the patient's thread: the latest, older ones, or what has changed."""
    given, context = asked.parameters, asked.context
    for name in given:
        if name not in ("after", "before", "count"):
            raise ChatRefused("invalid", "there is no such parameter", "query")
    count = given.get("count", str(history.USUAL))
    if not (count.isascii() and count.isdigit() and 0 < int(count[:6]) <= history.MOST):
        raise ChatRefused("invalid", f"count is a number from 1 to {history.MOST}", "count")
    if "after" in given and "before" in given:
        raise ChatRefused("invalid", "give after or before, not both", "before")
    of = (context.whole, context.project, asked.token.patient)
    now = context.clock()
    if "after" in given:
        found = await history.since(*of, history.parse_cursor(given["after"], "after"), now)
    else:
        found = await history.latest(*of, now, int(count), given.get("before", ""))
    return json_answer(200, shown(found))


def shown(found: History) -> dict[str, object]:
    """Messages as an app gets them."""
    out: dict[str, object] = {
        "messages": [one.as_json() for one in found.messages],
        "cursor": str(found.cursor),
        "anew": found.anew,
    }
    if found.before:
        out["before"] = found.before
    return out


async def received(asked: Asked) -> Answer:
    """204: the messages have arrived in the app."""
    return await _tell(asked, State.DELIVERED)


async def read(asked: Asked) -> Answer:
    """204: the patient has read the messages."""
    return await _tell(asked, State.READ)


async def _tell(asked: Asked, state: State) -> Answer:
    body, context = read_json(asked.request.body, Told), asked.context
    patient = asked.token.patient
    await told.tell(context.whole, context.project, patient, body.ids, state, context.clock())
    return Answer(204, [(b"cache-control", b"no-store")], b"")


async def typing(asked: Asked) -> Answer:
    """204; it is told to whoever has the thread open, and kept nowhere."""
    body = read_json(asked.request.body or b"{}", Typed)
    seconds = 0 if body.stopped else SECONDS
    thread = asked.token.patient.thread
    asked.typing.tell(thread, Side.PATIENT, asked.context.clock(), seconds)
    return Answer(204, [(b"cache-control", b"no-store")], b"")


async def upload(asked: Asked) -> Answer:
    """201 with the id of the file, to be named in a message within a day."""
    context, name = asked.context, asked.parameters.get("name", "")
    type_ = asked.request.headers.get(b"content-type", b"").decode("latin-1")
    try:
        id_ = await files.keep_file(
            context.whole,
            context.project,
            asked.token.patient,
            name,
            type_,
            asked.request.body,
            context.clock(),
        )
    except ChatRefused as error:
        where = {"type": "Content-Type"}.get(error.where, error.where)
        raise ChatRefused(error.code, error.text, where) from None
    return json_answer(201, {"id": id_})


async def download(asked: Asked) -> Answer:
    """200 with the bytes of a file of a message of the patient's thread."""
    context = asked.context
    stored = await context.whole.read(context.project, "Binary", asked.rest)
    missing = ChatRefused("not-found", "there is no such file of yours", "path")
    if stored is None or stored.deleted:
        raise missing
    of = str((decode(stored.body).get("securityContext") or {}).get("reference", ""))
    id_ = of.removeprefix("Communication/")
    if of == id_:
        raise missing
    found = await history.find(context.whole, context.project, asked.token.patient, [id_])
    message = found.get(id_)
    if message is None or all(one.id != stored.id for one in message.files):
        raise missing
    content = await context.whole.content(context.project, stored.id, stored.version_id)
    if content is None:
        raise missing
    answer = raw(stored, content)
    return answer._replace(headers=[*answer.headers, (b"cache-control", b"private, no-store")])


async def session(asked: Asked) -> Answer:
    """200 with the session that is open, or was last."""
    context = asked.context
    now = await sessions.current(context.whole, context.project, asked.token.patient)
    return _session(now)


async def act(asked: Asked) -> Answer:
    """200 with the session, once it is open or closed as the patient wants it."""
    body, context = read_json(asked.request.body, SessionWanted), asked.context
    if len(body.why) > _MOST_WHY:
        raise ChatRefused("too-large", f"a reason has at most {_MOST_WHY} characters", "why")
    do = sessions.open_ if body.open else sessions.close
    try:
        settings = await kept_settings(context.whole, context.project, context.labels())
        seat = Seat(context.whole, context.project, settings, clock=context.clock)
        now = await do(seat, asked.token.patient, body.why)
    except BadSetting as error:
        raise ChatRefused("conflict", str(error), "open") from None
    except Contended:
        raise ChatRefused("busy", "others write to it just now: try again") from None
    return _session(now)


def _session(now: SessionNow) -> Answer:
    return json_answer(200, {"open": now.open, "session": now.id})


#: By method and name; the bytes that the body may have.
ENDPOINTS: dict[str, dict[str, tuple[Endpoint, int]]] = {
    "messages": {"POST": (send, MOST_JSON), "GET": (messages, 0)},
    "attachments": {"POST": (upload, files.MOST_BYTES)},
    "received": {"POST": (received, MOST_JSON)},
    "read": {"POST": (read, MOST_JSON)},
    "typing": {"POST": (typing, MOST_JSON)},
    "session": {"GET": (session, 0), "POST": (act, MOST_JSON)},
}
#: The same of what has an id behind its name.
OF_ONE: dict[str, dict[str, tuple[Endpoint, int]]] = {"attachments": {"GET": (download, 0)}}
