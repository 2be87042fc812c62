#!/usr/bin/env bash
# python-hl7 turns the apostrophe that phones type into a blank and a control character.
#
# Package    hl7 0.4.5 (python-hl7, HL7 v2 messages)
# Expected   `unescape(escape(text))` is the text. \X…\ has pairs of hexadecimal digits, a byte each (HL7
#            v2.5, §2.7.5), so that a letter of more than a byte is not written by it, and stays as it is
# Seen       whatever is not ASCII is written as \X…\ with the number of its code point, as many digits as that
#            takes, and read back two digits a letter: U+2019 becomes \X2019\, and that a blank and 0x19. The
#            same befalls the long dash and the euro. A new line becomes `\X a\`, with a blank where a digit
#            should be: it is understood by this package alone. ASCII and é come back right
# So         escape |, ^, ~, & and \ yourself, write line breaks as \.br\, and leave other letters as they are
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check hl7==0.4.5
"$folder/venv/bin/python" - <<'PYTHON'
import hl7

message = hl7.parse("MSH|^~\\&|A|B|C|D|20240513150400||MDM^T02|1|P|2.5\rEVN||20240513150400\r")
for said, written, read in (
    ("I am fine", "I am fine", "I am fine"),
    ("caf\xe9", r"caf\Xe9" "\\", "caf\xe9"),
    ("I don\u2019t", r"I don\X2019\t", "I don \x19t"),
    ("pain \u2013 7", r"pain \X2013\ 7", "pain  \x13 7"),
    ("20 \u20ac", r"20 \X20ac" "\\", "20  \xac"),
    ("one\ntwo", r"one\X a\two", "one\ntwo"),
):
    escaped = message.escape(said)
    back = message.unescape(escaped)
    print(ascii(said), "is written", escaped, "and read", ascii(back))
    assert (escaped, back) == (written, read), (escaped, back)
PYTHON
