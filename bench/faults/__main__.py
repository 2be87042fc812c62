"""Runs the scripts here, or those that are named.

python -m bench.faults                     every one, in short form
python -m bench.faults soak --seconds 600  the load held for ten minutes
python -m bench.faults killed --store postgresql://… --workers 2
python -m bench.faults live                every step of every way, 1,000 kills and more a store
python -m bench.faults live --kills 0 --every 25
python -m bench.faults hostile --requests 100000
"""

from __future__ import annotations

from argparse import ArgumentParser

from bench.faults import (
    database,
    disk_full,
    drain,
    heavy,
    killed,
    live,
    overload,
    slow_disk,
    soak,
    stalled,
    told,
)
from bench.faults.hostile import campaign
from bench.faults.server import Options

SCRIPTS = {
    "soak": soak.run,
    "overload": overload.run,
    "stalled": stalled.run,
    "heavy": heavy.run,
    "slow_disk": slow_disk.run,
    "disk_full": disk_full.run,
    "killed": killed.run,
    "told": told.run,
    "live": live.run,
    "database": database.run,
    "drain": drain.run,
    "hostile": campaign.run,
}


def main() -> None:
    """Run them, each on a server and a store of its own."""
    parser = ArgumentParser(prog="python -m bench.faults")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCRIPTS))
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each load is held")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--store", default="", help="a URL; by default a new SQLite file")
    parser.add_argument("--kills", type=int, help="of live: at least so many a store")
    parser.add_argument("--every", type=int, help="of live: at every so many steps")
    parser.add_argument("--seed", type=int, default=0, help="of live, hostile: another has others")
    parser.add_argument("--requests", type=int, help="of hostile: so many a store")
    parser.add_argument("--way", action="append", default=[], help="of live: such as 'texts in'")
    given = parser.parse_args()
    unknown = set(given.names) - set(SCRIPTS)
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}")
    # Named, it is the whole campaign; among all others, a short form.
    kills, every = (1000, 1) if "live" in given.names else (0, 20)
    options = Options(
        given.seconds,
        given.workers,
        given.store,
        kills if given.kills is None else given.kills,
        given.every or every,
        given.seed,
        tuple(given.way),
        given.requests or (20_000 if "hostile" in given.names else 2_000),
    )
    for name in given.names or SCRIPTS:
        run = SCRIPTS[name]
        about = __import__(run.__module__, fromlist=["run"]).__doc__ or ""
        print(f"\n== {name}: {about.splitlines()[0]}", flush=True)
        run(options)


if __name__ == "__main__":
    main()
