#!/usr/bin/env bash
# Readers of FIT files weigh a patient at 655 kg while the scale still weighs, or always at a hundred times as much.
#
# Packages   @garmin/fitsdk 21.217.0 (Garmin's own, which also writes the file), fit-file-parser 6.1.2, fit-decoder 1.0.5
#            (npm), files of watches, scales and blood pressure monitors
# Expected   weight_scale.weight is of the type weight, whose value 65534 says "calculating" and is no weight; all others
#            have scale 100 (FIT Profile, sheets Types and Messages): 7250 is 72.5 kg. record.altitude has scale 5 and
#            offset 500. hrv.time is an array (s, scale 1000). Each result of a file is told
# Seen       Garmin's SDK and fit-file-parser give 65534 as 655.34 kg, a number like any other. fit-decoder knows
#            "calculating", but no scale: 72.5 kg is 7250, and body fat of 21.5 % 2150. It reads an altitude of -3.2 m
#            as 24.84, and of three intervals between beats the first, as 812. `weight_scale` of fit-file-parser holds
#            the last weight only, 655.34; both are in `messages`. No error anywhere
# So         drop weights of 655.34 and 655.35 kg, and check one known file with each new reader
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts \
  @garmin/fitsdk@21.217.0 fit-file-parser@6.1.2 fit-decoder@1.0.5 >>npm.log 2>&1
cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { Decoder, Encoder, Profile, Stream } from '@garmin/fitsdk';
import decoder from 'fit-decoder';
import parserModule from 'fit-file-parser';

const FitParser = parserModule.default ?? parserModule;
const at = (second) => new Date(Date.UTC(2024, 4, 13, 15, 4, second));
const encoder = new Encoder();
const { FILE_ID, WEIGHT_SCALE, BLOOD_PRESSURE, RECORD, HRV } = Profile.MesgNum;
const about = { type: 'weight', manufacturer: 'development', product: 1, serialNumber: 1 };
encoder.onMesg(FILE_ID, { ...about, timeCreated: at(0) });
encoder.onMesg(WEIGHT_SCALE, { timestamp: at(0), weight: 72.5, percentFat: 21.5 });
encoder.onMesg(WEIGHT_SCALE, { timestamp: at(1), weight: 65534 / 100 });
encoder.onMesg(BLOOD_PRESSURE, { timestamp: at(2), systolicPressure: 162, diastolicPressure: 98 });
encoder.onMesg(RECORD, { timestamp: at(3), heartRate: 61, altitude: -3.2 });
encoder.onMesg(HRV, { time: [0.812, 0.799, 0.801] });
const file = Buffer.from(encoder.close());
const see = (name, found, expected) => {
  console.log(name.padEnd(32), JSON.stringify(found));
  assert.deepEqual(found, expected);
};

const { messages } = new Decoder(Stream.fromByteArray([...file])).read();
see('Garmin, weights', messages.weightScaleMesgs.map((one) => one.weight), [72.5, 655.34]);
see('Garmin, systolic', messages.bloodPressureMesgs.map((one) => one.systolicPressure), [162]);
see('Garmin, intervals', messages.hrvMesgs[0].time, [0.812, 0.799, 0.801]);

const read = await new Promise((done, fail) =>
  new FitParser({ force: true }).parse(file, (error, data) => (error ? fail(error) : done(data))),
);
see('fit-file-parser, weights', read.messages.weight_scale.map((one) => one.weight), [72.5, 655.34]);
see('fit-file-parser, weight_scale', read.weight_scale.weight, 655.34);
see('fit-file-parser, systolic', read.blood_pressure.systolic_pressure, 162);

const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
const parsed = decoder.parseRecords(decoder.fit2json(bytes)).records;
const of = (type, field) => parsed.filter((one) => one.data && one.type === type).map((one) => one.data[field]);
see('fit-decoder, systolic', of('blood_pressure', 'systolic_pressure'), [162]);
see('fit-decoder, weights', of('weight_scale', 'weight'), [7250, 'calculating']);
see('fit-decoder, fat', of('weight_scale', 'percent_fat')[0], 2150);
see('fit-decoder, altitude', of('record', 'altitude'), [24.84]);
see('fit-decoder, intervals', of('hrv', 'time'), [812]);
console.log('OK: as described');
JS
node seen.mjs
