#!/usr/bin/env bash
# quotequail reads the year and the hour of Gmail's line as a part of the sender's name.
#
# Package    quotequail 0.5.4, the parts of a reply
# Expected   Of Gmail's English line, `On Tue, May 21, 2024 at 9:14 AM NAME <address> wrote:`, the date
#            is all before the name, as it is of the same line with a comma before the name
# Seen       The date is `Tue, May 21`, and the sender `2024 at 9:14 AM NAME <address>`: without a comma
#            before the name the line is parted at the last one that there is
# So         look for the time of day yourself, and let the name begin after it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check quotequail==0.5.4
"$folder/venv/bin/python" - <<'PYTHON'
import quotequail

NAME = "Bright Clinic <care@example.com>"
LINES = {
    f"On Tue, May 21, 2024 at 9:14 AM, {NAME} wrote:": ("Tue, May 21, 2024 at 9:14 AM", NAME),
    f"On Tue, 21 May 2024 at 09:14, {NAME} wrote:": ("Tue, 21 May 2024 at 09:14", NAME),
    f"On Tue, May 21, 2024 at 9:14 AM {NAME} wrote:": ("Tue, May 21", f"2024 at 9:14 AM {NAME}"),
}
for line, seen in LINES.items():
    reply = quotequail.unwrap(f"Yes, that suits us.\n\n{line}\n\n> Would 3 pm suit you?\n")
    found = (reply["date"], reply["from"])
    print(line, "->", found)
    assert found == seen, found
PYTHON
