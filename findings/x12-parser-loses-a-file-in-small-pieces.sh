#!/usr/bin/env bash
# x12-parser makes one segment of a whole file, if its first piece is shorter than the ISA.
#
# Package    x12-parser 1.3.0 (on node 22.23.3 from npm), X12 (claims, payments, eligibility) as a stream
# Expected   a stream's pieces may have any size (Node, Stream: nothing says where they end), and the same bytes give
#            the same segments. What repeats (EB03 of a 271: service types 30, 88 and 98) comes apart at the separator
#            of ISA11, which the parser looks up (005010X279A1, EB03: >1)
# Seen       separators are read from places 83, 105 and 106 of the first piece alone. If it has fewer than 106 bytes,
#            as what comes over a socket or is written field by field may have, a whole 835 is one segment: an ISA with
#            all elements of the file, and no claim. Nothing is raised, and `data` and `end` come as ever. Later pieces
#            may end anywhere. EB03 is one text, "30^88^98"
# So         gather 106 bytes before you write the first piece to it, and split what repeats yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 x12-parser@1.3.0
cat >seen.cjs <<'JAVASCRIPT'
const assert = require('node:assert');
const { Readable } = require('node:stream');
const { X12parser } = require('x12-parser');

const file = [
  'ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *240513*1504*^*00501*000000001*0*P*:',
  'GS*HP*PAYER*CLINIC*20240513*1504*1*X*005010X221A1', 'ST*835*0001', 'BPR*I*150*C*ACH************20240520',
  'TRN*1*12345*1999999999', 'CLP*A1*1*200*150*50*12*9', 'SE*5*0001', 'GE*1*1', 'IEA*1*000000001', '',
].join('~');
const parse = async (...pieces) => {
  const found = [];
  for await (const segment of Readable.from(pieces).pipe(new X12parser())) found.push(segment);
  return found;
};

(async () => {
  const whole = await parse(file);
  console.log('one piece:', whole.map((one) => one.name).join(' '));
  assert.deepEqual(whole.map((one) => one.name), 'ISA GS ST BPR TRN CLP SE GE IEA'.split(' '));
  assert.deepEqual(await parse(file.slice(0, 106), ...file.slice(106)), whole);
  for (const length of [4, 50, 105]) {
    const found = await parse(file.slice(0, length), file.slice(length));
    console.log(`first piece of ${length} bytes:`, found.length, 'segment,', found[0].name, 'of', Object.keys(found[0]).length - 1);
    assert.deepEqual(found.map((one) => one.name), ['ISA']);
    assert(JSON.stringify(found[0]).includes('CLP'));
  }
  const [, answer] = await parse(`${file.slice(0, 106)}EB*1*IND*30^88^98**PLAN~`);
  console.log('EB03:', answer[3]);
  assert.equal(answer[3], '30^88^98');
})().catch((error) => { console.error(error); process.exit(1); });
JAVASCRIPT
node_modules/node/bin/node seen.cjs
