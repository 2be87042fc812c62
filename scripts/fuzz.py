"""What ``make fuzz`` runs: damaged files into every reader, for hours if you like.

Each input is a sound file of the sample practice or of a few small ones, damaged at random: bytes
turned, pieces cut out, doubled, moved, joined with those of another file. Whatever comes of it, a
reader ends, yields messages and what it could not read, and each of these can be written as JSON.
An input that breaks this is kept in ``.cache/fuzz`` under its seed, which makes it again.

Memory is looked at as well: once warm, a process must not grow with the number of its inputs. So is
work: an input that takes longer than such a small file may, in seconds of the processor, is broken.
"""

from __future__ import annotations

import random
import resource
import signal
import sqlite3
import sys
import tempfile
import traceback
import zlib
from argparse import ArgumentParser, Namespace
from base64 import b85decode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from types import FrameType

from threadwell import zones
from threadwell.app import channels
from threadwell.channels import Channel, ReadOptions
from threadwell.intake.held.hold import encode_message
from threadwell.messages import Address, AddressKind, Broken, Message

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".cache" / "fuzz"
#: Inputs that a process reads before its memory is taken down, and by how much it may grow then.
_WARM = 2_000
_GROWTH_KIB = 64 * 1024
#: Files above this are read too slowly to damage many of them.
_LARGEST = 40_000
_CHUNK = 500
#: Of the processor's time, for one input.
_MOST_SECONDS = 20

_ROWS = b"id,sent,from,to,text\nm1,2024-05-13T15:04:00-04:00,+12075550111,+12075550100,Hello\n"
_LINES = b'{"id": "m1", "sent": "2024-05-13T15:04:00Z", "from": "+12075550111", "text": "Hi"}\n'
_CHAT = "[13.05.24, 15:04:09] Ana: \u200e<attached: 1-PHOTO.jpg>\n[13.05.24, 15:05] Ana: Hi\n"
_VOICE = (
    b'<?xml version="1.0" ?>\n<html><head><title>Ana</title></head><body><div class="hChatLog">'
    b'<div class="message"><abbr class="dt" title="2026-11-02T10:04:05.496-05:00">x</abbr>: <cite>'
    b'<a class="tel" href="tel:+12075550111"><span class="fn">Ana</span></a></cite>: <q>Hi<br>Ana'
    b'</q><img src="Ana - Text - 2026-11-02T15_04_05Z-1-1" /></div></div></body></html>'
)
_RECORDS = (
    b'{"thread_id": "1", "date": "1772452800123", "type": "1", "address": "+12075550111", "body": '
    b'"Hi"}\n{"thread_id": "1", "date": "1772452800", "msg_box": "1", "m_type": "132", '
    b'"__sender_address": {"address": "+12075550111", "type": "137"}, "__recipient_addresses": [{'
    b'"address": "+12075550100"}], "__parts": [{"ct": "text/plain", "text": "Hello"}]}\n'
)
_LOG = (
    b'{"messages": [{"sid": "SM%032x", "from": "+12075550111", "to": "+12075550100", "body": "Hi", '
    b'"direction": "inbound", "status": "received", "num_media": "0", "date_sent": "Mon, 02 Mar '
    b'2026 14:30:05 +0000", "date_created": "Mon, 02 Mar 2026 14:30:05 +0000"}], "page": 0}' % 1
)
_STORE_OF_RINGCENTRAL = (
    b'{"records": [{"uri": "https://platform.example.com/restapi/v1.0/account/1/extension/2/'
    b'message-store/3", "id": 3, "type": "SMS", "direction": "Inbound", "subject": "Hi", '
    b'"creationTime": "2026-03-02T14:30:05.000Z", "from": {"phoneNumber": "+12075550111"}, '
    b'"to": [{"phoneNumber": "+12075550100"}], "messageStatus": "Received"}]}'
)
_PAGE_OF_QUO = (
    b'{"data": [{"id": "AC0123", "conversationId": "CN1", "phoneNumberId": "PN9", "from": '
    b'"+12075550111", "to": ["+12075550100"], "direction": "incoming", "text": "Hi", "status": '
    b'"delivered", "createdAt": "2026-03-02T14:30:05Z"}]}'
)
_FRAMES = (
    b'{"version": "1", "backupTimeMs": "1772452800000"}\n{"recipient": {"id": "1", "self": {}}}\n'
    b'{"recipient": {"id": "2", "contact": {"aci": "AAAAAAAAAAAAAAAAAAAAAQ==", "e164": '
    b'"12075550111"}}}\n{"chat": {"id": "3", "recipientId": "2"}}\n{"chatItem": {"chatId": "3", '
    b'"authorId": "2", "dateSent": "1772452800000", "incoming": {"dateReceived": "1772452800500"}, '
    b'"standardMessage": {"text": {"body": "Hi"}, "attachments": [{"pointer": {"contentType": '
    b'"image/png", "locatorInfo": {"plaintextHash": "AAAA", "size": 3}}}]}}}\n'
)
_TABLES = (
    "PRAGMA page_size = 512; CREATE TABLE message (guid, text, attributedBody, date, handle_id);"
    "CREATE TABLE handle (id); CREATE TABLE chat (guid, style);"
    "CREATE TABLE chat_message_join (chat_id, message_id);"
    "CREATE TABLE chat_handle_join (chat_id, handle_id);"
    "INSERT INTO handle VALUES ('+12075550111');"
    "INSERT INTO chat VALUES ('iMessage;-;1', 45); INSERT INTO chat_handle_join VALUES (1, 1);"
    "INSERT INTO message VALUES ('G1', 'Hi', NULL, 794145600, 1), ('G2', NULL, x'040b73747265616d74"
    "7970656481e803840140848484124e5341747472696275746564537472696e67008484084e534f626a656374008592"
    "848484084e53537472696e67019484012b024869868402694901', 794145601, 1);"
    "INSERT INTO chat_message_join VALUES (1, 1), (1, 2);"
)
_MAIL = (
    b"From ana@example.org Mon May 13 15:04:00 2024\nMessage-ID: <1@example.org>\n"
    b"From: =?utf-8?q?Ana_Prado?= <ana@example.org>\nTo: office@example.org\n"
    b"Date: Mon, 13 May 2024 15:04:00 -0400\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain; '
    b"charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nOn Monday Ana wrote:\n> Hi =\n"
    b"\n--b\nContent-Type: text/html\n\n<p>Hi<blockquote>Hello</blockquote>\n--b--\n\n"
)
#: An item of Outlook with a file, as `tests/unit/channels/email/outlook_items.py` writes it.
_ITEM = zlib.decompress(
    b85decode(
        b"c-rlkPfHs?7{;H?=8w?`@lX#QOhFIDgKP{TSb{{PVha`V3j`aYE!b|*RidXtKZ!?=eiFTT@t_~1S)ZBR4MSw"
        b"(OiT`Ho?&)*Cp-I_JTvbMdviT=e{nVUfF7;EM#s-0t+ZLJi73cJ{wCTwzVC~s468rZtI}8O;5(MF4Hq7oFx4"
        b"*m?Bf>>Sq9M_{;<~gmNxId(c*iW9FL159BB04BKsw(qDXq1>wPpTU{2;qz8hC$oa@HOi#Qp^HLQj?_wC>9<("
        b"*YPAt&Pb?(=2&{A3urbYJ-2plgG>2xj|-T$IlN$96=#_)NcZWA*gsC_Rqad!f$>%c_X+u5`zrsi;1U6_>xR%"
        b">0k|!c6qIUe1jA&mv_-dx>Sz(GG5PmSddY2d^I2YLV-~VVlEJ#Cmw&jD5`#XI`)q;n|~$kMgk}zr<YC<=X~)"
        b"OUeIu{)Xi0@{<PqgtDK+@r#n|X!BDBd|TP?`teIBYxC0v{G_rk2!4yJ-sQE)yT`q>$+6UND&u3uE;Az-*Hbw"
        b"mKV!fbUj0@0M<g}KX~j_MSWspoD3LzHl6>)hCI-m=IR8sw2I%^qHTeG-<y;w-|B-a~!lzFPe~(m;*9LwX&p<"
        b"WwUubHm{#T^)L0x&)|D1vUS>>GU&)47orVaR$Bgj9K`JYne|Gi6myY<#|OnYbix%B1~eZNO%a!Q%||6_aJyd"
        b"D8>cCQc"
    )
)
#: What Outlook packs a mail into, with a file and another mail in it.
_PARCEL = zlib.decompress(
    b85decode(
        b"c-"
        b"pI&Z>Pk_z{oa%gMozs1Q<b(eF7T;2axjwBF6B7fsvzuok0S~^bGLT^UX{y$}i4OD^c)G%*@gA%P&b~Fyvrl2"
        b"I|rPDq#X*c?JdnMj*`w#2yTpU{mB7%o#vpAVY(Jcse5!6Hp5u*w+6@;43$iKm#LKuajO#L<mCxBNKlE8(4Ev"
        b"5(5(}P?ro?7sya{a}dn~l4H<gC}F4oVg`n2Cj5po10^!^7_LK1+W<9<mw^#%+5#YEXJ!IB`v4>i+$x9-"
        b"Do{8`z@3K(2Tz7Pu#$HSg#GOZ_IEzQ--(G3mqM)p0xf9(TYgd)"
    )
)
_PACKED = (
    b"From: ana@example.org\nTo: office@example.org\nDate: Mon, 13 May 2024 15:04:00 -0400\n"
    b'MIME-Version: 1.0\nContent-Type: application/ms-tnef; name="winmail.dat"\n'
    b"Content-Transfer-Encoding: binary\n\n"
) + _PARCEL
_SLACK = (
    b'[{"type":"message","user":"U1","channel":"C0CARE0001","ts":"1709650800.000100","text":"Hi '
    b'<@U2>","thread_ts":"1709650800.000100"},\n{"type":"message","subtype":"bot_message","bot_id":'
    b'"B1","channel":"C0CARE0001","ts":"1709650900.000100","text":"","attachments":[{"text":"a"}]}]'
)
_TELEGRAM = (
    b'{\n "name": "Ana",\n "type": "personal_chat",\n "id": 701,\n "messages": [\n  {\n   '
    b'"id": 1,\n   "type": "message",\n   "date": "2024-03-05T10:00:00",\n   '
    b'"date_unixtime": "1709650800",\n'
    b'   "from": "Ana",\n   "from_id": "user701",\n   "text": ["a\\x1Bb", {"type": "bold", "text": '
    b'"c"}]\n  },\n  {"id": 2, "type": "message", "date_unixtime": "1709650801", "from_id": 900, '
    b'"text": "", "photo": "(File not included.)", "reply_to_message_id": 1}\n ]\n}\n'
)


def main(arguments: Namespace) -> int:
    chunks = [
        range(at, min(at + _CHUNK, arguments.inputs)) for at in range(0, arguments.inputs, _CHUNK)
    ]
    done = failures = 0
    with ProcessPoolExecutor(arguments.processes) as pool:
        work = partial(_read_some, arguments.seed)
        for read, failed in pool.map(work, chunks):
            done += read
            failures += failed
            print(f"\r{done:,} inputs, {failures:,} failures", end="", flush=True)
    print()
    return 1 if failures else 0


def _read_some(seed: int, numbers: Sequence[int]) -> tuple[int, int]:
    """How many inputs were read, and how many of them failed."""
    failures = 0
    signal.signal(signal.SIGVTALRM, _stop)
    for number in numbers:
        one = f"{seed}-{number}"
        channel, content = make_input(random.Random(one))
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, _MOST_SECONDS)
            read_input(channel, content)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            failures += 1
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / one).write_bytes(content)
            (KEPT / f"{one}.txt").write_text(f"{channel.name}\n{traceback.format_exc()}")
    return len(numbers), failures + _grown()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"not read within {_MOST_SECONDS} seconds of the processor")


def _grown() -> int:
    """1 once this process takes more memory than it did when it was warm."""
    global _warm, _chunks
    _chunks += 1
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if _chunks * _CHUNK <= _WARM:
        _warm = used
    if used > _warm + _GROWTH_KIB:
        print(f"\nmemory grew from {_warm:,} to {used:,} KiB", file=sys.stderr)
        _warm = used
        return 1
    return 0


_warm = _chunks = 0


def read_input(channel: Channel, content: bytes) -> int:
    """Read the file with that content; how many items are in it. Raises what a reader must not."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        channel.sniff(content[:16_384], path)
        for item in channel.read(path, _OPTIONS):
            count += 1
            if isinstance(item, Message):
                encode_message(item)
                assert item.sent.tzinfo is not None, "a time has a zone"
            else:
                assert isinstance(item, Broken)
                item.reason.encode()
    return count


def make_input(chance: random.Random) -> tuple[Channel, bytes]:
    """A reader, and a file of its own that was damaged a little or much."""
    channel = chance.choice(_CHANNELS)
    seeds = _SEEDS[channel.name]
    content = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        content = chance.choice(_DAMAGE)(chance, content, chance.choice(seeds))
    return channel, content[: 4 * _LARGEST]


def _place(chance: random.Random, content: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(content))
    return start, min(len(content), start + chance.choice((1, 2, 4, 16, 64, 512)))


def _turn(chance: random.Random, content: bytes, _: bytes) -> bytes:
    start, end = _place(chance, content)
    return content[:start] + chance.randbytes(end - start) + content[end:]


def _cut(chance: random.Random, content: bytes, _: bytes) -> bytes:
    start, end = _place(chance, content)
    return content[:start] + content[end:]


def _double(chance: random.Random, content: bytes, _: bytes) -> bytes:
    start, end = _place(chance, content)
    return content[:end] + content[start:end] * chance.choice((1, 3, 200)) + content[end:]


def _join(chance: random.Random, content: bytes, other: bytes) -> bytes:
    (start, _), (other_start, end) = _place(chance, content), _place(chance, other)
    return content[:start] + other[other_start:end] + content[start:]


def _odd(chance: random.Random, content: bytes, _: bytes) -> bytes:
    start, _end = _place(chance, content)
    return content[:start] + chance.choice(_ODD) + content[start:]


_Damage = Callable[[random.Random, bytes, bytes], bytes]
_DAMAGE: tuple[_Damage, ...] = (_turn, _cut, _double, _join, _odd)
#: What readers have special ways for.
_ODD = (
    *(b"\r\n", b"\r", b"\n\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe2\x80\x8e", b"\x85"),
    *(b"&#55357;", b"&#0;", b"\\ud83d", b"\xed\xa0\x80", b"=?utf-8?b?", b"?=", b"=", b"%"),
    *(b'"', b"<", b">", b"(", b")", b";", b",", b"-", b"9" * 40, b"1e999", b"null"),
    *(b"From ", b"\nFrom - \n", b"\n--b\n"),
)


def _seeds(channel: Channel) -> Iterator[bytes]:
    own = {
        "table": (_ROWS, _LINES),
        "whatsapp": (_CHAT.encode(),),
        "email": (_MAIL, _ITEM, _PACKED),
        "google_voice": (_VOICE,),
        "imessage": (_database(),),
        "signal": (_FRAMES,),
        "twilio": (_LOG,),
        "ringcentral": (_STORE_OF_RINGCENTRAL,),
        "quo": (_PAGE_OF_QUO,),
        "sms_ie": (_RECORDS, b"[" + _RECORDS.replace(b"}\n{", b"},\n{") + b"]"),
        "slack": (_SLACK,),
        "telegram": (_TELEGRAM, b'{"chats": {"about": "", "list": [' + _TELEGRAM + b"]}}"),
    }
    yield from own.get(channel.name, ())
    for path in sorted((ROOT / "sample").rglob("*")):
        if path.is_file() and channel.sniff(path.read_bytes()[:16_384], path):
            content = path.read_bytes()
            yield from (content[:_LARGEST], content[-_LARGEST:])


def _database() -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(_TABLES)
        return database.serialize()


_CHANNELS = [channel for channel in channels() if channel.reads_files]
_SEEDS = {channel.name: list(_seeds(channel)) for channel in _CHANNELS}
_OPTIONS = ReadOptions(
    zones.current().data.zone("America/New_York").info,
    (Address(AddressKind.PHONE, "+12075550100"),),
)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Damaged files into every reader.")
    parser.add_argument("--inputs", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, help="other inputs (default: 0)")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    return parser


if __name__ == "__main__":
    sys.exit(main(_parser().parse_args()))
