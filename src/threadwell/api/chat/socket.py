"""The WebSocket half: what is new comes by itself, and what was missed comes first.

One task reads what the app sends, a frame after the other; another writes. Each waits for its own
end of the line alone: an app that takes nothing is let go, and its cursor brings it back.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from threadwell.api.body import Receive
from threadwell.api.chat.bodies import (
    MOST_JSON,
    Frame,
    Hello,
    NewToken,
    Ping,
    ReadUp,
    Received,
    Types,
    read_frame,
)
from threadwell.api.chat.door import account_of, token_of
from threadwell.api.chat.errors import as_refused, of_store, told
from threadwell.api.chat.following import Following, Listener
from threadwell.api.context import Context
from threadwell.api.line import Gone, Line, first_of
from threadwell.audit.record import Touched, Who
from threadwell.channels.chat.tokens import Token
from threadwell.channels.live import State
from threadwell.fhir.outcome import FhirError
from threadwell.intake.chat import history
from threadwell.intake.chat.history import Cursor, mark_of, parse_cursor
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.chat.seen import Seen
from threadwell.intake.chat.told import tell
from threadwell.intake.chat.typing import SECONDS, Side, Typing
from threadwell.stores.contract import Stored, StoreError

#: What both ends call the protocol.
SUBPROTOCOL = "threadwell-chat-1"
#: What it is called in the trail that an app was told something.
_ACT = "chat"
#: Seconds until an app has said who it is.
_HELLO = 10.0
#: Seconds between two looks at whether the token is still good.
_CHECK = 15.0
#: Messages of which is remembered how they were told.
_REMEMBERED = 500

#: Codes of a close (RFC 6455 §7.4.2), by the code of the error: 4000 and its HTTP status.
_CLOSE = {
    "invalid": 4400,
    "token": 4401,
    "not-found": 4404,
    "timeout": 4408,
    "too-large": 4413,
    "too-many": 4429,
    "failed": 4500,
    "busy": 4503,
}
#: The server stops, or cannot go on: come back.
_RESTART = 1012


@dataclass(slots=True)
class Socket:
    """One open socket, after its handshake."""

    context: Context
    account: str
    following: Following
    typing: Typing
    receive: Receive
    line: Line
    address: str = ""
    _token: Token = field(init=False)
    _text: str = ""
    _cursor: Cursor = field(init=False)
    _told: OrderedDict[str, tuple[object, ...]] = field(default_factory=OrderedDict)
    _typing: bool = False

    async def run(self) -> None:
        """Serve the app until either end is done."""
        try:
            hello = await self._hello()
            self._token, self._text = await self._read_token(hello.token), hello.token
            await self._serve(hello)
        except ChatRefused as error:
            await self._close(error)
        except FhirError as error:
            await self._close(as_refused(error))
        except StoreError as error:
            await self._close(as_refused(of_store(self.context.load, error)))
        except Gone:
            return

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(_HELLO):
                frame = await self._frame()
        except TimeoutError:
            text = f"the first frame is a hello, within {_HELLO:.0f} seconds"
            raise ChatRefused("timeout", text, "type") from None
        if not isinstance(frame, Hello):
            raise ChatRefused("invalid", "the first frame is a hello", "type")
        return frame

    async def _serve(self, hello: Hello) -> None:
        cursor = parse_cursor(hello.cursor) if hello.cursor else None
        store, project = self.context.whole, self.context.project
        now = await store.position(project)
        with self.following.listening(self._token.patient, now) as listener:
            if self.following.closed:
                listener.over = True
            await self._say(type="ready", patient=self._token.patient.told, until=self._token.until)
            await self._catch_up(cursor)
            await first_of(self._read(), self._write(listener))

    async def _catch_up(self, cursor: Cursor | None) -> None:
        """Tell what came after a cursor, or the latest messages; then where that leads to."""
        of = (self.context.whole, self.context.project, self._token.patient)
        now = self.context.clock()
        watching = self.context.trail.watching(
            self.context.project, self._who(), _ACT, asked=self._path, quiet=True
        )
        with watching:
            if cursor is None:
                found = await history.latest(*of, now)
            else:
                found = await history.since(*of, cursor, now)
        if found.anew:
            self._told.clear()
            await self._say(type="anew")
        for one in found.messages:
            await self._message(one)
        self._cursor = found.cursor
        more = {"before": found.before} if found.before else {}
        await self._say(type="synced", cursor=str(found.cursor), **more)

    async def _write(self, listener: Listener) -> None:
        checked = asyncio.get_running_loop().time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_check()):
                    await listener.rung.wait()
            listener.rung.clear()
            if listener.over:
                await self.line.end(_RESTART, "come back")
                return
            if listener.missed:
                listener.waiting.clear()
                listener.missed = False
                await self._catch_up(self._cursor)
            while listener.waiting and not listener.missed:
                change, one = listener.waiting.popleft()
                # What was told while it caught up comes once more.
                if change.position > self._cursor.position:
                    mark = mark_of(change.stored)
                    self._cursor = Cursor(change.position, self.context.clock(), mark)
                    await self._message(one, self._cursor, change.stored)
            if listener.typing != self._typing:
                self._typing = listener.typing
                await self._say(type="typing", typing=self._typing)
            now = asyncio.get_running_loop().time()
            if self._token.until * 1000 <= self.context.clock() or now - checked >= _CHECK:
                # The account may have another secret by now, or be gone.
                self._token = await self._read_token(self._text)
                checked = now

    def _until_check(self) -> float:
        """Seconds until it is to be looked whether the token is still good."""
        return max(0.0, min(_CHECK, self._token.until - self.context.clock() / 1000))

    async def _read(self) -> None:
        while True:
            frame = await self._frame()
            try:
                await self._take(frame)
            except ChatRefused as error:
                if error.code == "token":
                    raise
                await self._say(type="error", **told(error))

    async def _take(self, frame: Frame) -> None:
        context, patient = self.context, self._token.patient
        match frame:
            case Received(ids) | ReadUp(ids):
                state = State.READ if isinstance(frame, ReadUp) else State.DELIVERED
                await tell(context.whole, context.project, patient, ids, state, context.clock())
            case Types(stopped):
                seconds = 0 if stopped else SECONDS
                self.typing.tell(patient.thread, Side.PATIENT, context.clock(), seconds)
            case Ping():
                await self._say(type="pong")
            case NewToken(text):
                token = await self._read_token(text)
                if token.patient != patient:
                    raise ChatRefused("token", "the token is another patient's", "token")
                self._token, self._text = token, text
                await self._say(type="ready", patient=patient.told, until=token.until)
            case Hello():
                raise ChatRefused("invalid", "there was a hello before", "type")

    async def _frame(self) -> Frame:
        message = await self.receive()
        if message["type"] != "websocket.receive":
            raise Gone
        text = message.get("text")
        if text is None:
            raise ChatRefused("invalid", "a frame is text", "frame")
        if len(text) > MOST_JSON:
            raise ChatRefused("too-large", f"a frame has at most {MOST_JSON} characters", "frame")
        return read_frame(text)

    async def _read_token(self, text: str) -> Token:
        account = await account_of(self.context, self.account)
        return token_of(self.context, account, text, "token")

    def _who(self) -> Who:
        return Who(
            who=self._token.patient.who, client=self.account, way="chat", address=self.address
        )

    @property
    def _path(self) -> str:
        return f"/chat/{self.account}/socket"

    async def _message(
        self, one: Seen, cursor: Cursor | None = None, stored: Stored | None = None
    ) -> None:
        """Tell how a message stands, if it has not been told so; as ``stored`` it is recorded."""
        said = (one.state, one.text, one.files, one.sent)
        if self._told.get(one.id) == said:
            return
        self._told[one.id] = said
        self._told.move_to_end(one.id)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        more = {"cursor": str(cursor)} if cursor else {}
        if stored is not None:
            # What cannot be recorded is not told.
            touched = (Touched(stored.type, stored.id, stored.version_id),)
            self.context.trail.event(
                self.context.project, _ACT, self._who(), asked=self._path, touched=touched
            )
        await self._say(type="message", message=one.as_json(), **more)

    async def _say(self, **frame: Any) -> None:
        text = msgspec.json.encode(frame).decode()
        await self.line.say(text)

    async def _close(self, error: ChatRefused) -> None:
        with suppress(Gone):
            await self._say(type="error", **told(error))
            await self.line.end(_CLOSE.get(error.code, 4400), error.code)
