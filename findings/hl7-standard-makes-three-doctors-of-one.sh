#!/usr/bin/env bash
# hl7-standard makes three doctors of the one who signed a result, if the message is only read and written again.
#
# Package    hl7-standard 1.0.4 (on node 22.23.3 from npm), HL7 v2 read, changed and built
# Expected   & parts the subcomponents of a component, and ~ the repetitions of a field (HL7 v2.5, Message delimiters, and MSH-2): a
#            message that is read and built again has each separator where it was
# Seen       in a field of one component with subcomponents each & comes back as ~. OBR-32, which names who signed the
#            result as `77&Smith&Ann` (NDL, whose first component is a CNN), becomes `77~Smith~Ann`: three doctors, of
#            whom two have a name for a number. A Dutch patient of whom only the family name is known (FN: `VAN DIJK&VAN&DIJK`
#            in PID-5) has three names. With a second component or a second repetition the & stays. Nothing is raised
# So         do not build what you have read where subcomponents matter; change the text of the one field instead
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 hl7-standard@1.0.4
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { createRequire } from 'node:module';

const HL7 = createRequire(import.meta.url)('hl7-standard');
const HEADER = 'MSH|^~\\&|LAB|HOSPITAL|SMS|CLINIC|20240513150400-0400||ORU^R01^ORU_R01|1|P|2.5';
const look = (signed, name, ...expected) => {
  const result = `OBR|1||9|718-7^Hemoglobin^LN${'|'.repeat(28)}${signed}`;
  assert.equal(result.split('|')[32], signed);
  const lines = [HEADER, `PID|1||123^^^WARD^MR||${name}||19800101`, result, 'OBX|1|NM|718-7||8.1|g/dL'];
  const message = new HL7(lines.join('\r'));
  message.transform();
  const built = message.build().split('\r\n').map((line) => line.split('|'));
  const found = [built[2][32], built[1][5]];
  console.log(signed, name, '->', ...found);
  assert.deepEqual(found, expected);
  assert.equal(built[3][5], '8.1');
};
const SIGNED = '77&Smith&Ann^20240513';
look(SIGNED, 'WONG^MIA', SIGNED, 'WONG^MIA');
look('77&Smith&Ann~78&Lee&Bo', 'WONG^MIA', '77&Smith&Ann~78&Lee&Bo', 'WONG^MIA');
look(SIGNED, 'VAN DIJK&VAN&DIJK^ANA', SIGNED, 'VAN DIJK&VAN&DIJK^ANA');
look('77&Smith&Ann', 'VAN DIJK&VAN&DIJK', '77~Smith~Ann', 'VAN DIJK~VAN~DIJK');
console.log('OK: as described');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
