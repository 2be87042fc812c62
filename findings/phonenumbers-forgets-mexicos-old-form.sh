#!/usr/bin/env bash
# The same Mexican mobile number is one number to libphonenumber of 2022, and none to that of today.
#
# Package    phonenumbers 8.13.0 and 9.0.43 (Google's libphonenumber in Python)
# Expected   `+52 1 55 1234 5678`, the form of mobiles until 2019, in which WhatsApp still has its ids,
#            gives `+525512345678`: other old forms, such as Argentina's `15`, are read as today's
# Seen       8.13.0 gives that. By 9.0.43 the 1 stays, and the number is neither valid nor possible: an
#            update of the package cuts old messages from new ones
# So         take the 1 out yourself before you compare, and pin the package's data with your store
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/read.py" <<'PYTHON'
from phonenumbers import PhoneNumberFormat, format_number, is_possible_number, parse

for text in ("+52 1 55 1234 5678", "+52 55 1234 5678", "+54 11 15 2345 6789"):
    number = parse(text)
    print(format_number(number, PhoneNumberFormat.E164), is_possible_number(number))
PYTHON
for version in 8.13.0 9.0.43; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install -q --disable-pip-version-check "phonenumbers==$version"
  "$folder/$version/bin/python" "$folder/read.py" | tee -a "$folder/seen"
done
test "$(cat "$folder/seen")" = "+525512345678 True
+525512345678 True
+5491123456789 True
+5215512345678 False
+525512345678 True
+5491123456789 True"
