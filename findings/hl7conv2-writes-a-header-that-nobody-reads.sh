#!/usr/bin/env bash
# hl7conv2 writes a header that no reader takes, and counts its fields one too low.
#
# Package    hl7conv2 0.2.5, HL7 v2 to JSON and back, in Rust for Python
# Expected   MSH-1 is the separator itself and MSH-2 `^~\&` as it stands (HL7 v2.5, §2.15.9), so the message type is
#            MSH-9 and the control id MSH-10; a message that is only read and written has the header that it had. `\S\`
#            is a caret of the text, and parts nothing (§2.7.1); `\.br\` breaks a line (§2.7.6), or stays
# Seen       the type is at 8, the id at 9, the version at 11, and 1 is taken apart at its own caret. Written again,
#            MSH-2 is `^\R\\\\T\`, so a receiver looks for repetitions and escapes by other letters, or refuses all.
#            `7 \S\ 8` becomes two components, "7 " and " 8"; `\.br\` loses its second backslash; blanks are written as
#            `\X20\` where the text has an escape. Segments end with a line feed in place of a carriage return (§2.5).
#            `validate(True, True)` refuses a header that ends with the version, MSH-12
# So         write MSH yourself, and read it by names and not by the numbers of the standard
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check hl7conv2==0.2.5
"$folder/venv/bin/python" - <<'PYTHON'
from hl7conv2 import Hl7Json, JsonHl7

HEAD = r"MSH|^~\&|LAB|CLINIC|EHR|CLINIC|20240513150400-0400||ORU^R01|C1|P|2.5.1"


def read(text: str) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """The header, the result, and both as they are written again."""
    found = Hl7Json(f"{HEAD}\rOBX|1|TX|8||{text}").hl7_json
    written = JsonHl7(found).hl7_string
    print(text, "->", {key: value for key, value in found[1].items() if key[0] == "5"})
    assert "\r" not in written
    return found[0], found[1], written.split("\n")


header, result, (first, second) = read(r"7 \S\ 8 \T\ 9")
print({key: header[key] for key in ("1.1", "1.2", "8.1", "9", "11")}, first, second, sep="\n")
assert (header["1.1"], header["1.2"]) == ("", r"~\&")
assert (header["8.1"], header["9"], header["11"]) == ("ORU", "C1", "2.5.1")
assert first.startswith("MSH|^" + r"\R" + "\\" * 4 + "T" + "\\" + "|LAB|"), first
assert (result["5.1"], result["5.2"]) == ("7 ", " 8 & 9")
assert r"7\X20\^\X20\8" in second
assert read(r"120/80\.br\80 kg")[1]["5"] == r"120/80\.br80 kg"
try:
    Hl7Json(f"{HEAD}\rPID|1").validate(True, True)
except Exception as error:
    print(error)
    assert "at least 12 fields" in str(error)
else:
    raise AssertionError("a header of 12 fields is valid")
PYTHON
