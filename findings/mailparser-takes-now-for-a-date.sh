#!/usr/bin/env bash
# A mail whose date mailparser cannot read was sent now, it says.
#
# Package    mailparser 3.14.2 (npm, of Nodemailer)
# Expected   a `Date` field that cannot be read gives no `date`, as a mail without that field does
# Seen       the date is the moment at which the mail is parsed, another one each time, and nothing
#            tells. `XYZ`, a zone's name that is not known, is enough; RFC 5322 §4.3 has a reader take
#            it for -0000
# So         read the field's text in `headerLines` yourself; believe `date` only if both agree
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts mailparser@3.14.2 >> npm.log 2>&1
cat > read.js <<'JS'
const {simpleParser} = require('mailparser');
const assert = require('assert');
const read = async (...fields) =>
  (await simpleParser([...fields, 'From: ana@example.org', '', 'hello'].join('\r\n'))).date;
(async () => {
  const begun = Date.now();
  const none = await read();
  const good = await read('Date: Tue, 4 Mar 2025 08:00:00 -0500');
  const named = await read('Date: Tue, 4 Mar 2025 08:00:00 XYZ');
  console.log('no Date:', none, '\n-0500:  ', good, '\nXYZ:    ', named);
  assert.strictEqual(none, undefined);
  assert.strictEqual(good.toISOString(), '2025-03-04T13:00:00.000Z');
  assert(named.getTime() >= begun && named.getTime() <= Date.now());
})();
JS
node read.js
