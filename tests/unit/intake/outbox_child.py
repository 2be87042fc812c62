"""A process that sends what is in the outbox of a store: ``URL HOST``, until it is killed."""

from __future__ import annotations

import asyncio
import sys

from threadwell.app import channel_labels, live_channels, open_store
from threadwell.calls import HttpCaller
from threadwell.intake.replies.outgoing import Links
from threadwell.intake.replies.sending import Outbox
from threadwell.stores.contract import DEFAULT_PROJECT


async def main(url: str) -> None:
    store = open_store(url)

    async def links() -> Links:
        return Links("", lambda *_: "")

    outbox = Outbox(store, DEFAULT_PROJECT, live_channels(), channel_labels(), HttpCaller(), links)
    print("ready", flush=True)
    await outbox.round()
    print("done", flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
