#!/usr/bin/env bash
# eml-parse-js makes 120 mg of "1" and "20 mg" on two lines, and a mail from mutt has no text.
#
# Package    eml-parse-js 1.1.15 (on node 22.23.3 from npm), mails as objects, for browsers and Node
# Expected   a line break in HTML is white space between two words (HTML 4.01, White space), and mailers break long lines. A part
#            that is to be shown in its place says `Content-Disposition: inline` (RFC 2183, §2.1), as mutt does for each
#            text. A mail that names no type is plain text (RFC 2045, §5.2)
# Seen       all line breaks of HTML that is not in base64 are taken out, with nothing in their place, and each &quot; with
#            them: "take 1" and "20 mg tablet" on two lines is "take 120 mg tablet". In base64 both stay. A text that is
#            inline, or of no named type, is an attachment without a name, and the mail has neither text nor HTML. What is
#            printed on the side (a stray "Content-Type", a failed atob) tells of other things
# So         of a mail with HTML and text take the text, and look into attachments without a name; or read it with another
#            library (postal-mime has all of these right)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 eml-parse-js@1.1.15 postal-mime@4.0.0
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { readEml } from 'eml-parse-js';
import PostalMime from 'postal-mime';

const HEAD = [
  'From: Mia Wong <mia@mail.example>', 'To: clinic@clinic.example', 'Date: Mon, 13 May 2024 15:04:00 -0400',
  'Subject: Tablets',
];
const look = async (title, headers, body, expected) => {
  const mail = [...HEAD, ...headers, '', body, ''].join('\r\n');
  const found = readEml(mail);
  const other = await PostalMime.parse(mail);
  const attached = (found.attachments ?? []).map(({ name, data }) => [name, String(data).trim()]);
  const seen = [found.text?.trim(), found.html?.trim(), attached];
  console.log(title, JSON.stringify(seen), 'and postal-mime', JSON.stringify([other.text, other.html]));
  assert.deepEqual(seen, expected);
  // Nothing is missing in what the other library reads.
  assert.equal(other.attachments.length, 0);
  assert.match(other.text ?? other.html, /1\s+20 mg/);
};
const type = (name, encoding) => [
  'MIME-Version: 1.0', `Content-Type: ${name}; charset=utf-8`, `Content-Transfer-Encoding: ${encoding}`,
];
const HTML = '<p>Since Monday I take 1\r\n20 mg tablet, &quot;the white one&quot;</p>';
const TEXT = 'Since Monday I take 1\r\n20 mg tablet';
await look('HTML', type('text/html', '7bit'), HTML, [
  undefined, '<p>Since Monday I take 120 mg tablet, the white one</p>', [],
]);
await look('HTML, quoted-printable', type('text/html', 'quoted-printable'), HTML, [
  undefined, '<p>Since Monday I take 120 mg tablet, the white one</p>', [],
]);
await look('HTML, base64', type('text/html', 'base64'), Buffer.from(HTML).toString('base64'), [undefined, HTML, []]);
await look('text', type('text/plain', '7bit'), TEXT, [TEXT, undefined, []]);
await look('text, inline', [...type('text/plain', '7bit'), 'Content-Disposition: inline'], TEXT, [
  undefined, undefined, [[undefined, TEXT]],
]);
await look('text, of no named type', [], TEXT, [undefined, undefined, [[undefined, TEXT]]]);
console.log('OK: as described');
JAVASCRIPT
node_modules/node/bin/node seen.mjs 2>told.log || { tail told.log; exit 1; }
