#!/usr/bin/env bash
# webvtt-py gives all words of a caption to whoever speaks first in it, and reads "< 10 mg" as "&lt; 10 mg".
#
# Package    webvtt-py 0.6.0, WebVTT, in which calls by video are written down
# Expected   the text of a caption is made of spans; each <v NAME> begins one of its own, and its end tag may be left out
#            only where it is all of the caption (WebVTT, §4.2.2, voice span). &lt; and &amp; stand for < and &, in the
#            text and in a name (the same, and §6.4, cue text parsing)
# Seen       `voice` is the name of the first, and `text` holds what both said, so that the doctor's question is the
#            patient's. `text` keeps &lt;, &gt; and &amp;, and the name &amp;. A caption of "- <v Mia>No" has no voice
# So         read `raw_text`, split it at each <v, and turn character references into characters yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check webvtt-py==0.6.0
"$folder/venv/bin/python" - <<'PYTHON'
import io

import webvtt

CALL = """WEBVTT

00:01.000 --> 00:04.000
<v Dr. Adams>Any pain?</v>

00:04.500 --> 00:06.000
<v Mia Wong>No.</v>
<v Dr. Adams>You had chest pain last week.</v>

00:07.000 --> 00:08.000
<v Mia Wong &amp; Leo>It was &lt; 10 mg &amp; at night

00:09.000 --> 00:10.000
- <v Mia Wong>No more.</v>
- <v Dr. Adams>Good.</v>
"""
expected = [
    ("Dr. Adams", "Any pain?"),
    ("Mia Wong", "No.\nYou had chest pain last week."),
    ("Mia Wong &amp; Leo", "It was &lt; 10 mg &amp; at night"),
    (None, "- No more.\n- Good."),
]
found = [(one.voice, one.text) for one in webvtt.from_buffer(io.StringIO(CALL))]
for one in found:
    print(one)
assert found == expected, found
print("OK: as described")
PYTHON
