"""One connection of a mail server: what it says, and what it is answered.

A mail is kept durably for all whom it is for before any of them is acknowledged. Nothing is passed
on: whoever is no address of an account is refused.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from threadwell.channels.account import Account
from threadwell.server.mail.wire import Ended, NoRoom, TooLong, Wire
from threadwell.stores.contract import StoreError

_log = logging.getLogger(__name__)

#: Recipients of one mail, wrong commands and mails of one connection.
_MOST_RECIPIENTS, _MOST_MISTAKES, _MOST_MAILS = 100, 10, 1000
#: A mail that has come through more servers goes in circles (RFC 5321 §6.3).
_MOST_HOPS = 100
_PATH = re.compile(r"(FROM|TO):\s*<([^<>]*)>(?:\s+(.*))?", re.IGNORECASE)
_HOP = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
_NOT_NOW = "451 4.3.0 it cannot be kept now: please try again"
_NO_ROOM = "452 4.3.1 there is no room for it now: please try again"
_TOO_LARGE = "552 5.3.4 it is larger than is taken here"

#: The account that a mail to an address is for.
Find: TypeAlias = Callable[[str], Awaitable[Account | None]]
#: Keeps a mail for accounts: its bytes, the envelope's sender, and when it came.
Keep: TypeAlias = Callable[[list[Account], bytes, str, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rules:
    """How mails are taken: over ``lmtp`` or SMTP, of that many bytes at most, with TLS or without.

    ``name`` is what the listener calls itself.
    """

    lmtp: bool
    most: int
    find: Find
    keep: Keep
    name: str = "threadwell"
    tls: ssl.SSLContext | None = None
    must_tls: bool = False


@dataclass(slots=True)
class _Envelope:
    """Who sends a mail, ``None`` where nobody has said so, and for whom it is, in that order."""

    sender: str | None = None
    accounts: list[Account] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)
    in_pieces: bool = False
    trouble: str = ""


class Talk:
    """A connection; ``reserve(talk, bytes)`` says whether there is room for bytes of a mail."""

    def __init__(self, wire: Wire, rules: Rules, reserve: Callable[[Talk, int], bool]) -> None:
        self._wire = wire
        self._rules = rules
        self._ask = reserve
        self._greeted = False
        self._secured = False
        self._it = _Envelope()
        self._mistakes = 0
        self._mails = 0

    async def run(self) -> None:
        """Talk until either side leaves; raises nothing but ``CancelledError``."""
        try:
            kind = "LMTP" if self._rules.lmtp else "ESMTP"
            await self._wire.say(f"220 {self._rules.name} {kind}")
            while await self._step():
                if self._mistakes > _MOST_MISTAKES or self._mails >= _MOST_MAILS:
                    await self._wire.say("421 4.7.0 that is enough for one connection")
                    return
        except Ended:
            return

    async def _step(self) -> bool:
        try:
            line = (await self._wire.line()).decode("utf-8")
        except TooLong:
            await self._wrong("500 5.5.2 the line is too long")
            return True
        except UnicodeDecodeError:
            await self._wrong("500 5.5.2 that is no command")
            return True
        verb, _, rest = line.partition(" ")
        match verb.upper(), rest.strip():
            case ("LHLO" | "EHLO" | "HELO") as hello, name:
                await self._hello(hello, name)
            case "STARTTLS", "" if self._rules.tls is not None and not self._secured:
                await self._wire.secure(self._rules.tls, "220 2.0.0 go on with TLS")
                self._secured, self._greeted = True, False
                self._forget()
            case "QUIT", _:
                await self._wire.say("221 2.0.0 goodbye")
                return False
            case "NOOP", _:
                await self._wire.say("250 2.0.0 yes")
            case "RSET", _:
                self._forget()
                await self._wire.say("250 2.0.0 forgotten")
            case "VRFY", _:
                await self._wire.say("252 2.1.5 write, and see")
            case "MAIL" | "RCPT" | "DATA" | "BDAT", _ if not self._greeted:
                await self._before(verb, rest)
            case "MAIL", path:
                await self._mail(path)
            case "RCPT", path:
                await self._rcpt(path)
            case "DATA", "":
                await self._data()
            case "BDAT", said:
                await self._bdat(said)
            case _:
                await self._wrong("500 5.5.1 that is no command here")
        return True

    async def _before(self, verb: str, rest: str) -> None:
        if verb.upper() == "BDAT":
            await self._skip(rest)
        await self._wrong("503 5.5.1 say hello first")

    async def _hello(self, hello: str, name: str) -> None:
        if (hello == "LHLO") is not self._rules.lmtp:
            spoken = (
                "LMTP is spoken here: LHLO" if self._rules.lmtp else "SMTP is spoken here: EHLO"
            )
            await self._wrong(f"500 5.5.1 {spoken}")
            return
        if not name:
            await self._wrong("501 5.5.4 say who you are")
            return
        self._forget()
        if self._rules.must_tls and not self._secured:
            more = ["STARTTLS"]
        else:
            self._greeted = True
            more = ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"]
            more += [f"SIZE {self._rules.most}"]
            if self._rules.tls is not None and not self._secured:
                more.append("STARTTLS")
        if hello == "HELO":
            more = []
        lines = [self._rules.name, *more]
        await self._wire.say(*(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}")

    async def _mail(self, path: str) -> None:
        found = _PATH.fullmatch(path)
        if found is None or found[1].upper() != "FROM" or not found[2].isprintable():
            await self._wrong("501 5.5.4 MAIL FROM:<address>")
            return
        if self._it.sender is not None:
            await self._wrong("503 5.5.1 there is a sender already")
            return
        for parameter in (found[3] or "").split():
            name, _, value = parameter.upper().partition("=")
            if name == "SIZE" and value.isdecimal() and len(value) < 20:
                if int(value) > self._rules.most:
                    await self._wire.say(_TOO_LARGE)
                    return
            elif (name, value) not in (("BODY", "7BIT"), ("BODY", "8BITMIME"), ("SMTPUTF8", "")):
                await self._wrong("555 5.5.4 a parameter is not known here")
                return
        self._it.sender = found[2]
        await self._wire.say("250 2.1.0 yes")

    async def _rcpt(self, path: str) -> None:
        found = _PATH.fullmatch(path)
        if self._it.sender is None:
            await self._wrong("503 5.5.1 say who sends it first")
        elif found is None or found[1].upper() != "TO" or found[3]:
            await self._wrong("501 5.5.4 RCPT TO:<address>")
        elif len(self._it.accounts) >= _MOST_RECIPIENTS:
            await self._wire.say("452 4.5.3 too many recipients of one mail")
        else:
            try:
                account = await self._rules.find(found[2])
            except StoreError:
                await self._wire.say(_NOT_NOW)
                return
            if account is None:
                # Whoever tries names out has no more than a few.
                await self._wrong("550 5.1.1 nobody here has that address")
                return
            self._it.accounts.append(account)
            await self._wire.say("250 2.1.5 yes")

    async def _data(self) -> None:
        if not self._it.accounts or self._it.in_pieces:
            await self._wrong("503 5.5.1 say for whom it is first")
            return
        await self._wire.say("354 go on, to a line with a dot")
        try:
            raw = await self._wire.mail(self._rules.most, self._reserve)
        except TooLong:
            await self._done(_TOO_LARGE)
            return
        except NoRoom:
            await self._done(_NO_ROOM)
            return
        await self._keep(raw)

    async def _bdat(self, said: str) -> None:
        """RFC 3030: a mail in pieces of a length that is said."""
        count, last = _chunk(said)
        if count < 0:
            await self._wrong("501 5.5.4 BDAT LENGTH [LAST]")
            return
        it = self._it
        if not it.accounts:
            await self._skip(said)
            await self._wrong("503 5.5.1 say for whom it is first")
            return
        it.in_pieces = True
        size = len(it.content) + count
        if not it.trouble and size > self._rules.most:
            it.trouble = _TOO_LARGE
        if not it.trouble and not self._reserve(size):
            it.trouble = _NO_ROOM
        piece = await self._wire.exactly(count, not it.trouble)
        if it.trouble:
            it.content.clear()
        else:
            it.content += piece
        if last and it.trouble:
            await self._done(it.trouble)
        elif last:
            await self._keep(bytes(it.content))
        else:
            await self._wire.say(it.trouble or "250 2.0.0 go on")

    async def _skip(self, said: str) -> None:
        count, _ = _chunk(said)
        await self._wire.exactly(max(0, count), False)

    async def _keep(self, raw: bytes) -> None:
        self._mails += 1
        head = raw.partition(b"\r\n\r\n")[0]
        if len(_HOP.findall(head)) > _MOST_HOPS:
            await self._done("554 5.4.6 it goes in circles")
            return
        into = list({one.name: one for one in self._it.accounts}.values())
        try:
            await self._rules.keep(into, raw, self._it.sender or "", datetime.now(UTC))
        except StoreError as error:
            _log.error("a mail could not be kept: %s", type(error).__name__)
            await self._done(_NOT_NOW)
        else:
            await self._done("250 2.0.0 it is kept")

    async def _done(self, reply: str) -> None:
        """What came of a mail: over LMTP to each recipient, in their order (RFC 2033 §4.2)."""
        times = len(self._it.accounts) if self._rules.lmtp else 1
        self._forget()
        await self._wire.say(*[reply] * times)

    def _forget(self) -> None:
        """Begin anew, with nothing in memory."""
        self._it = _Envelope()
        self._reserve(0)

    def _reserve(self, count: int) -> bool:
        return self._ask(self, count)

    async def _wrong(self, reply: str) -> None:
        self._mistakes += 1
        await self._wire.say(reply)


def _chunk(said: str) -> tuple[int, bool]:
    """The length of a piece and whether it is the last one; -1 where nothing tells."""
    number, _, last = said.strip().partition(" ")
    if not number.isdecimal() or len(number) > 12 or last.strip().upper() not in ("", "LAST"):
        return -1, False
    return int(number), bool(last.strip())
