#!/usr/bin/env bash
# srt-vtt-parser lets a caption begin and never end, and gives the words of one caption to the one before it.
#
# Package    @plussub/srt-vtt-parser 2.0.5 (on node 22.23.3 from npm)
# Expected   hours may be left out of a time in WebVTT (WebVTT, §4.1, timestamp), and settings such as align:start may stand
#            behind the end (the same, cue settings list). A caption may be empty, and an empty line ends it. Of two
#            forms that mean the same the answer is the same
# Seen       `00:01.500 --> 00:04.000 align:start` begins at 1500 ms, and its end is NaN (null in JSON). With hours, or
#            without the setting, it is 4000. In SRT a caption without text swallows the next one: its number, its time
#            and its words are the text of the empty one, and one caption is missing. Nothing is raised
# So         write hours into each time, and take captions without text out before they are read
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @plussub/srt-vtt-parser@2.0.5
cat >seen.cjs <<'JAVASCRIPT'
const assert = require('node:assert');
const { parse } = require('@plussub/srt-vtt-parser');

const look = (text, expected) => {
  const found = parse(text).entries.map(({ from, to, text }) => [from, to, text]);
  console.log(found);
  assert.deepStrictEqual(found, expected);
};
const vtt = (times) => `WEBVTT\n\n${times}\nTake 5 mg\n`;
look(vtt('00:01.500 --> 00:04.000 align:start'), [[1500, NaN, 'Take 5 mg']]);
look(vtt('00:01.500 --> 00:04.000'), [[1500, 4000, 'Take 5 mg']]);
look(vtt('00:00:01.500 --> 00:00:04.000 align:start'), [[1500, 4000, 'Take 5 mg']]);
const first = '1\n00:00:01,500 --> 00:00:04,000\nDo you smoke?';
const third = '3\n00:00:07,000 --> 00:00:08,000\nNo.';
look(`${first}\n\n2\n00:00:05,000 --> 00:00:06,000\n\n${third}\n`, [
  [1500, 4000, 'Do you smoke?'],
  [5000, 6000, `\n${third}`],
]);
JAVASCRIPT
node_modules/node/bin/node seen.cjs
