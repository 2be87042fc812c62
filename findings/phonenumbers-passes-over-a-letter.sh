#!/usr/bin/env bash
# A letter O typed for a nought leaves a number that is valid, and somebody else's.
#
# Package    phonenumbers 9.0.43 (Google's libphonenumber in Python)
# Expected   `+358 40 O1234567` has a letter in it and is no number: NumberParseException, or at least
#            not valid
# Seen       the letter is passed over, and the digits before and behind it are joined: where numbers
#            have different lengths (Finland, Austria, Germany) the rest is valid, and one digit is gone.
#            The JavaScript port, libphonenumber-js 1.13.16, finds no number there
# So         refuse letters before you parse, but for `ext`, `x` and words of three letters or more
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check phonenumbers==9.0.43
npm init -y > npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts libphonenumber-js@1.13.16 >> npm.log 2>&1
venv/bin/python - <<'PYTHON'
from phonenumbers import PhoneNumberFormat, format_number, is_valid_number, parse

for text, seen in {
    "+358 40 O1234567": "+358401234567",
    "+43 664 O123456": "+43664123456",
    "+49 30 l234567": "+4930234567",
}.items():
    number = parse(text)
    found = format_number(number, PhoneNumberFormat.E164)
    print(text, "->", found, "valid" if is_valid_number(number) else "not valid")
    assert found == seen and is_valid_number(number)
PYTHON
node -e '
const {parsePhoneNumberFromString} = require("libphonenumber-js/max");
const found = parsePhoneNumberFromString("+358 40 O1234567");
console.log("libphonenumber-js:", found);
if (found !== undefined) process.exit(1);'
