#!/usr/bin/env bash
# imessage-reader says of each picture that no text came with it, whatever the patient wrote below.
#
# Package    imessage-reader 0.6.1, the messages of Apple's chat.db
# Expected   a message with an attachment may have a text: in `text` a U+FFFC stands for the picture, and the words follow
#            (openbubbles-app, issue 207, and iMCP, request 214, tell of both in one message). The reader gives it, as it
#            gives that of other messages, or both
# Seen       where cache_has_attachments is 1 the text is replaced by "<Message with no text, but an attachment.>", also if
#            there is one. The words are in none of what it returns, prints or exports. Times come as texts by the clock of
#            the machine that reads, without a zone: the same message is of 15:04 and of 19:04
# So         read `text` (and attributedBody, where that is null) of messages with attachments yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check imessage-reader==0.6.1
cat >seen.py <<'PYTHON'
import datetime as dt
import os
import sqlite3
import time

from imessage_reader.fetch_data import FetchData

EPOCH = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
SENT = dt.datetime(2024, 5, 13, 19, 4, tzinfo=dt.UTC)
TEXTS = (
    ("Fever since Monday", 0),
    ("\ufffcThis rash came after the second tablet, 500 mg", 1),
    ("\ufffc", 1),
)
with sqlite3.connect("chat.db") as database:
    database.execute("CREATE TABLE handle (id TEXT, service TEXT)")
    database.execute(
        "CREATE TABLE message (text TEXT, date INTEGER, handle_id INTEGER DEFAULT 0, destination_caller_id TEXT,"
        " is_from_me INTEGER DEFAULT 0, attributedBody BLOB, cache_has_attachments INTEGER DEFAULT 0)"
    )
    database.execute("INSERT INTO handle VALUES ('+16175550100', 'iMessage')")
    nanoseconds = (SENT - EPOCH) // dt.timedelta(seconds=1) * 10**9
    for text, attached in TEXTS:
        database.execute(
            "INSERT INTO message VALUES (?, ?, 1, '+16175550199', 0, NULL, ?)", (text, nanoseconds, attached)
        )


def read(zone: str) -> list[tuple[str, str]]:
    os.environ["TZ"] = zone
    time.tzset()
    found = [(text, sent) for _, text, sent, *_ in FetchData("chat.db").get_messages()]
    print(zone, *found, sep="\n  ")
    return found


NONE = "<Message with no text, but an attachment.>"
here, there = read("America/New_York"), read("UTC")
assert [text for text, _ in here] == ["Fever since Monday", NONE, NONE]
assert {sent for _, sent in here} == {"2024-05-13 15:04:00"}
assert {sent for _, sent in there} == {"2024-05-13 19:04:00"}
print("OK: as described")
PYTHON
venv/bin/python seen.py
