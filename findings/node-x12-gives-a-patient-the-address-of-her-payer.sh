#!/usr/bin/env bash
# node-x12 gives a patient her payer's post box for an address and her child's birth for her own, and keeps old claims.
#
# Package    node-x12 1.7.1 (on node 22.23.3 from npm), X12 parsed and queried; an 837 (claim) of 005010X222A1
# Expected   NM1-N301:NM101["IL"], in the form that its README has for an address (N1-N301:N101["ST"]), is the N3 below
#            that NM1, or nothing if that party has none: N3 and DMG of who is insured (loop 2010BA) are not sent if another
#            is the patient (X12's answer to request 2281). What parse() returns is what is in the text that it was given
# Seen       from each N3 it goes back to any NM1*IL, past the NM1 of others in between. The insured, who has no N3, has the
#            payer's and then the patient's, and querySingle the payer's alone; her date of birth is her child's. A
#            billing provider has all three addresses. A parser that is not strict, as it is if nothing is said, and
#            that parses a second file returns the claims of both; one that is strict returns another kind of object.
#            All that is told is one entry in its diagnostics, that IEA01 counts one group less
# So         look whether the NM1 before what was found is the one that you asked for; one parser for each file
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 node-x12@1.7.1
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { createRequire } from 'node:module';

const { X12Parser, X12QueryEngine } = createRequire(import.meta.url)('node-x12');
const claim = (number, name) => [
  `ISA*00*          *00*          *ZZ*CLINIC         *ZZ*PAYER          *240513*1504*^*00501*${number}*0*T*:`,
  'GS*HC*CLINIC*PAYER*20240513*1504*1*X*005010X222A1',
  'ST*837*0001*005010X222A1', 'BHT*0019*00*1*20240513*1504*CH', 'NM1*41*2*CLINIC*****46*1',
  'PER*IC*FRONT DESK*TE*6175550100', 'NM1*40*2*PAYER*****46*2',
  'HL*1**20*1', 'NM1*85*2*CLINIC*****XX*1234567893', 'N3*1 CLINIC ROAD', 'N4*BOSTON*MA*021150001',
  'REF*EI*123456789',
  'HL*2*1*22*1', 'SBR*P**GROUP1******CI', `NM1*IL*1*WONG*${name}****MI*A1`,
  'NM1*PR*2*PAYER*****PI*P1', 'N3*PO BOX 9', 'N4*HARTFORD*CT*061020001',
  'HL*3*2*23*0', 'PAT*19', 'NM1*QC*1*WONG*LEE', 'N3*7 ELM ST', 'N4*BOSTON*MA*021150002', 'DMG*D8*20190412*M',
  'CLM*A*100***11:B:1*Y*A*Y*Y', 'HI*ABK:J069', 'LX*1', 'SV1*HC:99213*100*UN*1***1', 'DTP*472*D8*20240513',
  'SE*28*0001', 'GE*1*1', `IEA*1*${number}`, '',
].join('~');
const mia = claim('000000001', 'MIA');
const parser = new X12Parser();
const read = parser.parse(mia);
assert.deepEqual(parser.diagnostics, []);
const engine = new X12QueryEngine();
const look = (query, ...expected) => {
  const found = engine.query(read, query).map((result) => result.value);
  console.log(query.padEnd(24), found);
  assert.deepEqual(found, expected);
  assert.equal(engine.querySingle(read, query).value, expected[0]);
};
look('NM1-N301:NM101["QC"]', '7 ELM ST');
look('NM104:NM101["IL"]', 'MIA');
look('NM1-N301:NM101["IL"]', 'PO BOX 9', '7 ELM ST');
look('NM1-DMG02:NM101["IL"]', '20190412');
look('NM1-N301:NM101["85"]', '1 CLINIC ROAD', 'PO BOX 9', '7 ELM ST');
const next = parser.parse(claim('000000002', 'ANA'));
const insured = engine.query(next, 'NM104:NM101["IL"]').map((result) => result.value);
console.log('a second file', insured, parser.diagnostics.map((one) => one.message));
assert.deepEqual(insured, ['MIA', 'ANA']);
assert.equal(parser.diagnostics.length, 1);
assert.match(parser.diagnostics[0].message, /IEA01 \(1\) does not match/);
const strict = new X12Parser(true);
const kinds = ['000000001', '000000002'].map((number) => strict.parse(claim(number, 'MIA')).constructor.name);
console.log('strict', kinds);
assert.deepEqual(kinds, ['X12Interchange', 'X12FatInterchange']);
console.log('OK: as described');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
