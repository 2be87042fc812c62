#!/usr/bin/env bash
# smspdudecoder is installed with a bitstring that it cannot be imported with.
#
# Package    smspdudecoder 2.2.0 with bitstring 5.0.0, the two that pip brings together
# Expected   What a package declares (`bitstring>=3.1`) is what it runs with
# Seen       bitstring 5 has no `BitStream` any more: `import smspdudecoder.easy` raises ImportError.
#            With bitstring 4.4.0 it is imported
# So         pin `bitstring<5` wherever smspdudecoder is asked for
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip="$folder/venv/bin/pip"
"$pip" install -q --disable-pip-version-check smspdudecoder==2.2.0 bitstring==5.0.0
"$pip" check
if seen=$("$folder/venv/bin/python" -c "import smspdudecoder.easy" 2>&1); then
    echo "they go together by now" >&2
    exit 1
fi
tail -1 <<<"$seen" | sed 's/ (.*//'
grep -q "ImportError: cannot import name 'BitStream'" <<<"$seen"
"$pip" install -q --disable-pip-version-check bitstring==4.4.0
"$folder/venv/bin/python" -c "import smspdudecoder.easy; print('with bitstring 4.4.0: imported')"
