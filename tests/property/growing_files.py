"""Files of every channel, made in any size, and what it costs to read one: a program of its own.

It reads lines ``channel<tab>case<tab>size<tab>size…`` and answers each with two numbers a size:
the lines of Python that ran while that file was read, and the most bytes held at once. Nothing else
runs here, so nothing else is counted.
"""

from __future__ import annotations

import gc
import sqlite3
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable
from functools import _lru_cache_wrapper
from pathlib import Path
from types import FrameType

from threadwell import zones
from threadwell.app import channels
from threadwell.channels import Channel, ReadOptions
from threadwell.messages import Address, AddressKind

CHANNELS = {channel.name: channel for channel in channels()}
OPTIONS = ReadOptions(
    zones.current().data.zone("UTC").info, (Address(AddressKind.PHONE, "+12075550100"),)
)
#: Of the file that is read before any is measured.
FIRST = 20

MAIL = (
    "From: ana@example.com\nTo: {to}\nMessage-ID: <1@example.com>\n"
    "Date: Mon, 13 May 2024 15:04:00 -0400\n{more}\n{text}"
)


def mail(*, to: str = "office@example.org", more: str = "", text: str = "hello\n") -> str:
    return MAIL.format(to=to, more=more, text=text)


def backup(inside: str) -> str:
    return f"<?xml version='1.0'?>\n<smses>{inside}</smses>"


def sms(body: str, n: int = 0) -> str:
    date = 1_700_000_000_000 + n * 60_000
    return f'<sms address="+12075550111" date="{date}" type="1" body="{body}"/>\n'


def numbered(form: str, count: int) -> str:
    return "".join(form.format(n) for n in range(count))


TEXT = (
    '{{"sid": "SM{:032x}", "from": "+12075550111", "to": "+12075550100", "direction": "inbound", '
    '"date_sent": "Wed, 01 May 2024 10:00:00 +0000", "body": "hi"}}'
)
Make = Callable[[int], str | bytes]
VOICE = (
    '<html><head><title></title></head><body><div class="hChatLog hfeed">{}</div>'
    '<div class="tags"><a rel="tag" href="http://www.google.com/voice#sms">Text</a></div>'
    "</body></html>"
)


def voice(inside: str) -> str:
    return VOICE.format(inside)


VOICE_MESSAGE = (
    '<div class="message"><abbr class="dt" title="2026-11-02T10:04:05.{:03}-05:00">x</abbr>'
    '<cite><a class="tel" href="tel:+1207555{:04}"><span class="fn"></span></a></cite>'
    "<q>{}</q></div>"
)


def record(n: int, more: str = "") -> str:
    """A message of Android as SMS Import / Export writes it."""
    return (
        f'{{"thread_id": "1", "date": "{1_700_000_000_000 + n * 60_000}", "type": "1", '
        f'"address": "+12075550111", "body": "hi"{more}}}\n'
    )


def mms_record(more: str, box: int = 1) -> str:
    return (
        f'{{"thread_id": "1", "date": "1700000000", "msg_box": "{box}", "m_type": "132", '
        f'"__sender_address": {{"address": "+12075550111"}}, {more}}}\n'
    )


def slack(*records: str) -> str:
    return f"[{', '.join(records)}]"


SLACK = (
    '{{"type": "message", "user": "{}", "ts": "17096508{:02}.{:06}", "channel": "C0CARE0001", {}}}'
)


def in_slack(more: str, n: int = 0, user: str = "U1") -> str:
    return SLACK.format(user, n % 60, n, more)


def phone_database(rows: Iterable[tuple[object, ...]], *, members: int = 1) -> bytes:
    """A database of an iPhone: messages of a text, a number of seconds and how many files."""
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE message (guid, text, date, handle_id, item_type, other_handle,"
        " group_action_type);"
        "CREATE TABLE handle (id); CREATE TABLE chat (guid, style);"
        "CREATE TABLE chat_message_join (chat_id, message_id);"
        "CREATE TABLE chat_handle_join (chat_id, handle_id);"
        "CREATE TABLE attachment (filename);"
        "CREATE TABLE message_attachment_join (message_id, attachment_id);"
        "INSERT INTO chat VALUES ('iMessage;-;1', 45);"
    )
    for n in range(members):
        database.execute("INSERT INTO handle VALUES (?)", (f"+1207555{n:04}",))
        database.execute("INSERT INTO chat_handle_join VALUES (1, ?)", (n + 1,))
    for number, (text, seconds, files) in enumerate(rows, start=1):
        row = (f"G{number}", text, seconds, 1)
        database.execute("INSERT INTO message VALUES (?, ?, ?, ?, 0, 0, 0)", row)
        database.execute("INSERT INTO chat_message_join VALUES (1, ?)", (number,))
        for _ in range(files):
            database.execute("INSERT INTO attachment VALUES ('/Attachments/a')")
            last = "INSERT INTO message_attachment_join VALUES (?, last_insert_rowid())"
            database.execute(last, (number,))
    database.commit()
    return database.serialize()


def telegram(*records: str) -> str:
    listed = ", ".join(records)
    return f'{{"name": "A", "type": "private_group", "id": 1, "messages": [{listed}]}}'


TELEGRAM = (
    '{{"id": {0}, "type": "{1}", "date_unixtime": "1709650800", "from_id": "user{2}",'
    ' "actor_id": "user{2}", "action": "join_group_by_link", {3}}}'
)


def in_telegram(more: str, n: int = 0, kind: str = "message", user: int = 1) -> str:
    return TELEGRAM.format(n, kind, user, more)


def signal(*frames: str) -> str:
    ana = '{"recipient": {"id": "2", "contact": {"aci": "AAAAAAAAAAAAAAAAAAAAAQ=="}}}'
    chat = '{"chat": {"id": "1", "recipientId": "2"}}'
    return "\n".join(['{"version": "1", "backupTimeMs": "1"}', ana, chat, *frames, ""])


def in_signal(content: str, n: int = 0) -> str:
    return (
        f'{{"chatItem": {{"chatId": "1", "authorId": "2", "dateSent": "{1_700_000_000_000 + n}", '
        f'"incoming": {{}}, "standardMessage": {{{content}}}}}}}'
    )


FILES: dict[str, dict[str, Make]] = {
    "signal": {
        "messages": lambda n: signal(*(in_signal('"text": {"body": "hi"}', i) for i in range(n))),
        "people": lambda n: signal(
            *(
                f'{{"recipient": {{"id": "{i}", "contact": {{"e164": "1207555{i:04}"}}}}}}'
                for i in range(n)
            ),
            in_signal('"text": {"body": "hi"}'),
        ),
        "mentions": lambda n: signal(
            in_signal(
                f'"text": {{"body": "{chr(0xFFFC) * n}", "bodyRanges": ['
                + ", ".join(
                    f'{{"start": {i}, "length": 1, "mentionAci": "AAAAAAAAAAAAAAAAAAAAAQ=="}}'
                    for i in range(n)
                )
                + "]}"
            )
        ),
        "files": lambda n: signal(
            in_signal('"attachments": [' + ", ".join(['{"pointer": {}}'] * n) + "]")
        ),
        "members of a group": lambda n: signal(
            '{"recipient": {"id": "3", "group": {"masterKey": "a", "snapshot": {"members": ['
            + ", ".join(['{"userId": "AAAAAAAAAAAAAAAAAAAAAQ=="}'] * n)
            + "]}}}}",
            in_signal('"text": {"body": "hi"}'),
        ),
    },
    "imessage": {
        "messages": lambda n: phone_database(("hi", 7_000_000 + i, 0) for i in range(n)),
        "files of a message": lambda n: phone_database([("hi", 7_000_000, n)]),
        "people of a group": lambda n: phone_database([("hi", 7_000_000, 0)], members=n),
    },
    "sms_ie": {
        "messages": lambda n: "".join(map(record, range(n))),
        "equal messages": lambda n: record(1) * n,
        "messages of an old export": lambda n: f"[{','.join(map(record, range(n)))}]",
        "columns": lambda n: record(1, numbered(', "c{}": "x"', n)),
        "parts": lambda n: mms_record(
            '"__parts": [' + '{"ct": "text/plain", "text": "a"}, ' * n + '{"ct": "text/plain"}]'
        ),
        "people of a group": lambda n: mms_record(
            '"__recipient_addresses": ['
            + numbered('{{"address": "+1207555{:04}"}}, ', n)
            + '{}], "__parts": [{"ct": "text/plain", "text": "a"}]'
        ),
    },
    "google_voice": {
        "messages": lambda n: voice(
            "".join(VOICE_MESSAGE.format(i % 1000, 111, "hi") for i in range(n))
        ),
        "equal messages": lambda n: voice(VOICE_MESSAGE.format(1, 111, "hi") * n),
        "breaks": lambda n: voice(VOICE_MESSAGE.format(1, 111, "a<br>" * n)),
        "messages within messages": lambda n: voice('<div class="message"><q>' * n),
        "people of a group": lambda n: voice(
            '<div class="participants">'
            + numbered('<a class="tel" href="tel:+1207555{:04}"><span class="fn">A</span></a>', n)
            + "</div>"
            + VOICE_MESSAGE.format(1, 111, "hi")
        ),
    },
    "email": {
        "quoted lines": lambda n: mail(text="> a\n" * n),
        "introductions": lambda n: mail(text="On Monday Ana wrote:\n" * n),
        "headers in the text": lambda n: mail(text="From: a\nTo: b\n" * n),
        "recipients": lambda n: mail(to=",\n ".join(f"u{i}@example.com" for i in range(n))),
        "references": lambda n: mail(more=f"References: {numbered('<{}@example.com> ', n)}\n"),
        "headers": lambda n: mail(more=numbered("X-{}: y\n", n)),
        "pieces of a parameter": lambda n: mail(
            more="Content-Type: text/plain" + numbered(";\n name*{}*=a", n) + "\n"
        ),
        "encoded words": lambda n: mail(more=f"Subject: {'=?utf-8?q?a?= ' * n}\n"),
        "parts": lambda n: mail(
            more='Content-Type: multipart/mixed; boundary="b"\n',
            text="--b\nContent-Type: text/plain\n\nx\n" * n + "--b--\n",
        ),
        "elements": lambda n: mail(more="Content-Type: text/html\n", text="<div>a" * n),
        "mails": lambda n: "".join(
            "From ana Mon May 13 15:04:00 2024\n" + mail(more=f"X-Number: {i}\n") + "\n"
            for i in range(n)
        ),
    },
    "sms_backup": {
        "messages": lambda n: backup("".join(sms("hi", i) for i in range(n))),
        "messages, the newest first": lambda n: backup(
            "".join(sms("hi", i) for i in reversed(range(n)))
        ),
        "equal messages": lambda n: backup(sms("hi") * n),
        "halves of characters": lambda n: backup(sms("&#55357;" * n)),
        "people of a group": lambda n: backup(
            "<mms date='1700000000000' msg_box='1' address='+12075550111'><parts/><addrs>"
            + numbered("<addr address='+1207555{:04}' type='151'/>", n)
            + "</addrs></mms>"
        ),
    },
    "table": {
        "rows": lambda n: "sent,from,text\n" + numbered("2024-05-01T10:00Z,+12075550111,{}\n", n),
        "equal rows": lambda n: "sent,from,text\n" + "2024-05-01T10:00Z,+12075550111,hi\n" * n,
        "broken rows": lambda n: "sent,from,text\n" + 'x,"y\n' * n,
        "recipients": lambda n: (
            "sent,from,to,text\n2024-05-01T10:00Z,+12075550111,"
            + numbered("u{}@example.com;", n)
            + ",hi\n"
        ),
    },
    "twilio": {
        "lines": lambda n: numbered(TEXT + "\n", n),
        "a page": lambda n: f'{{"messages": [{numbered(TEXT + ",", n)[:-1]}]}}',
        "pages": lambda n: numbered('{{"messages": [' + TEXT + "]}}", n),
        "damaged lines": lambda n: numbered(TEXT[:-9] + "\n", n),
        "a text without an end": lambda n: f"[{TEXT.format(1)[:-2]}{'a' * 40 * n}",
        "lists in lists": lambda n: '{"messages": ' + "[" * n + TEXT.format(1) + "]" * n + "}",
        "rows": lambda n: (
            "Sid,From,To,Body,SentDate,Direction\n"
            + numbered("SM{:032x},+12075550111,+12075550100,hi,2024-05-01T10:00Z,inbound\n", n)
        ),
    },
    "whatsapp": {
        "messages": lambda n: "2024-05-01, 10:00 - Ana: hi\n" * n,
        "lines of one message": lambda n: "2024-05-01, 10:00 - Ana: hi\n" + "and\n" * n,
        # Each message of a group goes to all others in it, so only the messages grow.
        "messages of a group": lambda n: (
            numbered("2024-05-01, 10:00 - A {0}: {0}\n", 20) * (n // 20)
        ),
        "files": lambda n: numbered("2024-05-01, 10:00 - Ana: IMG-{}.jpg (file attached)\n", n),
    },
    "slack": {
        "messages": lambda n: slack(*(in_slack('"text": "hi"', i) for i in range(n))),
        "marks": lambda n: slack(in_slack(f'"text": "{"<@U1> &lt; " * n}"')),
        "blocks": lambda n: slack(
            in_slack(f'"text": "", "blocks": [{", ".join(["{}"] * n)}, {{"text": "a"}}]')
        ),
        "people who come": lambda n: slack(
            *(in_slack('"subtype": "channel_join"', i, f"U{i}") for i in range(n // 8)),
            *(in_slack('"text": "hi"', i + n // 8) for i in range(n)),
        ),
        "damaged records": lambda n: slack(*(in_slack('"text": "hi', i) for i in range(n))),
        "records that never end": lambda n: "[\n" + " {\n" * n,
        "records within damaged ones": lambda n: "[\n" + " {a\n" * n + "}" * n,
        "brackets": lambda n: slack(in_slack(f'"text": "hi", "x": {"[" * n}')),
    },
    "telegram": {
        "messages": lambda n: telegram(*(in_telegram('"text": "hi"', i) for i in range(n))),
        "answers": lambda n: telegram(
            *(in_telegram(f'"text": "hi", "reply_to_message_id": {i - 1}', i) for i in range(n))
        ),
        "forms": lambda n: telegram(in_telegram(f'"text": ["a"{", {}" * n}]')),
        "escapes": lambda n: telegram(in_telegram(f'"text": "{chr(92) * 2 * n}x1B"')),
        "people who come": lambda n: telegram(
            *(in_telegram('"text": ""', i, "service", i) for i in range(n // 8)),
            *(in_telegram('"text": "hi"', i) for i in range(n)),
        ),
        "damaged records": lambda n: telegram(*(in_telegram('"text": "hi', i) for i in range(n))),
        "records that never end": lambda n: telegram("\n {" * n),
        "records within damaged ones": lambda n: telegram("\n {a" * n + "}" * n),
        "chats": lambda n: (
            '{"chats": {"list": [' + ", ".join([telegram(in_telegram('"text": "hi"'))] * n) + "]}}"
        ),
    },
}


def cost(channel: Channel, content: str | bytes) -> tuple[int, int]:
    """The lines of Python that ran while the file was read, and the most bytes held at once."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> object:
        nonlocal lines
        lines += event == "line"
        return count

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        before = sys.gettrace()
        tracemalloc.start()
        sys.settrace(count)
        try:
            found = sum(1 for _ in channel.read(path, OPTIONS))
        finally:
            sys.settrace(before)
            held = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert found, "there is something in the file"
    return lines, held


def costs(channel: Channel, make: Make, sizes: Iterable[int]) -> list[tuple[int, int]]:
    """What a file of each size costs where nothing is remembered of the files before it."""
    cost(channel, make(FIRST))  # What is compiled once is so from now on.
    remembered = [one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper)]
    out = []
    for size in sizes:
        for one in remembered:
            one.cache_clear()
        out.append(cost(channel, make(size)))
    return out


def main() -> None:
    for line in sys.stdin:
        channel, case, *sizes = line.rstrip("\n").split("\t")
        told = costs(CHANNELS[channel], FILES[channel][case], map(int, sizes))
        print(*(number for one in told for number in one), flush=True)


if __name__ == "__main__":
    main()
