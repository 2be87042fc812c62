#!/usr/bin/env bash
# Deepgram's captions make a second of an AssemblyAI transcript a quarter of an hour, and lose "<7" from what was said.
#
# Package    @deepgram/captions 1.2.0, with webvtt-parser 2.2.0 as the reader (on node 22.23.3 from npm)
# Expected   AssemblyAI's transcripts have start and end in milliseconds, and the package's own AssemblyAiConverter reads
#            them. In WebVTT < and & are written as &lt; and &amp; (WebVTT, §4.2.2, cue text); a bare < begins a tag, and
#            a reader drops it. Hours have two digits or more (the same, §4.1, timestamp), and count on after a day
# Seen       the milliseconds are taken for seconds: an answer 1.0 to 1.2 s into a call is at 16:40 to 20:00, and 90 s are
#            25 hours, which start again at 01:00:00. "Keep your A1c <7 and BP" is written as it is, and a reader has "Keep
#            your A1c " alone. Deepgram's own transcripts have the right times. Nothing is raised
# So         divide AssemblyAI's times by a thousand, and write &lt; and &amp; into the words before they are handed over
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@22.23.3 @deepgram/captions@1.2.0 webvtt-parser@2.2.0
cat >seen.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { AssemblyAiConverter, DeepgramConverter, webvtt } from '@deepgram/captions';
import parser from 'webvtt-parser';

const times = (written) => written.split('\n').filter((line) => line.includes('-->'));
const look = (found, expected) => {
  console.log(found);
  assert.deepEqual(found, expected);
};
const said = (speaker, text, start, end) => ({ speaker, text, start, end, words: [{ text, start, end, speaker }] });
const call = { utterances: [said('A', 'Smoking?', 0, 800), said('B', 'No.', 1000, 1200), said('A', 'Bye.', 90000, 90500)] };
look(times(webvtt(new AssemblyAiConverter(call))), [
  '00:00:00.000 --> 00:13:20.000',
  '00:16:40.000 --> 00:20:00.000',
  '01:00:00.000 --> 01:08:20.000',
]);

const words = ['Keep', 'your', 'A1c', '<7', 'and', 'BP'].map((word, index) => ({
  word: word.toLowerCase(),
  punctuated_word: word,
  start: 1 + index / 4,
  end: 1.25 + index / 4,
  speaker: 0,
}));
const utterances = [{ speaker: 0, start: 1, end: 2.5, transcript: 'Keep your A1c <7 and BP', words }];
const metadata = { request_id: 'r', created: '2026-06-01', duration: 3, channels: 1 };
const written = webvtt(new DeepgramConverter({ metadata, results: { channels: [{ alternatives: [{ words }] }], utterances } }));
look(times(written), ['00:00:01.000 --> 00:00:02.500']);
assert.ok(written.includes('Keep your A1c <7 and BP'), written);
const texts = (node) => (node.type === 'text' ? node.value : (node.children ?? []).map(texts).join(''));
const [cue] = new parser.WebVTTParser().parse(written).cues;
look(texts(cue.tree), 'Keep your A1c ');
JAVASCRIPT
node_modules/node/bin/node seen.mjs
