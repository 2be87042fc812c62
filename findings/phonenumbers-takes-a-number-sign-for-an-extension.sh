#!/usr/bin/env bash
# A number sign after a phone number turns its last digits into an extension.
#
# Package    phonenumbers 9.0.43 (Google's libphonenumber in Python)
# Expected   what stands behind a number is passed over, as `;` and `,` are: `207-555-0111;` gives
#            +12075550111. So `207-555-0111#`, as people type it on a phone and some systems export
#            it, gives the same
# Seen       the digits after the last separator and the sign are an extension of American style:
#            the number is +1207555, the extension 0111. Nothing is raised; `is_possible_number`
#            alone tells that the rest is too short. Without separators it is no number at all
# So         take the sign off before you parse; never keep a number that is not possible
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check phonenumbers==9.0.43
"$folder/venv/bin/python" - <<'PYTHON'
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse


def read(text):
    number = parse(text, "US")
    out = format_number(number, PhoneNumberFormat.E164), number.extension, is_possible_number(number)
    print(f"{text:22}", *out)
    return out


assert read("+1 (207) 555-0111") == ("+12075550111", None, True)
assert read("207-555-0111;") == ("+12075550111", None, True)
assert read("+1 (207) 555-0111#") == ("+1207555", "0111", False)
assert read("207-555-0111#") == ("+1207555", "0111", False)
try:
    read("12075550111#")
except NumberParseException as error:
    print("12075550111#          ", error)
else:
    raise SystemExit("it is read by now")
PYTHON
