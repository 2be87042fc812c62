#!/usr/bin/env bash
# smpplib cuts a euro at the end of a part in two, and the patient reads an e.
#
# Packages   smpplib 2.2.4, gsm0338 1.1.0 (PyPI)
# Expected   in a long SMS a letter of GSM 03.38's extension table (€ [ ] { } ~ \ | ^) is two septets that stay in
#            one part, as 3GPP TS 23.040 §9.2.3.24.1 has it: a part is then a septet shorter
# Seen       `make_parts` cuts after 153 septets, wherever that is. The first part ends with an escape, the
#            second begins with `e`. gsm0338, and each decoder that takes a part as it comes, drops the lone escape
#            and reads `e`: 20 € become 20 e, and `[` becomes `<`. A letter of two UTF-16 units is cut as well
# So         put a blank or a line break before such a letter where it falls on septet 153, or cut the text yourself;
#            join what came as bytes, and decode it after that
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check smpplib==2.2.4 gsm0338==1.1.0
"$folder/venv/bin/python" - <<'PYTHON'
from gsm0338 import Codec
from smpplib import consts, gsm

HEADER = 6  # octets that say which part of which message this is
gsm_codec = Codec()


def parts(text: str) -> tuple[list[bytes], int]:
    found, coding, _ = gsm.make_parts(text)
    return [part[HEADER:] for part in found], coding


before, after = "Your share of the costs: ".ljust(152, "."), " a day, to be paid at the desk"
for letter, read in (("e", "e"), ("€", "e"), ("[", "<"), ("~", "=")):
    found, coding = parts(before + letter + after)
    seen = "".join(gsm_codec.decode(part)[0] for part in found)
    joined = gsm_codec.decode(b"".join(found))[0]
    print(letter, "is read as", seen[152], "and after joining as", joined[152])
    assert coding == consts.SMPP_ENCODING_DEFAULT
    assert joined == before + letter + after
    assert seen == before + read + after, seen

found, coding = parts("я" * 66 + "\U00020bb7" + "я" * 10)
print("the first part ends with", found[0][-2:].hex(), "and the second begins with", found[1][:2].hex())
assert coding == consts.SMPP_ENCODING_ISO10646
assert (found[0][-2:].hex(), found[1][:2].hex()) == ("d842", "dfb7")
PYTHON
