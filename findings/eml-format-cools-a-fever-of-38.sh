#!/usr/bin/env bash
# eml-format reads "T°=38.5" in a mail as "T°8.5", and of a subject one word.
#
# Package    eml-format 0.6.1 (on node 22.23.3 from npm), mails as objects
# Expected   in quoted-printable =3D is a sign of equality, and what follows is read once (RFC 2045, §6.7). A header may have
#            several encoded words, with plain words between; all of them are the subject (RFC 2047, §2 and §6.2), and _ in
#            an encoded word is a blank (§4.2). Names of headers mean the same in small letters (RFC 5322, §1.2.2)
# Seen       three escapes are decoded together first, then two, then one: the = that comes of `=C2=B0=3D` makes =38 one
#            more escape, the digit 8. "T°=38.5" is T°8.5. A subject with an encoded word is that word: "38.5 since Monday"
#            behind it is gone, and _ stays. A mail with headers in small letters has no subject, and its text is an
#            attachment that is still encoded. Nothing is raised
# So         read mails with another library (postal-mime has all of these right)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 eml-format@0.6.1 postal-mime@4.0.0
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import eml from 'eml-format';
import PostalMime from 'postal-mime';

const headers = (subject, encoding) => [
  'From: Mia Wong <mia@mail.example>', 'To: clinic@clinic.example', 'Date: Mon, 13 May 2024 15:04:00 -0400',
  `Subject: ${subject}`, 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8',
  `Content-Transfer-Encoding: ${encoding}`,
];
const read = (text) => new Promise((done, fail) => {
  eml.read(text, (error, found) => (error ? fail(error) : done(found)));
});
const look = async (subject, body, expected) => {
  const text = `${headers(subject, 'quoted-printable').join('\r\n')}\r\n\r\n${body}\r\n`;
  const found = await read(text);
  const other = await PostalMime.parse(text);
  console.log('eml-format ', JSON.stringify([found.subject, found.text.trim()]));
  console.log('postal-mime', JSON.stringify([other.subject, other.text.trim()]));
  assert.deepEqual([found.subject, found.text.trim(), other.subject, other.text.trim()], expected);
};
await look('Fever', 'Fever =3D 38.5', ['Fever', 'Fever = 38.5', 'Fever', 'Fever = 38.5']);
await look('=?UTF-8?Q?Fi=C3=A8vre?=', 'T=C2=B0=3D38.5, TA 12/8', [
  'Fièvre', 'T°8.5, TA 12/8', 'Fièvre', 'T°=38.5, TA 12/8',
]);
await look('=?UTF-8?Q?Fi=C3=A8vre?= 38.5 since Monday', 'T 38.5', [
  'Fièvre', 'T 38.5', 'Fièvre 38.5 since Monday', 'T 38.5',
]);
await look('=?UTF-8?Q?Fi=C3=A8vre_38.5?=\r\n =?UTF-8?Q?_depuis_lundi?=', 'T 38.5', [
  'Fièvre_38.5', 'T 38.5', 'Fièvre 38.5 depuis lundi', 'T 38.5',
]);
const small = headers('Fever', 'base64').map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()));
const encoded = Buffer.from('T 38.5').toString('base64');
const found = await read(`${small.join('\r\n')}\r\n\r\n${encoded}\r\n`);
console.log('in small letters', found.subject, found.text, found.attachments);
assert.deepEqual([found.subject, found.text, found.attachments.length], [undefined, undefined, 1]);
assert.equal(String(found.attachments[0].data).trim(), encoded);
console.log('OK: as described');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
