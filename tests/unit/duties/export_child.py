"""A process that makes exports, a page at a time: ``export_child.py STORE``. It says each page."""

from __future__ import annotations

import asyncio
import sys

from threadwell.app import open_store, sight_of
from threadwell.bulk import walking
from threadwell.bulk.exports import Exports
from threadwell.stores.contract import DEFAULT_PROJECT


async def main(url: str) -> None:
    walking.PAGE = 3
    store = open_store(url)
    exports = Exports(store, DEFAULT_PROJECT, sight_of(store), seconds=0.0)
    while True:
        wait = await exports.round()
        print("page", flush=True)
        await asyncio.sleep(wait or 0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
