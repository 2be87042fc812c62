#!/usr/bin/env bash
# Two readers of replies by mail leave out what the patient wrote in the reply.
#
# Packages   email-reply-parser 0.5.12 (Zapier's port of GitHub's), mail-parser-reply 1.36
# Expected   quotations and signatures go, and the sender's own words stay: a list of readings with dashes is no
#            signature, and an answer below the question that it quotes is what was asked for
# Seen       to both a line that begins with a dash opens a signature: of "-120 mg/dL in the morning" and all below it
#            nothing is left. A blank behind the dash helps with email-reply-parser alone, which also cuts at "Sent
#            from my bed". mail-parser-reply counts an answer below the question to the old mail, and a PS below
#            the name to the signature; its `latest_reply` keeps signatures, and loses the answer as well
# So         keep the whole text beside the reply, and show it; give the reply alone to nothing that decides
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    email-reply-parser==0.5.12 mail-parser-reply==1.36
"$folder/venv/bin/python" - <<'PYTHON'
import email_reply_parser
import mailparser_reply

QUOTED = "On Mon, May 13, 2024 at 3:04 PM Clinic <clinic@example.org> wrote:\n> Does it still hurt?\n"
READINGS = "My readings:\n\n-120 mg/dL in the morning\n-135 at noon\n\nIs that fine?\n"
ABOVE = "Yes, 8 of 10.\n\n" + QUOTED
BELOW = "Please see below.\n\n" + QUOTED + "\nYes, 8 of 10.\n"
BED = "It hurts.\n\nSent from my bed, as I cannot get up.\nPlease call.\n"
SIGNED = "It is better.\n\nBest,\nAna\n\nPS: the knee is red and hot\n"


def zapier(text: str) -> str:
    return email_reply_parser.EmailReplyParser.parse_reply(text)


def newer(text: str) -> str:
    read = mailparser_reply.EmailReplyParser(languages=["en"]).read(text=text)
    return str(read.replies[0].body)


for reader, text, seen in (
    (zapier, ABOVE, "Yes, 8 of 10."),
    (newer, ABOVE, "Yes, 8 of 10."),
    (zapier, READINGS, "My readings:"),
    (newer, READINGS, "My readings:"),
    (zapier, READINGS.replace("-1", "- 1"), READINGS.replace("-1", "- 1").strip()),
    (newer, READINGS.replace("-1", "- 1"), "My readings:"),
    (zapier, BED, "It hurts."),
    (newer, BED, BED.strip()),
    (zapier, BELOW, "Please see below.\nYes, 8 of 10."),
    (newer, BELOW, "Please see below."),
    (newer, SIGNED, "It is better."),
):
    found = reader(text)
    print(f"{reader.__name__:7}", repr(found))
    assert found == seen, (text, found)
latest = mailparser_reply.EmailReplyParser(languages=["en"]).read(text=BELOW).latest_reply
assert latest == "Please see below.", latest
PYTHON
