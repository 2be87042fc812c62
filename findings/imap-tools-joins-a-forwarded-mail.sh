#!/usr/bin/env bash
# imap-tools reads a forwarded mail as words of the one who forwards it.
#
# Package    imap-tools 1.16.0
# Expected   `text` has the text of the mail; a mail that is attached to it (message/rfc822, as
#            "forward as attachment" makes it) is in `attachments`, and only there
# Seen       it is in both. `text` is the mail's own text and that of every mail inside it, with
#            nothing between them: the last word of one and the first of the next are one word.
#            What a laboratory wrote to a patient reads as said by the patient who passes it on
# So         take the first text/plain part of the message object (`obj`) that is not within a
#            message/rfc822 part
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check imap-tools==1.16.0
"$folder/venv/bin/python" - <<'PYTHON'
from email.message import EmailMessage

from imap_tools import MailMessage

inner = EmailMessage()
inner["From"] = "laboratory@example.org"
inner["Subject"] = "Result"
inner.set_content("Your result is ready.", cte="7bit")

mail = EmailMessage()
mail["From"] = "mia@family.example"
mail["To"] = "clinic@example.org"
mail["Subject"] = "Fwd: Result"
mail.set_content("Please call me", cte="7bit")
mail.add_attachment(inner)

read = MailMessage.from_bytes(mail.as_bytes())
print("text       ", repr(read.text))
print("attachments", [a.content_type for a in read.attachments])
assert [a.content_type for a in read.attachments] == ["message/rfc822"]
assert read.text.split() == "Please call me Your result is ready.".split()

bare = MailMessage.from_bytes(
    b"From: mia@family.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nPlease call me\r\n--b\r\nContent-Type: message/rfc822"
    b"\r\n\r\nFrom: laboratory@example.org\r\n\r\nYour result is ready.\r\n--b--\r\n"
)
print("no line end", repr(bare.text))
assert bare.text == "Please call meYour result is ready."
PYTHON
