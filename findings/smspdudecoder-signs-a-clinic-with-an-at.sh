#!/usr/bin/env bash
# smspdudecoder adds an @ to senders of seven letters, and reads voice-mail notices as UCS2.
#
# Package    smspdudecoder 2.2.0 (with bitstring 4.4.0), SMS PDUs as modems give them
# Expected   An alphanumeric sender says in semi-octets how long it is (3GPP TS 23.040 §9.1.2.5):
#            13 of them hold seven septets, `ClinicA`. The coding groups 1100 and 1101 (a message
#            waits: discard, or keep the text) are of the default alphabet, only 1110 is UCS2
#            (TS 23.038 §4)
# Seen       The sender of seven letters is `ClinicA@`: the seven bits that fill the last octet are
#            read as a septet. Six and eight letters are right. The text `Call us!` under C8 or D8
#            comes out as four letters of other scripts; a warning of a short PDU is all that tells
# So         know a sender by its octets and its length, and hold texts of the groups C and D
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check smspdudecoder==2.2.0 bitstring==4.4.0
"$folder/venv/bin/python" - <<'PYTHON'
from smspdudecoder.easy import read_incoming_sms


def septets(text: str) -> str:
    packed = sum(ord(letter) << 7 * place for place, letter in enumerate(text))
    return packed.to_bytes((7 * len(text) + 7) // 8, "little").hex().upper()


def deliver(sender: str, coding: str, text: str) -> dict[str, object]:
    """A SMS-DELIVER without a service centre, of 20 May 2024, 10:00 at -04:00."""
    semi_octets = -(-7 * len(sender) // 4)
    address = f"{semi_octets:02X}D0{septets(sender)}"
    moment = "42500201000069"
    body = f"{len(text):02X}{septets(text)}"
    return read_incoming_sms(f"0004{address}00{coding}{moment}{body}")


for name, seen in (("Clinic", "Clinic"), ("ClinicA", "ClinicA@"), ("ClinicAB", "ClinicAB")):
    found = deliver(name, "00", "hi")["sender"]
    print(f"{name} is {found}")
    assert found == seen, found
for coding in ("00", "F1"):
    assert deliver("Clinic", coding, "Call us!")["content"] == "Call us!"
for coding in ("C8", "D8"):
    found = str(deliver("Clinic", coding, "Call us!")["content"])
    print(f"coding {coding}: {len(found)} letters,", ascii(found))
    assert len(found) == 4, found
    assert not found.isascii(), found
PYTHON
