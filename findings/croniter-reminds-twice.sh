#!/usr/bin/env bash
# croniter lets a daily job of half past one run twice when the clocks go back.
#
# Packages   croniter 7.0.0, cronsim 2.8, with tzdata 2026.6 (PyPI); croner 11.0.0 (npm)
# Expected   `30 1 * * *` is once a day, also on 1 November 2026, when New York has 01:30 twice; cron itself runs jobs
#            of a fixed hour once that night, and only those of each hour or minute in both
# Seen       croniter gives 01:30 at -04:00 and again at -05:00: two reminders, or two doses. cronsim and croner give
#            it once. A job of each hour comes in both hours by all three
# So         hold what was sent by the day and not by the moment, or do not schedule between one and two
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check croniter==7.0.0 cronsim==2.8 tzdata==2026.6
npm init -y >npm.log 2>&1
npm install --silent --no-audit --no-fund node@22.23.3 croner@11.0.0 >>npm.log 2>&1
cat >seen.py <<'PYTHON'
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

START = datetime(2026, 10, 31, 12, tzinfo=ZoneInfo("America/New_York"))


def seen(name: str, moments: object) -> list[str]:
    found = [moment.isoformat()[5:] for moment in islice(moments, 3)]
    print(f"{name:9}", *found)
    return found


once = ["11-01T01:30:00-04:00", "11-02T01:30:00-05:00", "11-03T01:30:00-05:00"]
twice = ["11-01T01:30:00-04:00", "11-01T01:30:00-05:00", "11-02T01:30:00-05:00"]
assert seen("croniter", croniter("30 1 * * *", START, datetime)) == twice
assert seen("cronsim", CronSim("30 1 * * *", START)) == once
hours = ["11-01T01:00:00-04:00", "11-01T01:00:00-05:00", "11-01T02:00:00-05:00"]
night = START.replace(month=11, day=1, hour=0)
assert seen("croniter", croniter("0 * * * *", night, datetime)) == hours
assert seen("cronsim", CronSim("0 * * * *", night)) == hours
PYTHON
PYTHONTZPATH="" venv/bin/python seen.py
cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { Cron } from 'croner';

const daily = new Cron('30 1 * * *', { timezone: 'America/New_York', paused: true });
const found = daily.nextRuns(3, new Date('2026-10-31T16:00:00Z')).map((one) => one.toISOString());
console.log('croner   ', ...found);
assert.deepEqual(found, [1, 2, 3].map((day) => `2026-11-0${day}T0${day === 1 ? 5 : 6}:30:00.000Z`));
JS
node_modules/node/bin/node seen.mjs
