#!/usr/bin/env bash
# EmailMessage writes the Message-ID that it answers as encoded words, and threads fall apart.
#
# Package    CPython 3.11.7 `email` (policy SMTP), read by imap-tools 1.16.0, threadweave 0.1.0 (JWZ)
# Expected   In-Reply-To and References hold ids as they are. No line may have more than 998
#            characters (RFC 5322 §2.1.1), and encoded words have no place in these fields
#            (RFC 2047 §5): an id of 86, as Outlook makes them, stays one word on a line of its own
# Seen       What is longer than a line of 78 becomes =?utf-8?q?=3C…?= in two pieces, in both
#            fields. imap-tools hands them on like that, JWZ finds no parent: two threads of one
#            message each. An id of 39 is written whole, and is one thread
# So         fold these fields yourself where a reply is written, and decode encoded words in them
#            where it is read
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check imap-tools==1.16.0 threadweave==0.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import platform
from email.message import EmailMessage
from email.policy import SMTP

from imap_tools import MailMessage
from threadweave import Message, thread_messages
from threadweave.headers import extract_reference_ids, normalize_message_id

print("Python", platform.python_version())


def reply_to(parent: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "care@clinic.example", "ana@example.org"
    mail["Message-ID"] = "<answer@clinic.example>"
    mail["In-Reply-To"] = parent
    mail["References"] = parent
    mail.set_content("At three.")
    return bytes(mail)


def threads_of(parent: str) -> int:
    read = MailMessage.from_bytes(reply_to(parent))
    [references] = read.headers["references"]
    [own] = read.headers["message-id"]
    print(f"  References as it is read: {references.split()}")
    asked = Message(message_id=normalize_message_id(parent))
    answer = Message(message_id=normalize_message_id(own), references=extract_reference_ids(references))
    return len(thread_messages([asked, answer]))


short = "<1234567890abcdef12345678@mail.example>"
long = "<DM6PR04MB5914A1F2C3D4E5F60718293A4B5C6D7E8F9@DM6PR04MB5914.namprd04.prod.outlook.com>"
for parent, threads in ((short, 1), (long, 2)):
    print(f"an id of {len(parent)} characters:")
    found = threads_of(parent)
    print(f"  {found} thread(s) of a message and its answer")
    assert found == threads, found
assert b"In-Reply-To: =?utf-8?q?=3C" in reply_to(long)
PYTHON
