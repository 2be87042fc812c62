#!/usr/bin/env bash
# Two readers of WhatsApp chats put a Spanish and a Chinese afternoon into the night.
#
# Package    whatstk 0.9.1 from PyPI, and whatsapp-chat-parser 4.0.2 from npm (on node 22.23.3)
# Expected   "3:04 p. m.", as a phone in Spanish writes it, is 15:04, and so is "下午3:04" in Chinese;
#            or an error that says that this form of a time is not known
# Seen       whatstk takes the Spanish afternoon for 03:04, told the form of the head or not. Where it finds the
#            form itself, what was written in the morning ("a. m.") is no message: it is joined to the text of
#            the one before it, which then has the words of somebody else. In English it is right.
#            The other one is right in Spanish, takes the Chinese afternoon for 03:04, and the Greek one as
#            well, of which "μ.μ. - Ana" is the sender. Nothing is raised or told
# So         compare the times with the order of the messages, and the senders with who took part
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check whatstk==0.9.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 whatsapp-chat-parser@4.0.2
cat >spanish.txt <<'CHAT'
13/5/24, 3:04 p. m. - Ana: Hola
13/5/24, 3:05 p. m. - Clínica: ¿Cómo está?
14/5/24, 9:05 a. m. - Ana: Mejor, gracias
CHAT
cat >english.txt <<'CHAT'
5/13/24, 3:04 PM - Ana: Hello
5/13/24, 3:05 PM - Clinic: How are you?
5/14/24, 9:05 AM - Ana: Better, thanks
CHAT
venv/bin/python -W ignore - <<'PYTHON'
from whatstk import WhatsAppChat


def seen(name: str, **told: str) -> list[tuple[str, str, str]]:
    chat = WhatsAppChat.from_source(filepath=name, **told).df.to_dict("records")
    print("whatstk", name, *chat, sep="\n  ")
    return [(str(one["date"]), one["username"], one["message"]) for one in chat]


assert [at for at, _, _ in seen("english.txt")] == [
    "2024-05-13 15:04:00",
    "2024-05-13 15:05:00",
    "2024-05-14 09:05:00",
]
joined = "¿Cómo está?\n14/5/24, 9:05 a. m. - Ana: Mejor, gracias"
assert seen("spanish.txt") == [
    ("2024-05-13 03:04:00", "Ana", "Hola"),
    ("2024-05-13 03:05:00", "Clínica", joined),
]
assert [at for at, _, _ in seen("spanish.txt", hformat="%d/%m/%y, %I:%M %P - %name:")] == [
    "2024-05-13 03:04:00",
    "2024-05-13 03:05:00",
    "2024-05-14 09:05:00",
]
PYTHON
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { parseString } from 'whatsapp-chat-parser';

const seen = (chat) => {
  const found = parseString(chat).map((one) => [one.date.getHours(), one.author]);
  console.log('whatsapp-chat-parser', JSON.stringify(found));
  return found;
};
const spanish = readFileSync('spanish.txt', 'utf8');
assert.deepEqual(seen(spanish), [[15, 'Ana'], [15, 'Clínica'], [9, 'Ana']]);
const chinese = '2024/5/13 下午3:04 - Ana: 你好\n2024/5/13 下午3:05 - Clinic: 你好\n';
assert.deepEqual(seen(chinese), [[3, 'Ana'], [3, 'Clinic']]);
const greek = '13/5/24, 3:04 μ.μ. - Ana: Γεια\n14/5/24, 9:05 π.μ. - Ana: Γεια\n';
assert.deepEqual(seen(greek), [[3, 'μ.μ. - Ana'], [9, 'π.μ. - Ana']]);
JAVASCRIPT
node_modules/node/bin/node seen.mjs
