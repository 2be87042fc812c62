#!/usr/bin/env bash
# Two libraries of HL7 v2 escape a line break again, and its reader sees `\.br\` in the text.
#
# Packages   hl7apy 1.3.5 (PyPI), @redoxengine/redox-hl7-v2 1.0.1 (npm)
# Expected   a message that is only read and written has in OBX-5 what it had: `120/80\.br\80 kg` is two lines
#            (HL7 v2.5, §2.7.6)
# Seen       both know the escapes of separators (\T\, \F\), and take the backslashes of \.br\ for letters:
#            they write `120/80\E\.br\E\80 kg`, which says that the letters themselves were meant. The next
#            system shows one line with `\.br\` in it. \X0D\ is treated alike
# So         set the text of FT and TX fields yourself after parsing, or pass on the bytes that came
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check hl7apy==1.3.5
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts @redoxengine/redox-hl7-v2@1.0.1 >>npm.log 2>&1
cat >message.hl7 <<'HL7'
MSH|^~\&|A|B|C|D|20240513150400-0400||ORU^R01^ORU_R01|1|P|2.5
PID|1||123^^^Y^MR||Doe^Ana
OBR|1|||N^Note^L
OBX|1|FT|N^Note^L||120/80\.br\80 kg \T\ fine\X0D\bye||||||F
HL7
tr '\n' '\r' <message.hl7 >message.er7
cat >seen.py <<'PYTHON'
from hl7apy.parser import parse_message

with open("message.er7", newline="") as file:
    er7 = file.read()
[line] = [one for one in parse_message(er7).to_er7().split("\r") if one.startswith("OBX")]
found = line.split("|")[5]
print("hl7apy ", found)
assert found == r"120/80\E\.br\E\80 kg \T\ fine\E\X0D\E\bye", found
PYTHON
venv/bin/python seen.py
cat >seen.cjs <<'JS'
const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { Generator, Parser } = require('@redoxengine/redox-hl7-v2');

const er7 = readFileSync('message.er7', 'utf8');
const [line] = new Generator()
  .write(new Parser().parse(er7))
  .split('\r')
  .filter((one) => one.startsWith('OBX'));
const found = line.split('|')[5];
console.log('redox  ', found);
assert.equal(found, String.raw`120/80\E\.br\E\80 kg \T\ fine\E\X0D\E\bye`);
JS
node seen.cjs
